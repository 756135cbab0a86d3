/** Compares the old stack with the carried one, for the person who reviews. */

import type { LedgerRow } from "../../domain/attempt.ts";
import { GitFailure } from "../process/failure.ts";
import type { Recipe } from "../recipe.ts";
import type { RunRepository } from "../repository/run-repository.ts";

const FLAGS = ["--no-color", "--no-ext-diff", "--no-textconv", "--no-notes"];
/** A patch that a person resolved may have changed much and is the same patch still. */
const PAIRING = "--creation-factor=90";
/** git compares every patch with every other, line by line: with one that deletes 2,500 files it was still at it after minutes. */
const PATIENCE_MS = 20_000;

/** git's range-diff as text: one `=`, `!`, `<` or `>` line a patch, with the difference under those that changed. */
export async function rangeDiffIn(
  run: RunRepository,
  recipe: Recipe,
  { tip, ledger }: { tip: string; ledger: LedgerRow[] },
): Promise<string> {
  // It takes no empty range.
  if (tip === recipe.release) return pairs(ledger);
  const ranges = [`${recipe.base}..${recipe.tip}`, `${recipe.release}..${tip}`];
  const patience = AbortSignal.timeout(PATIENCE_MS);
  const signal = run.signal ? AbortSignal.any([run.signal, patience]) : patience;
  try {
    const { stdout } = await run.engine.run(run.path, ["range-diff", ...FLAGS, PAIRING, ...ranges], { signal });
    return stdout.toString("utf8").trimEnd();
  } catch (error) {
    if (!(error instanceof GitFailure) || error.kind !== "cancelled" || run.signal?.aborted) throw error;
    const reason = `git range-diff ${ranges.join(" ")} was given up after ${PATIENCE_MS / 1000} seconds; the pairs are the ledger's`;
    return `${reason}\n\n${pairs(ledger)}`;
  }
}

/** As git would write it, without saying whether a patch changed. */
function pairs(ledger: LedgerRow[]): string {
  let made = 0;
  return ledger
    .map(({ patch, commit, subject }, index) => {
      const left = `${index + 1}:  ${patch.slice(0, 7)}`;
      return commit ? `${left} ? ${++made}:  ${commit.slice(0, 7)} ${subject}` : `${left} < -:  ------- ${subject}`;
    })
    .join("\n");
}
