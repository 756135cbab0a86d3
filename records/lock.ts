import { randomUUID } from "node:crypto";
import { open, readFile, rename, rm, stat } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";

/** Far longer than any holder needs (some milliseconds): an older lock was left by a process that died holding it. */
const STALE_MS = 10_000;
const GIVE_UP_MS = 30_000;

export interface HeldLock {
  /** False when another process took the lock over because this one slept too long: write nothing then. */
  isStillHeld(): Promise<boolean>;
}

/**
 * Runs `work` while no other process that uses the same lock file does. Process ids are no use to tell a dead holder
 * (containers that share a directory do not share them), so age is what counts.
 */
export async function withFileLock<T>(path: string, work: (lock: HeldLock) => Promise<T>): Promise<T> {
  const token = randomUUID();
  await take(path, token);
  const isStillHeld = async () => (await tokenIn(path)) === token;
  try {
    return await work({ isStillHeld });
  } finally {
    if (await isStillHeld()) await rm(path, { force: true });
  }
}

async function take(path: string, token: string): Promise<void> {
  const deadline = Date.now() + GIVE_UP_MS;
  for (;;) {
    if (await tryToTake(path, token)) return;
    await removeIfStale(path);
    if (Date.now() > deadline) {
      throw new Error(`${path} is held by another process for over ${GIVE_UP_MS / 1000} s. Is one stuck, or stopped?`);
    }
    await sleep(5 + Math.random() * 20);
  }
}

async function tryToTake(path: string, token: string): Promise<boolean> {
  try {
    const file = await open(path, "wx");
    try {
      await file.writeFile(token);
    } finally {
      await file.close();
    }
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

/** Of several that notice a stale lock, the rename lets one win; what it moved away must be what it saw. */
async function removeIfStale(path: string): Promise<void> {
  const found = await stat(path).catch(absent);
  if (!found || Date.now() - found.mtimeMs < STALE_MS) return;
  const aside = `${path}.${randomUUID()}`;
  const moved = await rename(path, aside).then(() => stat(aside), absent);
  if (!moved) return;
  if (moved.ino === found.ino && moved.mtimeMs === found.mtimeMs) await rm(aside, { force: true });
  else await rename(aside, path);
}

async function tokenIn(path: string): Promise<string | undefined> {
  return await readFile(path, "utf8").catch(absent);
}

function absent(error: NodeJS.ErrnoException): undefined {
  if (error.code !== "ENOENT") throw error;
}
