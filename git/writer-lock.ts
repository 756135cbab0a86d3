/** One writer at a time for a directory, over all processes that share it. A dead holder stops nobody. */

import { randomUUID } from "node:crypto";
import { mkdir, readFile, rename, rm, stat, utimes, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { GitFailure } from "./failure.ts";
import { endMarked, INCARNATION, isAlive, OWNER_MARK } from "./processes.ts";

interface Holder {
  pid: number;
  host: string;
  /** Tells this process from an earlier one with the same pid, as containers have them. */
  incarnation: string;
}

const ME: Holder = { pid: process.pid, host: hostname(), incarnation: INCARNATION };
const BEAT_MS = 5_000;
/** A holder whose heart has not beaten for so long is dead, or on a machine that is. */
const SILENCE_MS = 30_000;
const POLL_MS = 100;

/** Waiters of this process queue here, so that only one of them polls the file. */
const queues = new Map<string, Promise<unknown>>();

export async function withWriterLock<T>(path: string, signal: AbortSignal | undefined, work: () => Promise<T>) {
  const before = queues.get(path) ?? Promise.resolve();
  const mine = Promise.race([before, untilAborted(signal)]).then(() => holding(path, signal, work));
  const settled = mine.catch(() => undefined);
  queues.set(path, settled);
  try {
    return await mine;
  } finally {
    if (queues.get(path) === settled) queues.delete(path);
  }
}

/** Lets a cancelled waiter go on to the file, where it sees that it is cancelled. */
function untilAborted(signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) resolve();
    signal?.addEventListener("abort", () => resolve(), { once: true });
  });
}

async function holding<T>(path: string, signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
  await acquire(path, signal);
  const beat = setInterval(() => {
    const now = new Date();
    // A lost lock file shows in the next acquire; a failing heartbeat must not end the work.
    utimes(path, now, now).catch(() => undefined);
  }, BEAT_MS).unref();
  try {
    return await work();
  } finally {
    clearInterval(beat);
    const holder = await readHolder(path);
    if (holder?.incarnation === ME.incarnation) await rm(path, { force: true });
  }
}

async function acquire(path: string, signal: AbortSignal | undefined): Promise<void> {
  for (;;) {
    if (signal?.aborted) throw new GitFailure("cancelled", "waiting for the mirror was cancelled");
    try {
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, JSON.stringify(ME), { flag: "wx" });
      return;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      // ENOENT: the directory was deleted under us; the next round makes it again.
      if (code !== "EEXIST" && code !== "ENOENT") throw error;
    }
    if (await isStale(path)) await takeAway(path);
    else await sleep(POLL_MS);
  }
}

async function isStale(path: string): Promise<boolean> {
  const age = await stat(path).then(
    ({ mtimeMs }) => Date.now() - mtimeMs,
    () => 0,
  );
  if (age > SILENCE_MS) return true;
  const holder = await readHolder(path);
  if (holder?.host !== ME.host) return false;
  return holder.pid === ME.pid ? holder.incarnation !== ME.incarnation : !isAlive(holder.pid);
}

/** Renamed before it is deleted: of two takers, one gets the file and the other finds nothing. */
async function takeAway(path: string): Promise<void> {
  const aside = `${path}.${randomUUID()}`;
  try {
    await rename(path, aside);
    // The git that a killed holder started may still write.
    const dead = await readHolder(aside);
    if (dead?.host === ME.host && dead.incarnation) await endMarked(OWNER_MARK, dead.incarnation);
    await rm(aside, { force: true });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
}

/** Undefined for a file that is gone, or that its holder has not finished writing. */
async function readHolder(path: string): Promise<Holder | undefined> {
  try {
    return JSON.parse(await readFile(path, "utf8")) as Holder;
  } catch {
    return undefined;
  }
}
