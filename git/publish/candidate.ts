/** Publishes a carried and built stack as a candidate: a branch, and a tag where one is wanted. */

import { orBlocked } from "../blocked.ts";
import { carryAgain } from "../carry/carry.ts";
import type { Engine } from "../process/engine.ts";
import { checkCommitId, type Recipe } from "../recipe.ts";
import { readCommit, secondsOf, tagObject, writeObject } from "../repository/commit-object.ts";
import { withRelease } from "../repository/inputs.ts";
import { asBranch, checkRef } from "../repository/ref-names.ts";
import { type RemoteRef, readRemoteRefs } from "../repository/remote-refs.ts";
import type { RunRepository } from "../repository/run-repository.ts";
import { type Push, type PushedRef, push, pushTwice } from "./push.ts";

export interface CandidateInput {
  tip: string;
  /** Without `refs/heads/`. Where it is taken by other commits, `.2`, `.3` … is put behind it and the tag. */
  branch: string;
  /** Without `refs/tags/`; annotated with `message`. */
  tag?: string;
  message: string;
}

const MOST_CANDIDATES = 1000;

export async function pushCandidate(
  engine: Engine,
  recipe: Recipe,
  input: CandidateInput,
  signal?: AbortSignal,
): Promise<Push> {
  checkCommitId(input.tip);
  return orBlocked(() =>
    withRelease(
      engine,
      recipe,
      signal,
      async (run) => {
        await carryAgain(run, recipe, input.tip);
        return pushTwice(() => pushFree(run, recipe, input));
      },
      input.tip,
    ),
  );
}

async function pushFree(run: RunRepository, recipe: Recipe, input: CandidateInput) {
  const [branch, tag] = [asBranch(input.branch), input.tag === undefined ? undefined : `refs/tags/${input.tag}`];
  const patterns = [branch, `${branch}.*`, ...(tag ? [tag, `${tag}.*`] : [])];
  const seen = await readRemoteRefs(run.engine, recipe.fork, patterns, run.signal);
  const suffix = freeSuffix(seen, tag ? [branch, tag] : [branch], input.tip);
  const branchRef = `${branch}${suffix}`;
  const refs: PushedRef[] = [{ kind: "branch", ref: branchRef, sha: input.tip }];
  const moves = [{ ref: branchRef, from: seen.get(branchRef)?.sha, to: input.tip }];
  if (tag) {
    const ref = `${tag}${suffix}`;
    const there = seen.get(ref)?.sha;
    const to = there ?? (await annotatedTag(run, recipe, ref, input.tip, input.message));
    refs.push({ kind: "tag", ref, sha: input.tip });
    moves.push({ ref, from: there, to });
  }
  return { refs, moved: await push(run, recipe.fork, moves) };
}

/** Free is what is absent or stands for this commit already, for all of the refs alike. */
export function freeSuffix(seen: Map<string, RemoteRef>, refs: string[], commit: string): string {
  const isFree = (ref: string) => {
    const found = seen.get(ref);
    return !found || (found.peeled ?? found.sha) === commit;
  };
  for (let number = 1; number <= MOST_CANDIDATES; number++) {
    const suffix = number === 1 ? "" : `.${number}`;
    if (refs.every((ref) => isFree(`${ref}${suffix}`))) return suffix;
  }
  throw new Error(`${refs[0]} and ${MOST_CANDIDATES} numbered names after it are taken: delete old candidates`);
}

/** The same tag of the same commit with the same message has the same id on every machine. */
export async function annotatedTag(
  run: RunRepository,
  recipe: Recipe,
  ref: string,
  commit: string,
  message: string,
): Promise<string> {
  checkRef(ref);
  const { committer } = await readCommit(run, recipe.release);
  return writeObject(run, "tag", tagObject(ref.slice("refs/tags/".length), commit, message, secondsOf(committer)));
}
