/** The commits that a person put on top of a stop, and their shape. */

import { type Commit, readCommits } from "../repository/commit-object.ts";
import type { RunRepository } from "../repository/run-repository.ts";

/** More is somebody else's history. */
export const MOST_ON_TOP = 5_000;

/** The commits of `top` that none of `below` has, parents first. All must be here. */
export async function commitsOnTop(run: RunRepository, below: string[], top: string): Promise<Commit[]> {
  const limit = `--max-count=${MOST_ON_TOP}`;
  const ids = await run.text(["rev-list", "--topo-order", limit, top, "--not", ...below]);
  return readCommits(run, ids.split("\n").filter(Boolean).reverse());
}

/** A merge that brings in what does not build on any of `below`; undefined when there is none. */
export function foreignMerge(commits: Commit[], below: string[]): Commit | undefined {
  const known = new Set([...below, ...commits.map(({ id }) => id)]);
  const isForeign = ({ parents }: Commit) => parents.length === 0 || parents.some((parent) => !known.has(parent));
  return commits.some(isForeign) ? commits.findLast(({ parents }) => parents.length > 1) : undefined;
}

/**
 * Leaves out merges at the top that hold nothing of their own, as forges make them of a branch that follows from the one it
 * is merged into: their tree is that of one parent, which has all that the others have. `spare` may go unmerged.
 */
export function withoutIdleMerges(commits: Commit[], below: string[], spare: (commit: Commit) => boolean): Commit[] {
  const top = commits.at(-1);
  if (!top || top.parents.length < 2 || below.slice(1).some((other) => top.parents.includes(other))) return commits;
  for (const whole of commits.filter(({ id, tree }) => top.parents.includes(id) && tree === top.tree)) {
    const kept = leadingTo(commits, whole);
    const gone = commits.filter((commit) => commit !== top && !kept.includes(commit));
    if (gone.every(spare)) return withoutIdleMerges(kept, below, spare);
  }
  return commits;
}

function leadingTo(commits: Commit[], top: Commit): Commit[] {
  const wanted = new Set([top.id]);
  const kept = commits.toReversed().filter(({ id, parents }) => {
    if (!wanted.has(id)) return false;
    for (const parent of parents) wanted.add(parent);
    return true;
  });
  return kept.reverse();
}

/** Whether each follows from the one before, the first from `progress`, and none but `merge` merges anything. */
export function isLine(commits: Commit[], progress: string, merge?: Commit): boolean {
  let before = progress;
  for (const commit of commits) {
    if (commit.parents[0] !== before || (commit.parents.length > 1 && commit !== merge)) return false;
    before = commit.id;
  }
  return true;
}
