/** Shows what a fork remembers, and forgets it. */

import { Blocked } from "../blocked.ts";
import type { Remote } from "../options.ts";
import type { Engine } from "../process/engine.ts";
import { GitFailure } from "../process/failure.ts";
import { push, pushTwice } from "../publish/push.ts";
import { readRemoteRefs } from "../repository/remote-refs.ts";
import { RunRepository } from "../repository/run-repository.ts";
import { originOf } from "./entry.ts";
import { fetchEntries, isMemoryKey, memoryRef, memoryRefs } from "./refs.ts";

export interface MemoryEntry {
  key: string;
  patch: string;
  subject: string;
  files: string[];
  release: string;
  by: string;
  /** What the person made of the patch. */
  commit: string;
  /** ISO 8601, UTC: the time of that commit. */
  createdAt: string;
}

/** Of more than these, those with the lowest keys are read. */
const MOST_LISTED = 1_000;

/**
 * Newest first, at most 1,000. An entry that is not understood (somebody else wrote it) is listed with a subject that says so,
 * so that it can be forgotten; it is never used.
 */
export async function listMemory(engine: Engine, fork: Remote, signal?: AbortSignal): Promise<MemoryEntry[]> {
  const all = await memoryRefs(engine, fork, signal);
  const keys = [...all.keys()].sort().slice(0, MOST_LISTED);
  const refs = new Map(keys.map((key) => [key, all.get(key) as string]));
  const commits = await RunRepository.with(engine, [], signal, (run) => fetchEntries(run, fork, refs));
  const entries = [...refs].map(([key, id]): MemoryEntry => {
    const commit = commits.get(key);
    const origin = commit && originOf(commit);
    return origin ? { key, ...origin } : notUnderstood(key, id);
  });
  return entries.sort((one, other) => other.createdAt.localeCompare(one.createdAt) || (one.key < other.key ? -1 : 1));
}

function notUnderstood(key: string, commit: string): MemoryEntry {
  const subject = "an entry that is not understood and never used: forget it";
  const createdAt = new Date(0).toISOString();
  return { key, patch: "", subject, files: [], release: "", by: "", commit, createdAt };
}

/** False when there is none. Throws GitFailure (`refused`) when the fork does not let it go. */
export async function forgetMemory(engine: Engine, fork: Remote, key: string, signal?: AbortSignal): Promise<boolean> {
  if (!isMemoryKey(key)) return false;
  const ref = memoryRef(key);
  let isThere = false;
  const attempt = async (run: RunRepository) => {
    const seen = (await readRemoteRefs(engine, fork, [ref], signal)).get(ref);
    isThere ||= seen !== undefined;
    return { refs: [], moved: seen ? await push(run, fork, [{ ref, from: seen.sha }]) : [] };
  };
  try {
    await RunRepository.with(engine, [], signal, (run) => pushTwice(() => attempt(run)));
  } catch (error) {
    throw error instanceof Blocked ? new GitFailure("refused", error.message) : error;
  }
  return isThere;
}
