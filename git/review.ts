/** Looks at a finished carry for what may be broken without a conflict. */

import type { LedgerRow } from "../domain/attempt.ts";
import type { Commit } from "./commit-object.ts";
import type { Recipe } from "./recipe.ts";
import type { RunRepository } from "./run-repository.ts";

/** Warnings for a person, the weightiest first; none for most carries. */
export async function reviewCarry(
  _run: RunRepository,
  _recipe: Recipe,
  _carried: { stack: Commit[]; tip: string; ledger: LedgerRow[] },
): Promise<string[]> {
  return [];
}
