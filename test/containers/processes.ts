/** Processes of patch.moi as the containers run them: compiled entries against a Temporal that they did not start. */

import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { createWriteStream, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

export interface Started {
  log(): string;
  /** SIGTERM, as `docker stop` does; answers the exit code. */
  stop(): Promise<number | null>;
  /** SIGKILL, as a machine that is gone. */
  kill(): Promise<void>;
}

/** Starts `dist/<entry>` with nothing of our environment but PATH. */
export function startProcess(entry: string, directory: string, env: Record<string, string>): Started {
  const path = join(directory, `${entry.replaceAll("/", "-")}.log`);
  const log = createWriteStream(path, { flags: "a" });
  const child = spawn(process.execPath, [join(ROOT, "dist", entry)], {
    cwd: directory,
    env: { PATH: process.env.PATH as string, HOME: directory, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  child.stdout.pipe(log, { end: false });
  child.stderr.pipe(log, { end: false });
  const end = async (signal: NodeJS.Signals) => {
    if (hasEnded(child)) return;
    const gone = once(child, "exit");
    child.kill(signal);
    await gone;
  };
  return {
    log: () => readFileSync(path, "utf8"),
    stop: async () => {
      await end("SIGTERM");
      return child.exitCode;
    },
    kill: () => end("SIGKILL"),
  };
}

const hasEnded = (child: ChildProcess) => child.exitCode !== null || child.signalCode !== null;

/** What the worker's container is asked by its healthcheck. */
export function workerHealth(env: Record<string, string>): { status: number | null; stderr: string } {
  const script = join(ROOT, "docker/worker-health.mjs");
  const options = { env: { PATH: process.env.PATH as string, ...env }, encoding: "utf8", timeout: 30_000 } as const;
  return spawnSync(process.execPath, [script], options);
}

/** Tries until `look` answers something. */
export async function until<T>(what: string, look: () => Promise<T | undefined>, seconds = 60): Promise<T> {
  for (const deadline = Date.now() + seconds * 1000; Date.now() < deadline; ) {
    const found = await look().catch(() => undefined);
    if (found !== undefined) return found;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`${what}: not within ${seconds} s`);
}
