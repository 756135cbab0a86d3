/** Deletes what crashed processes left behind, and what nobody asked for in a long time. */

import { readdir, rm, stat } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import type { Engine } from "../process/engine.ts";
import { isAlive } from "../process/processes.ts";
import { collectKept } from "./kept.ts";
import { tidyMirrors } from "./mirror.ts";
import { liveRuns, runsDirectory } from "./run-repository.ts";

/** A run of another machine, or of a process whose pid somebody else has now, is dead after this long. */
const LONGEST_RUN_MS = 24 * 60 * 60 * 1000;

export async function collect(engine: Engine): Promise<void> {
  const { directory } = engine.options;
  await collectKept(directory);
  await tidyMirrors(engine);
  const runs = runsDirectory(directory);
  const names = await readdir(runs).catch(() => []);
  for (const name of names) {
    const path = join(runs, name);
    if (!liveRuns.has(path) && (await isLeftover(path, name))) {
      await rm(path, { recursive: true, force: true, maxRetries: 3 });
    }
  }
}

async function isLeftover(path: string, name: string): Promise<boolean> {
  const [, host, pid] = /^(.+)-(\d+)-[0-9a-f]{8}-[0-9a-f-]{27}$/.exec(name) ?? [];
  const here = host === hostname().replace(/[^A-Za-z0-9.]/g, "_");
  if (here && (Number(pid) === process.pid || !isAlive(Number(pid)))) return true;
  const modified = await stat(path).then(
    ({ mtimeMs }) => mtimeMs,
    () => 0,
  );
  return Date.now() - modified > LONGEST_RUN_MS;
}
