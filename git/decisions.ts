/** Applies what people decided about a stopped carry. */

import type { Decision, LedgerRow } from "../domain/attempt.ts";
import { Blocked, short } from "./blocked.ts";
import { COMMITTER, type Commit, readCommit, readCommits } from "./commit-object.ts";
import type { Recipe } from "./recipe.ts";
import type { RunRepository } from "./run-repository.ts";
import { describe } from "./stack.ts";

export interface Taken {
  head: Commit;
  /** Rows of the stopped patch and of the later ones that the person carried too. */
  rows: Map<string, LedgerRow>;
}

/** `left` is the stopped patch and those after it; `head` is the progress that the person had to build on. */
export async function takeResolution(
  run: RunRepository,
  left: Commit[],
  head: Commit,
  decision: Decision & { kind: "resolution" },
): Promise<Taken> {
  const [stopped, ...later] = left as [Commit, ...Commit[]];
  const commits = await commitsOnTop(run, head.id, decision.commit, `the resolution of ${describe(stopped)}`);
  const by = decision.by ?? nameOf(commits.find(({ id }) => id === decision.commit));
  const evidence = `${by} resolved it in ${decision.commit}`;
  const resolved = (patch: Commit, commit: string): LedgerRow => ({
    patch: patch.id,
    subject: patch.subject,
    outcome: "resolved",
    commit,
    evidence,
  });
  const own = standsFor(commits, stopped)?.id ?? decision.commit;
  const rows = new Map([[stopped.id, resolved(stopped, own)]]);
  const free = commits.filter(({ id }) => id !== own);
  for (const patch of later) {
    const at = free.findIndex(({ author, subject }) => author === patch.author && subject === patch.subject);
    const [match] = at < 0 ? [] : free.splice(at, 1);
    if (match) rows.set(patch.id, resolved(patch, match.id));
  }
  return { head: await readCommit(run, decision.commit), rows };
}

/** Who committed it; a commit that we squashed tells only of us. */
function nameOf(commit: Commit | undefined): string {
  const committer = commit?.committer ?? COMMITTER;
  return committer.startsWith(COMMITTER) ? "a person" : committer.replace(/ <.*$/s, "");
}

/** The commit that accounts for the patch: the same act, or one that says so by its subject or its trailer. */
export function standsFor(commits: Commit[], patch: Commit): Commit | undefined {
  const picked = `cherry picked from commit ${patch.id}`;
  return (
    commits.find(({ author, subject }) => author === patch.author && subject === patch.subject) ??
    commits.find(({ message }) => message.includes(picked)) ??
    commits.find(({ author, subject }) => author === patch.author || subject === patch.subject)
  );
}

/** The tip after the commits that people put on top to let the build pass. */
export async function applyFixes(run: RunRepository, { decisions }: Recipe, carried: Commit): Promise<string> {
  let tip = carried.id;
  for (const decision of decisions) {
    if (decision.kind !== "fix") continue;
    if (decision.onto !== tip) {
      throw new Blocked(
        `the fix ${short(decision.commit)} was made for ${short(decision.onto)}, but the stack carries to ${short(tip)} now; retry starts afresh`,
      );
    }
    await commitsOnTop(run, tip, decision.commit, "the fix");
    tip = decision.commit;
  }
  return tip;
}

async function commitsOnTop(run: RunRepository, below: string, top: string, what: string): Promise<Commit[]> {
  if (!(await run.hasCommit(top))) {
    throw new Blocked(
      `${what} (${short(top)}) is not to be had from the fork any more: push it again, or retry to start afresh`,
    );
  }
  if (!(await run.isAncestor(below, top))) {
    throw new Blocked(`${what} (${short(top)}) does not build on ${short(below)}; retry starts afresh`);
  }
  const ids = (await run.text(["rev-list", "--reverse", "--topo-order", top, `^${below}`])).split("\n").filter(Boolean);
  return readCommits(run, ids);
}
