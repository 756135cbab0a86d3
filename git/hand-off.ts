/** Hands a stopped carry to a person through refs of the fork, and cleans up when that is over. */

import { Blocked, orBlocked } from "./blocked.ts";
import { carryStack } from "./carry.ts";
import type { Engine } from "./engine.ts";
import { GitFailure } from "./failure.ts";
import { fetchInputs, withRelease } from "./inputs.ts";
import type { Remote } from "./options.ts";
import { type Move, type Push, type PushedRef, push, pushTwice } from "./push.ts";
import type { Recipe, Stopped } from "./recipe.ts";
import { handOffRefs } from "./ref-names.ts";
import { readRemoteRefs } from "./remote-refs.ts";
import { RunRepository } from "./run-repository.ts";

export async function pushHandOff(
  engine: Engine,
  recipe: Recipe,
  stopped: Stopped,
  signal?: AbortSignal,
): Promise<Push> {
  return orBlocked(() =>
    withRelease(engine, recipe, signal, async (run) => {
      await fetchInputs(run, recipe);
      await makeStop(run, recipe, stopped);
      return pushTwice(() => handOff(run, recipe, stopped));
    }),
  );
}

/** Makes the commits of the stop again, which no repository had to keep. */
async function makeStop(run: RunRepository, recipe: Recipe, { progress, conflict }: Stopped): Promise<void> {
  const again = await carryStack(run, recipe);
  const same = again.kind === "carried" ? again.tip === progress && !conflict : again.progress === progress;
  if (!same || (again.kind === "conflict" && conflict && again.conflict !== conflict)) {
    throw new Blocked(
      "the carry does not stop where it stopped before: its decisions are of another attempt; retry starts afresh",
    );
  }
}

async function handOff(run: RunRepository, recipe: Recipe, { progress, conflict }: Stopped) {
  const names = handOffRefs(recipe.target.name);
  const seen = await readRemoteRefs(
    run.engine,
    recipe.fork,
    [names.progress, names.conflict, names.resolution],
    run.signal,
  );
  await run.fetch(recipe.fork, [...seen.keys()]);
  const at = (ref: string) => seen.get(ref)?.sha;
  const moves: Move[] = [{ ref: names.progress, from: at(names.progress), to: progress }];
  const refs: PushedRef[] = [{ kind: "progress", ref: names.progress, sha: progress }];
  if (conflict) {
    // A person may have begun to fix it after an earlier push of the same stop: their commits stay.
    const edited = await isEdited(run, at(names.conflict), progress);
    if (!edited) moves.push({ ref: names.conflict, from: at(names.conflict), to: conflict });
    refs.push({ kind: "conflict", ref: names.conflict, sha: edited ?? conflict });
  }
  const resolution = at(names.resolution);
  if (resolution && (await run.isAncestor(resolution, progress)))
    moves.push({ ref: names.resolution, from: resolution });
  return { refs, moved: await push(run, recipe.fork, moves) };
}

async function isEdited(run: RunRepository, sha: string | undefined, progress: string): Promise<string | undefined> {
  return sha && sha !== progress && (await run.isAncestor(progress, sha)) ? sha : undefined;
}

/** Deletes hand-off refs of this name: the places, and the accepted commits of `decisions`. What is pushed to them meanwhile is read once more and deleted too. */
export async function clearHandOff(
  engine: Engine,
  fork: Remote,
  name: string,
  { places, decisions }: { places: boolean; decisions: string[] },
  signal?: AbortSignal,
): Promise<void> {
  const names = handOffRefs(name);
  const own = [...(places ? [names.progress, names.conflict, names.resolution] : []), ...decisions.map(names.accepted)];
  const attempt = async (run: RunRepository) => {
    const seen = await readRemoteRefs(engine, fork, own, signal);
    const deletions = [...seen].map(([ref, { sha }]) => ({ ref, from: sha }));
    return { refs: [], moved: await push(run, fork, deletions) };
  };
  const result = await orBlocked(() => RunRepository.with(engine, [], signal, (run) => pushTwice(() => attempt(run))));
  if (result.kind === "blocked") throw new GitFailure("refused", result.reason);
}
