/** The engine's doors. */

import { resolve } from "node:path";
import { Blocked, orBlocked } from "./blocked.ts";
import { type Carried, carry, type OnProgress } from "./carry/carry.ts";
import { clearHandOff, pushHandOff } from "./hand-off/hand-off.ts";
import { type Resolution, readResolution } from "./hand-off/resolution.ts";
import { forgetMemory, listMemory, type MemoryEntry } from "./memory/memory.ts";
import type { GitOptions, Remote } from "./options.ts";
import { type Plan, type PlanInput, plan } from "./plan.ts";
import { Engine } from "./process/engine.ts";
import { GitFailure } from "./process/failure.ts";
import { type CandidateInput, pushCandidate } from "./publish/candidate.ts";
import { exportTree } from "./publish/export.ts";
import { type PromoteInput, promote } from "./publish/promote.ts";
import type { Push } from "./publish/push.ts";
import type { Recipe, Stopped } from "./recipe.ts";
import { collect } from "./repository/collect.ts";
import { fetchInputs, withRelease } from "./repository/inputs.ts";
import { listRefs } from "./repository/remote-refs.ts";

export interface CarryOptions {
  signal?: AbortSignal;
  /** Called before patch k of n (from 1). */
  onProgress?: OnProgress;
}

/**
 * Everything may be done twice without harm, on any machine: no directory has to outlive a call. Throws GitFailure for a
 * remote that cannot be talked to, RefusedRemote for one that must not be.
 */
export interface Git {
  /** Such as "2.39.5". Throws GitFailure when git is missing or older than MINIMUM_GIT. */
  version(): Promise<string>;
  /** Full ref to commit. Patterns are full refs or globs of them (`*` also stands for slashes); tags are peeled. */
  listRefs(remote: Remote, patterns: string[], signal?: AbortSignal): Promise<Map<string, string>>;
  plan(input: PlanInput, signal?: AbortSignal): Promise<Plan>;
  carry(recipe: Recipe, options?: CarryOptions): Promise<Carried>;
  /** Also keeps what it accepts on the fork, under refs/patchmoi/decisions/<name>/, until clearHandOff is given it. */
  readResolution(recipe: Recipe, stopped: Stopped, signal?: AbortSignal): Promise<Resolution>;
  pushHandOff(recipe: Recipe, stopped: Stopped, signal?: AbortSignal): Promise<Push>;
  clearHandOff(
    fork: Remote,
    name: string,
    options: { places: boolean; decisions: string[] },
    signal?: AbortSignal,
  ): Promise<void>;
  pushCandidate(recipe: Recipe, input: CandidateInput, signal?: AbortSignal): Promise<Push>;
  promote(recipe: Recipe, input: PromoteInput, signal?: AbortSignal): Promise<Push>;
  /** Into a directory that is absent or empty. Throws GitFailure (`refused`) when the recipe does not carry to `tip` any more. */
  exportTree(recipe: Recipe, tip: string, directory: string, signal?: AbortSignal): Promise<void>;
  /** Resolutions that the fork remembers, newest first. */
  listResolutions(fork: Remote, signal?: AbortSignal): Promise<MemoryEntry[]>;
  /** False when there is none of that key. */
  forgetResolution(fork: Remote, key: string, signal?: AbortSignal): Promise<boolean>;
  /** Deletes leftovers of runs whose process is gone, and keeps the disk bounded. To be called now and then, beside the work. */
  collect(): Promise<void>;
}

export function openGit(options: GitOptions): Git {
  const directory = resolve(options.directory);
  const engine = new Engine({ ...options, directory });
  return {
    version: () => engine.version(),
    listRefs: (remote, patterns, signal) => listRefs(engine, remote, patterns, signal),
    plan: (input, signal) => plan(engine, input, signal),
    carry: (recipe, { signal, onProgress } = {}) =>
      orBlocked(() =>
        withRelease(engine, recipe, signal, async (run) => {
          await fetchInputs(run, recipe);
          return carry(run, recipe, onProgress);
        }),
      ),
    readResolution: (recipe, stopped, signal) => readResolution(engine, recipe, stopped, signal),
    pushHandOff: (recipe, stopped, signal) => pushHandOff(engine, recipe, stopped, signal),
    clearHandOff: (fork, name, options, signal) => clearHandOff(engine, fork, name, options, signal),
    pushCandidate: (recipe, input, signal) => pushCandidate(engine, recipe, input, signal),
    promote: (recipe, input, signal) => promote(engine, recipe, input, signal),
    exportTree: (recipe, tip, to, signal) => orRefused(() => exportTree(engine, recipe, tip, to, signal)),
    listResolutions: (fork, signal) => listMemory(engine, fork, signal),
    forgetResolution: (fork, key, signal) => forgetMemory(engine, fork, key, signal),
    collect: () => collect(engine),
  };
}

/** For doors that have no outcome to say it with. */
async function orRefused<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw error instanceof Blocked ? new GitFailure("refused", error.message) : error;
  }
}
