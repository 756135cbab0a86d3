/** Compares the old stack with the carried one, for the person who reviews. */

import type { Recipe } from "./recipe.ts";
import type { RunRepository } from "./run-repository.ts";

const FLAGS = ["--no-color", "--no-ext-diff", "--no-textconv", "--no-notes"];
/** A patch that a person resolved may have changed much and is the same patch still. */
const PAIRING = "--creation-factor=90";

/** git's range-diff as text: one `=`, `!`, `<` or `>` line a patch, with the difference under those that changed. */
export async function rangeDiffIn(run: RunRepository, recipe: Recipe, tip: string): Promise<string> {
  if (tip === recipe.release) return nothingLeft(run, recipe);
  const ranges = [`${recipe.base}..${recipe.tip}`, `${recipe.release}..${tip}`];
  return run.text(["range-diff", ...FLAGS, PAIRING, ...ranges]);
}

/** git takes no empty range: written as it would be, every patch of the stack without a counterpart. */
async function nothingLeft(run: RunRepository, { base, tip }: Recipe): Promise<string> {
  const lines = (await run.text(["log", "--reverse", "--format=%h %s", `${base}..${tip}`])).split("\n");
  return lines.map((line, at) => `${at + 1}:  ${line.replace(" ", " < -:  ------- ")}`).join("\n");
}
