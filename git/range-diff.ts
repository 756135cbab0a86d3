/** Compares the old stack with the carried one, for the person who reviews. */

import { carryAgain } from "./carry.ts";
import type { Engine } from "./engine.ts";
import { fetchInputs, withRelease } from "./inputs.ts";
import { checkCommitId, type Recipe } from "./recipe.ts";
import type { RunRepository } from "./run-repository.ts";

/** git's range-diff as text: one `=`, `!`, `<` or `>` line a patch, with the difference under those that changed. */
export async function rangeDiff(engine: Engine, recipe: Recipe, tip: string, signal?: AbortSignal): Promise<string> {
  checkCommitId(tip);
  return withRelease(engine, recipe, signal, async (run) => {
    await fetchInputs(run, recipe);
    await carryAgain(run, recipe, tip);
    if (tip === recipe.release) return nothingLeft(run, recipe);
    // A patch that a person resolved may have changed much and is the same patch still.
    const pairing = "--creation-factor=90";
    const ranges = [`${recipe.base}..${recipe.tip}`, `${recipe.release}..${tip}`];
    return run.text(["range-diff", "--no-color", "--no-ext-diff", "--no-textconv", "--no-notes", pairing, ...ranges]);
  });
}

/** git takes no empty range: written as it would be, every patch of the stack without a counterpart. */
async function nothingLeft(run: RunRepository, { base, tip }: Recipe): Promise<string> {
  const lines = (await run.text(["log", "--reverse", "--format=%h %s", `${base}..${tip}`])).split("\n");
  return lines.map((line, at) => `${at + 1}:  ${line.replace(" ", " < -:  ------- ")}`).join("\n");
}
