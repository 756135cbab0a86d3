/** What an attempt carries, in words that every machine understands. */

import type { Decision } from "../domain/attempt.ts";
import type { Remote } from "./options.ts";
import { checkRef } from "./repository/ref-names.ts";

/** The release to go to. Same shape as `Release` in workflows/messages.ts. */
export interface Target {
  /** What hand-off refs call it. */
  name: string;
  /** Full ref on upstream: `refs/tags/v1` or `refs/heads/main`. */
  ref: string;
  /** Pins a pushed commit. */
  sha?: string;
}

/** All that is needed to make the same commits again on any machine from the remotes alone. Shas are full. */
export interface Recipe {
  upstream: Remote;
  fork: Remote;
  target: Target;
  patchBranch: string;
  /** The commit to carry onto. */
  release: string;
  /** The newest patch of the stack. */
  tip: string;
  /** The upstream commit under the stack. */
  base: string;
  decisions: Decision[];
}

/** Where a carry stopped. Without a patch the build failed, and progress is the carried tip. */
export interface Stopped {
  progress: string;
  conflict?: string;
  patch?: string;
}

export function isCommitId(text: string): boolean {
  return /^([0-9a-f]{40}|[0-9a-f]{64})$/.test(text);
}

/** Recipes come back from storage: what is in them must not be able to become anything but a name or an id. */
export function checkRecipe(recipe: Recipe): void {
  checkRef(recipe.target.ref);
  checkRef(`refs/heads/${recipe.target.name}`);
  checkRef(`refs/heads/${recipe.patchBranch}`);
  const commits = recipe.decisions.flatMap((decision) => [
    decision.kind === "fix" ? decision.onto : decision.patch,
    ...(decision.kind === "skip" ? [] : [decision.commit]),
  ]);
  for (const id of [recipe.release, recipe.tip, recipe.base, ...commits]) checkCommitId(id);
}

export function checkCommitId(id: string): void {
  if (!isCommitId(id)) throw new Error(`"${id}" is not a full commit id`);
}
