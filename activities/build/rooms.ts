/** The directories that builds run in: each for one build, deleted after it, or by the next worker if ours did not live to. */

import { randomUUID } from "node:crypto";
import { chmod, mkdir, opendir, readdir, realpath, rm, stat } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";

/** A room of another machine, or of a process whose pid somebody else has now, is left over after this; no build may take longer. */
const LONGEST_BUILD_MS = 25 * 60 * 60 * 1000;
const NAME = /^build-(.+)-(\d+)-[0-9a-f]{8}-[0-9a-f-]{27}$/;

/** Rooms of this process that are in use. collectBuilds() leaves them alone. */
const liveRooms = new Set<string>();

/** Gives `work` a fresh, empty directory in `directory`, without links in its path. */
export async function withRoom<T>(directory: string, work: (room: string) => Promise<T>): Promise<T> {
  await mkdir(directory, { recursive: true });
  // The name says whose it is, so that another process can tell a leftover.
  const room = join(await realpath(directory), `build-${host()}-${process.pid}-${randomUUID()}`);
  liveRooms.add(room);
  try {
    await mkdir(room);
    return await work(room);
  } finally {
    await remove(room);
    liveRooms.delete(room);
  }
}

/** Deletes what builds of dead processes left in `directory`. */
export async function collectBuilds(directory: string): Promise<void> {
  const real = await realpath(directory).catch(() => directory);
  for (const name of await readdir(real).catch(() => [])) {
    const room = join(real, name);
    if (!liveRooms.has(room) && (await isLeftover(room, name))) await remove(room);
  }
}

async function isLeftover(room: string, name: string): Promise<boolean> {
  const [, of, pid] = NAME.exec(name) ?? [];
  if (of === host() && (Number(pid) === process.pid || !isAlive(Number(pid)))) return true;
  if (!name.startsWith("build-")) return false;
  const made = await stat(room).then(
    ({ mtimeMs }) => mtimeMs,
    () => Date.now(),
  );
  return Date.now() - made > LONGEST_BUILD_MS;
}

/** Never fails: what cannot be deleted (it may be another user's) must stop neither a build that is done nor a worker's start. */
async function remove(room: string): Promise<void> {
  const options = { recursive: true, force: true, maxRetries: 3 };
  try {
    await rm(room, options);
  } catch {
    // Builds make directories read-only, as Go does its module cache.
    await makeWritable(room).catch(() => {});
    await rm(room, options).catch(() => {});
  }
}

async function makeWritable(directory: string): Promise<void> {
  await chmod(directory, 0o700);
  for await (const entry of await opendir(directory)) {
    if (entry.isDirectory()) await makeWritable(join(directory, entry.name));
  }
}

function host(): string {
  return hostname().replace(/[^A-Za-z0-9.]/g, "_");
}

/** One of another user counts as alive. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
