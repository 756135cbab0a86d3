/** Tells a person why a patch does not apply: what upstream did to its files, and whether upstream seems to have taken it. */

import type { Commit } from "./commit-object.ts";
import type { RunRepository } from "./run-repository.ts";
import { commitsTouching, sameAct, type Span, type UpstreamCommit } from "./upstream-history.ts";

const MOST_UPSTREAM_COMMITS = 10;

export interface Explanation {
  /** Upstream's commits that changed those files, newest first. */
  upstreamCommits: UpstreamCommit[];
  /** Set where upstream has probably, though not provably, taken the patch. */
  proposal?: { drop: true; evidence: string };
}

export async function explainConflict(
  run: RunRepository,
  span: Span,
  patch: Commit,
  files: string[],
): Promise<Explanation> {
  const twin = await sameAct(run, span, patch);
  return {
    upstreamCommits: await commitsTouching(run, span, files, { most: MOST_UPSTREAM_COMMITS }),
    ...(twin && {
      proposal: {
        drop: true as const,
        evidence: `upstream commit ${twin.commit} "${twin.subject}" is by the same author at the same time`,
      },
    }),
  };
}
