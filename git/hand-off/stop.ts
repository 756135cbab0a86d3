/** Makes a stop again: no repository had to keep its commits. */

import { Blocked } from "../blocked.ts";
import { carryStack } from "../carry/carry.ts";
import { lineFrom } from "../carry/decisions.ts";
import { stackIds } from "../carry/stack.ts";
import type { Stop } from "../memory/memory.ts";
import type { Recipe, Stopped } from "../recipe.ts";
import { type Commit, readCommits } from "../repository/commit-object.ts";
import type { RunRepository } from "../repository/run-repository.ts";

export interface StopAgain {
  /** What the stopped patch was to be carried onto, or the whole carried stack. */
  progress: string;
  /** Absent where the build failed, or warnings asked for a person. */
  conflict?: ConflictAgain;
}

export interface ConflictAgain extends Stop {
  /** The commit with the markers. */
  commit: string;
  /** Of a merge: its further parents, carried. */
  others: string[];
  /** The stopped patch, and those that follow it in a line: what a person may bring along. */
  left: Commit[];
  stack: Commit[];
}

/** Throws Blocked when the recipe does not stop there any more. */
export async function stopAgain(run: RunRepository, recipe: Recipe, stopped: Stopped): Promise<StopAgain> {
  const again = await carryStack(run, recipe);
  const { progress, patch } = again.kind === "conflict" ? again : { progress: again.tip, patch: undefined };
  if (progress !== stopped.progress || patch !== stopped.patch) {
    throw new Blocked(
      "the carry does not stop where this wait began: a decision was taken meanwhile, or belongs to another attempt; retry to carry on",
    );
  }
  if (again.kind !== "conflict") return { progress };
  const { tip, base, release } = recipe;
  const stack = await readCommits(run, await stackIds(run, tip, [base, release]));
  const { conflict: commit, others, stop } = again;
  return { progress, conflict: { ...stop, commit, others, stack, left: lineFrom(stack, stop.patch) } };
}
