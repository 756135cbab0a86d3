/** The stack: the ordered commits of a branch that upstream does not have. */

import { Blocked, short } from "./blocked.ts";
import { type Commit, readCommits } from "./commit-object.ts";
import type { RunRepository } from "./run-repository.ts";

/** More is a branch whose history has nothing to do with upstream's, not a stack. */
const MOST_PATCHES = 5_000;

/** The commits of `tip` that neither `base` nor, without one, any ref of upstream has, oldest first. */
export async function stackIds(run: RunRepository, tip: string, base?: string): Promise<string[]> {
  const without = base ? [base] : ["--alternate-refs"];
  const limit = `--max-count=${MOST_PATCHES + 1}`;
  const text = await run.text(["rev-list", "--topo-order", limit, tip, "--not", ...without]);
  const ids = text.split("\n").filter(Boolean);
  if (ids.length > MOST_PATCHES) {
    throw new Blocked(
      `the patch branch has more than ${MOST_PATCHES} commits that upstream does not have: check that upstream.url names the repository it was forked from, or set stackBase`,
    );
  }
  return ids.reverse();
}

/** Reads the stack and makes sure that it is one line from `base` (or from one commit) to its tip. Throws Blocked. */
export async function readStack(run: RunRepository, ids: string[], base?: string): Promise<Commit[]> {
  const stack = await readCommits(run, ids);
  refuseMerges(stack);
  const roots = stack.filter(({ parents }) => parents.length === 0);
  if (roots.length > 0) {
    throw new Blocked(
      "the patch branch has no common history with upstream: check that upstream.url names the repository it was forked from, or set stackBase",
    );
  }
  let below = base ?? stack[0]?.parents[0];
  for (const patch of stack) {
    if (patch.parents[0] !== below) {
      throw new Blocked(
        `the stack is not one line: ${describe(patch)} does not follow ${short(below ?? "")}; rebase the patch branch so that it is`,
      );
    }
    below = patch.id;
  }
  return stack;
}

function refuseMerges(stack: Commit[]): void {
  const merges = stack.filter(({ parents }) => parents.length > 1);
  if (merges.length === 0) return;
  const shown = merges.slice(0, 5).map(describe).join(", ");
  const more = merges.length > 5 ? ` and ${merges.length - 5} more` : "";
  throw new Blocked(
    `the stack contains merges, which cannot be carried: ${shown}${more}; rebase the patch branch onto the upstream release it sits on, without merges, and retry`,
  );
}

export function describe(commit: Commit): string {
  return `${short(commit.id)} "${commit.subject}"`;
}
