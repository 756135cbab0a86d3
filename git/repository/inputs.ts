/** Gathers what a recipe names, from the remotes alone, into a thin repository. */

import { Blocked, short } from "../blocked.ts";
import { fetchPushed } from "../hand-off/pushed.ts";
import type { Engine } from "../process/engine.ts";
import { GitFailure } from "../process/failure.ts";
import { publicUrl } from "../process/scrub.ts";
import { checkRecipe, type Recipe } from "../recipe.ts";
import { dropKept, keptObjects, madeBy } from "./kept.ts";
import { Mirror } from "./mirror.ts";
import { asBranch, handOffRefs } from "./ref-names.ts";
import { listRefs } from "./remote-refs.ts";
import { RunRepository } from "./run-repository.ts";

/**
 * A thin repository that has the recipe's release, and what earlier steps kept of its stack and of `made`, a commit that
 * they carried. Throws Blocked when upstream has the release no more.
 */
export async function withRelease<T>(
  engine: Engine,
  recipe: Recipe,
  signal: AbortSignal | undefined,
  work: (run: RunRepository) => Promise<T>,
  made?: string,
): Promise<T> {
  checkRecipe(recipe);
  const mirror = new Mirror(engine, recipe.upstream);
  if (!(await mirror.ensure(recipe.release, signal))) {
    throw new Blocked(
      `${publicUrl(recipe.upstream.url)} does not have ${short(recipe.release)} (${recipe.target.name}) any more: the release was moved or taken back; retry takes it afresh`,
    );
  }
  const kept = await keptObjects(engine.options.directory, [recipe.tip, ...(made ? [madeBy(recipe, made)] : [])]);
  try {
    return await RunRepository.with(engine, [mirror.objects, ...kept], signal, work);
  } catch (error) {
    if (kept.length === 0 || !(error instanceof GitFailure) || error.kind !== "other") throw error;
    await dropKept(kept);
    return RunRepository.with(engine, [mirror.objects], signal, work);
  }
}

/** Brings the stack and the commits of decisions here. Throws Blocked when the stack is not to be had any more. */
export async function fetchInputs(run: RunRepository, recipe: Recipe): Promise<void> {
  const branch = asBranch(recipe.patchBranch);
  const handOff = handOffRefs(recipe.target.name);
  const decided = recipe.decisions.flatMap((decision) => (decision.kind === "skip" ? [] : [decision.commit]));
  const present = await run.types([recipe.tip, recipe.base, ...decided]);
  if ([...present.values()].every((type) => type === "commit")) return;
  const refs = await listRefs(run.engine, recipe.fork, [branch, ...decided.map(handOff.accepted)], run.signal);
  await run.fetch(recipe.fork, [...refs.keys()]);
  if (decided.some((id) => !refs.has(handOff.accepted(id)))) {
    // What keeps it was deleted. It may still be where it was pushed, among what else people push there.
    await fetchPushed(run, recipe.fork, [handOff.progress, handOff.resolution, handOff.conflict]);
  }
  const types = await run.types([recipe.tip, ...decided]);
  for (const id of [recipe.tip, ...decided]) {
    // A decision that cannot be had is told of where it is needed, with the patch that needs it.
    if (!types.get(id) && !(await run.fetchCommit(recipe.fork, id)) && id === recipe.tip) throw goneTip(recipe, refs);
  }
  if (!(await run.hasCommit(recipe.base))) {
    throw new Blocked(
      `the commit ${short(recipe.base)} under the stack is not to be had any more; retry starts afresh`,
    );
  }
}

function goneTip(recipe: Recipe, refs: Map<string, string>): Blocked {
  const now = refs.get(asBranch(recipe.patchBranch));
  const what = now ? `was moved from ${short(recipe.tip)} to ${short(now)}` : "was deleted";
  return new Blocked(
    `${recipe.patchBranch} of ${publicUrl(recipe.fork.url)} ${what}, and ${short(recipe.tip)} is not to be had any more; retry takes the branch afresh`,
  );
}
