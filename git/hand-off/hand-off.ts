/** Hands a stopped carry to a person through refs of the fork, and cleans up when that is over. */

import { orBlocked } from "../blocked.ts";
import type { Remote } from "../options.ts";
import type { Engine } from "../process/engine.ts";
import { GitFailure } from "../process/failure.ts";
import { type Move, type Push, type PushedRef, push, pushTwice } from "../publish/push.ts";
import type { Recipe, Stopped } from "../recipe.ts";
import { COMMITTER } from "../repository/commit-object.ts";
import { fetchInputs, withRelease } from "../repository/inputs.ts";
import { handOffRefs } from "../repository/ref-names.ts";
import { readRemoteRefs } from "../repository/remote-refs.ts";
import { RunRepository } from "../repository/run-repository.ts";
import { accountFor } from "./accounts.ts";
import { commitsOnTop } from "./on-top.ts";
import { fetchPushed, type Pushed } from "./pushed.ts";
import { type ConflictAgain, type StopAgain, stopAgain } from "./stop.ts";

export async function pushHandOff(
  engine: Engine,
  recipe: Recipe,
  stopped: Stopped,
  signal?: AbortSignal,
): Promise<Push> {
  return orBlocked(() =>
    withRelease(engine, recipe, signal, async (run) => {
      await fetchInputs(run, recipe);
      const stop = await stopAgain(run, recipe, stopped);
      return pushTwice(() => handOff(run, recipe, stop));
    }),
  );
}

/** A person may have begun after an earlier push of the same stop: what is theirs stays where it is. */
async function handOff(run: RunRepository, recipe: Recipe, { progress, conflict }: StopAgain) {
  const names = handOffRefs(recipe.target.name);
  const seen = await fetchPushed(run, recipe.fork, [names.progress, names.conflict, names.resolution]);
  const moves: Move[] = [];
  const refs: PushedRef[] = [];
  const put = (kind: "progress" | "conflict", at: Pushed | undefined, to: string, isTheirs: boolean) => {
    const from = at && "sha" in at ? at.sha : undefined;
    const stays = isTheirs || (at && "flaw" in at);
    if (!stays) moves.push({ ref: names[kind], from, to });
    refs.push({ kind, ref: names[kind], sha: stays && from ? from : to });
  };
  const [onProgress, onConflict] = [seen.get(names.progress), seen.get(names.conflict)];
  put("progress", onProgress, progress, await isTheirs(run, onProgress, progress, conflict));
  if (conflict) put("conflict", onConflict, conflict.commit, await isWorkOn(run, onConflict, progress, conflict));
  const resolution = seen.get(names.resolution);
  if (resolution && "sha" in resolution && (await isOver(run, recipe, resolution.sha, progress))) {
    moves.push({ ref: names.resolution, from: resolution.sha });
  }
  return { refs, moved: await push(run, recipe.fork, moves) };
}

async function isOnTop(run: RunRepository, at: Pushed | undefined, progress: string): Promise<boolean> {
  return at !== undefined && "sha" in at && at.sha !== progress && (await run.isAncestor(progress, at.sha));
}

/** Whether a resolution is of an earlier stop: it is in the progress, or was taken before and does not count any more. */
async function isOver(run: RunRepository, recipe: Recipe, resolution: string, progress: string): Promise<boolean> {
  if (await run.isAncestor(resolution, progress)) return true;
  const accepted = handOffRefs(recipe.target.name).accepted(resolution);
  return (await readRemoteRefs(run.engine, recipe.fork, [accepted], run.signal)).has(accepted);
}

/** Whether people began there. What was carried further before, and does not count any more, is ours. */
async function isTheirs(
  run: RunRepository,
  at: Pushed | undefined,
  progress: string,
  conflict?: ConflictAgain,
): Promise<boolean> {
  if (!at || !("sha" in at) || !(await isOnTop(run, at, progress))) return false;
  const commits = await commitsOnTop(run, [progress, ...(conflict ? [conflict.commit] : [])], at.sha);
  return !commits.some(({ committer }) => committer.startsWith(COMMITTER));
}

/** Whether it is the work of a person on this very conflict: after a patch was skipped, another one stops at the same progress. */
async function isWorkOn(
  run: RunRepository,
  at: Pushed | undefined,
  progress: string,
  { commit, others, patch, stack }: ConflictAgain,
): Promise<boolean> {
  if (!at || !("sha" in at) || !(await isOnTop(run, at, progress))) return false;
  const commits = await commitsOnTop(run, [progress, ...others], at.sha);
  if (commits.some(({ id }) => id === commit) || accountFor(commits, [], patch).size > 0) return true;
  return !commits.some(({ committer }) => committer.startsWith(COMMITTER)) && accountFor(commits, stack).size === 0;
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
