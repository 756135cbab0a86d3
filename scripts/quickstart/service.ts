import { type ChildProcess, spawn } from "node:child_process";
import { createWriteStream } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import type { z } from "zod";
import type { feedSourcesFile } from "../../domain/config.ts";
import { Client } from "./client.ts";
import { freePort } from "./ports.ts";
import type { Scope } from "./scope.ts";
import { Surprise } from "./surprise.ts";

export interface LocalService {
  api: Client;
  uiUrl: string;
  temporalAddress: string;
}

export interface ServiceOptions {
  directory: string;
  config: z.input<typeof feedSourcesFile>;
  /** Where the service's own words go. */
  logPath: string;
  env?: Record<string, string>;
  scope: Scope;
  /** Takes the lines by which the service tells what it is fetching. */
  progress: (line: string) => void;
}

/** Compiled, this file is `dist/scripts/quickstart/service.js`. */
const ENTRY = fileURLToPath(new URL("../../main.js", import.meta.url));
/** Bounded by the service itself, which may have to fetch a Temporal server first. */
const READY_SECONDS = 1200;
const STOP_MS = 25_000;

/** Runs the real service in a process of its own, configured by nothing but the arguments, and waits until it is ready. */
export async function startService(options: ServiceOptions): Promise<LocalService> {
  const { directory, scope, logPath } = options;
  const configPath = join(directory, "feed-sources.json");
  await writeFile(configPath, `${JSON.stringify(options.config, null, 2)}\n`);
  const api = await freePort(3000, []);
  const temporal = await freePort(7233, [api]);
  const ui = await freePort(8233, [api, temporal]);
  const child = spawn(process.execPath, ["--enable-source-maps", ENTRY], {
    cwd: directory,
    // Ctrl-C goes to the terminal's process group: in one of its own, the service is ended by us alone, and in order.
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
    env: {
      ...inherited(),
      HOST: "127.0.0.1",
      PORT: String(api),
      DATA_DIR: join(directory, "data"),
      FEED_SOURCES_PATH: configPath,
      PATCH_TEMPORAL_PORT: String(temporal),
      PATCH_TEMPORAL_UI_PORT: String(ui),
      PATCH_ALLOW_PRIVATE_NETWORK: "true",
      ...options.env,
    },
  });
  scope.add(() => end(child));
  const isUp = writeLog(child, logPath, options.progress);
  const client = new Client(`http://127.0.0.1:${api}`, scope.signal);
  await ready(client, child, isUp, logPath);
  return { api: client, uiUrl: `http://127.0.0.1:${ui}`, temporalAddress: `127.0.0.1:${temporal}` };
}

/** What the caller has set for patch.moi or Temporal is none of the demo's, but for where the server's binary is. */
function inherited(): NodeJS.ProcessEnv {
  const ours = /^(?:TEMPORAL_|PATCH_|DISCORD_|LOG_LEVEL$|NODE_OPTIONS$)/;
  const kept = Object.entries(process.env).filter(([name]) => name === "PATCH_TEMPORAL_CLI" || !ours.test(name));
  return Object.fromEntries(kept);
}

/** The service logs JSON; what it says in words, until it is up, is progress. Answers whether it is up. */
function writeLog(child: ChildProcess, path: string, progress: (line: string) => void): () => boolean {
  const log = createWriteStream(path);
  for (const stream of [child.stdout, child.stderr]) stream?.pipe(log, { end: false });
  child.once("close", () => log.end());
  let isUp = false;
  const lines = createInterface({ input: child.stdout as Readable });
  lines.on("line", (line) => {
    isUp ||= /^patch\.moi\s/.test(line);
    if (!isUp && line.trim() && !line.startsWith("{")) progress(line);
  });
  return () => isUp;
}

/** By its own word first: on its port another service may answer, where two were started at the same time. */
async function ready(client: Client, child: ChildProcess, isUp: () => boolean, logPath: string): Promise<void> {
  await client.until("the service to be ready", READY_SECONDS, async () => {
    if (child.exitCode !== null || child.signalCode !== null) {
      throw new Surprise(`the service did not start.\n${(await wordsOf(logPath)) || `It says why in ${logPath}`}`);
    }
    if (!isUp()) return undefined;
    return await fetch(`${client.url}/readyz`).then(
      (answer) => answer.ok || undefined,
      () => undefined,
    );
  });
}

/** The last of what the log has for people, between its JSON and the SDK's own lines. */
async function wordsOf(logPath: string): Promise<string> {
  const lines = (await readFile(logPath, "utf8")).split("\n");
  return lines
    .filter((line) => /^(?:patch\.moi|\s+- |Error)/.test(line))
    .slice(-10)
    .join("\n");
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGTERM");
  const timer = setTimeout(() => {
    // With all that it started: its builds and its Temporal server are in groups of their own and end with it, or at the next start.
    if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
  }, STOP_MS);
  await ended;
  clearTimeout(timer);
}
