/** One writer at a time for a directory, over all processes that share it. A dead holder stops nobody. */

import { randomUUID } from "node:crypto";
import { link, mkdir, open, rename, rm, utimes, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { GitFailure } from "../process/failure.ts";
import { endMarked, INCARNATION, isAlive, OWNER_MARK } from "../process/processes.ts";

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
    const holder = holderIn((await look(path))?.text);
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
    const seen = await look(path);
    if (seen && isStale(seen)) await takeAway(path, seen, signal);
    else await sleep(POLL_MS);
  }
}

/** A lock file at one moment. Any difference later means that its holder lives, or that it is another's. */
interface Sighting {
  text: string;
  ino: number;
  mtimeMs: number;
}

async function look(path: string): Promise<Sighting | undefined> {
  const file = await open(path).catch(absent);
  if (!file) return undefined;
  try {
    const { ino, mtimeMs } = await file.stat();
    return { text: await file.readFile("utf8"), ino, mtimeMs };
  } finally {
    await file.close();
  }
}

function isSame(one: Sighting | undefined, other: Sighting): boolean {
  return one?.text === other.text && one.ino === other.ino && one.mtimeMs === other.mtimeMs;
}

function isStale({ text, mtimeMs }: Sighting): boolean {
  if (Date.now() - mtimeMs > SILENCE_MS) return true;
  const holder = holderIn(text);
  if (holder?.host !== ME.host) return false;
  return holder.pid === ME.pid ? holder.incarnation !== ME.incarnation : !isAlive(holder.pid);
}

/**
 * Removes the lock that was judged, and never one that somebody took meanwhile. Takers go one after another, by a lock
 * of the same kind: without it, a rename could take away what the taker before has just created.
 */
async function takeAway(path: string, seen: Sighting, signal: AbortSignal | undefined): Promise<void> {
  await holding(`${path}.taking`, signal, async () => {
    if (!isSame(await look(path), seen)) return;
    // The git that a killed holder started may still write: it ends before anybody else may begin.
    const dead = holderIn(seen.text);
    if (dead?.host === ME.host && dead.incarnation && dead.incarnation !== ME.incarnation) {
      await endMarked(OWNER_MARK, dead.incarnation);
    }
    await removeExactly(path, seen);
  });
}

/** A holder that was silent for long may wake and beat, or let go, at any moment: what was moved is looked at again. */
async function removeExactly(path: string, seen: Sighting): Promise<void> {
  const aside = `${path}.${randomUUID()}`;
  const moved = await rename(path, aside).then(() => look(aside), absent);
  if (moved && !isSame(moved, seen)) await link(aside, path).catch(() => undefined);
  await rm(aside, { force: true });
}

/** Undefined for a file that its holder has not finished writing. */
function holderIn(text: string | undefined): Holder | undefined {
  try {
    return JSON.parse(text ?? "") as Holder;
  } catch {
    return undefined;
  }
}

function absent(error: NodeJS.ErrnoException): undefined {
  if (error.code !== "ENOENT") throw error;
}
