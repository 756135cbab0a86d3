/** The refs of the fork that hold remembered resolutions: one an entry. What is in them may be anybody's. */

import type { Remote } from "../options.ts";
import type { Engine } from "../process/engine.ts";
import { GitFailure } from "../process/failure.ts";
import { type Commit, readCommits } from "../repository/commit-object.ts";
import { readRemoteRefs } from "../repository/remote-refs.ts";
import type { RunRepository } from "../repository/run-repository.ts";

/** The ref of the resolution of one conflict. */
export function memoryRef(key: string): string {
  return `refs/patchmoi/resolutions/${key}`;
}

/** More is no message of ours. */
const MOST_COMMIT_BYTES = 256 * 1024;

export function isMemoryKey(text: string): boolean {
  return /^[0-9a-f]{40}$/.test(text);
}

/** Keys to what their refs hold. */
export async function memoryRefs(engine: Engine, fork: Remote, signal?: AbortSignal): Promise<Map<string, string>> {
  const refs = await readRemoteRefs(engine, fork, [memoryRef("*")], signal);
  const entries = [...refs].map(([ref, { sha }]): [string, string] => [ref.slice(memoryRef("").length), sha]);
  return new Map(entries.filter(([key]) => isMemoryKey(key)));
}

/**
 * Brings entries here, by key and what its ref was seen to hold; without those that moved meanwhile, that git does not accept, or
 * that are no commits of a sane size.
 */
export async function fetchEntries(
  run: RunRepository,
  fork: Remote,
  refs: Map<string, string>,
): Promise<Map<string, Commit>> {
  await fetchSound(run, fork, [...refs.keys()].map(memoryRef));
  const format = "--format=%(objecttype) %(objectsize) %(objectname) %(refname:lstrip=-1)";
  const listing = await run.text(["for-each-ref", format, "refs/remote/patchmoi/resolutions/"]);
  const sound = listing.split("\n").flatMap((line): [string, string][] => {
    const [type, size, id = "", key = ""] = line.split(" ");
    return type === "commit" && Number(size) <= MOST_COMMIT_BYTES && refs.get(key) === id ? [[key, id]] : [];
  });
  const commits = await readCommits(
    run,
    sound.map(([, id]) => id),
  );
  return new Map(sound.map(([key], index) => [key, commits[index] as Commit]));
}

/** One entry that git does not accept fails a whole fetch: halving finds it, and brings the others here. */
async function fetchSound(run: RunRepository, fork: Remote, refs: string[]): Promise<void> {
  try {
    await run.fetch(fork, refs);
  } catch (error) {
    if (!(error instanceof GitFailure) || !["not-found", "refused", "other"].includes(error.kind)) throw error;
    const half = Math.ceil(refs.length / 2);
    for (const part of refs.length > 1 ? [refs.slice(0, half), refs.slice(half)] : [])
      await fetchSound(run, fork, part);
  }
}
