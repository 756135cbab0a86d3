import { mkdir } from "node:fs/promises";
import { resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Connection } from "@temporalio/client";
import { checkDatabase, markComplete } from "./database.ts";
import { temporalVersion } from "./find-binary.ts";
import { prepareNamespace, raiseRetention } from "./namespace.ts";
import { takeOwnership } from "./ownership.ts";
import { requireFreePort } from "./ports.ts";
import { endOrphan, type ServerOptions, type ServerProcess, startServer } from "./server-process.ts";

export interface EmbeddedTemporal {
  /** `host:port` of the gRPC frontend. */
  address: string;
  uiUrl: string;
  /** Of the server itself; undefined while it is being restarted. */
  pid(): number | undefined;
  stop(): Promise<void>;
}

export interface EmbeddedOptions {
  /** From `findTemporalCli`. */
  cli: string;
  /** `DATA_DIR/temporal`: the database and what guards it. */
  directory: string;
  port: number;
  uiPort: number;
  log: (level: "info" | "warn" | "error", message: string) => void;
}

const NAMESPACE = "default";
const READY_MS = 60_000;
const BACKOFF_MS = { first: 100, most: 10_000 };
/** A server that ran this long was well: the next failure starts from the shortest wait again. */
const WELL_AFTER_MS = 60_000;

/**
 * Starts the Temporal dev server and keeps it running until `stop`. Resolves once it answers and its namespace is set up: a
 * worker whose first connection fails never recovers. Rejects, with what to do, when the directory is in use, when its
 * database is of another version, and when a port is taken.
 */
export async function startEmbeddedTemporal(options: EmbeddedOptions): Promise<EmbeddedTemporal> {
  const directory = resolve(options.directory);
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const found = await temporalVersion(options.cli);
  if ("error" in found) throw new Error(`The Temporal CLI ${options.cli} ${found.error}.`);
  const ownership = await takeOwnership(directory);
  try {
    if (await endOrphan(directory)) options.log("info", "ended a Temporal server that an earlier run left behind");
    await checkDatabase(directory, found.version);
    await requireFreePort(options.port, "PATCH_TEMPORAL_PORT");
    await requireFreePort(options.uiPort, "PATCH_TEMPORAL_UI_PORT");
    const supervised = await supervise({ ...options, directory });
    await markComplete(directory, found.version).catch(async (error: unknown) => {
      await supervised.stop();
      throw error;
    });
    return {
      address: addressOf(options),
      uiUrl: `http://127.0.0.1:${options.uiPort}`,
      pid: supervised.pid,
      stop: once(async () => {
        await supervised.stop();
        await ownership.release();
      }),
    };
  } catch (error) {
    await ownership.release();
    throw error;
  }
}

/** Resolves when the first server is ready, and restarts it from then on. */
async function supervise(options: EmbeddedOptions): Promise<{ pid(): number | undefined; stop(): Promise<void> }> {
  const stopping = new AbortController();
  let server: ServerProcess | undefined = await startReady(options, stopping.signal);
  const watch = async () => {
    let wait = BACKOFF_MS.first;
    while (!stopping.signal.aborted) {
      const since = Date.now();
      const how = await server?.ended;
      if (stopping.signal.aborted) return;
      server = undefined;
      if (Date.now() - since > WELL_AFTER_MS) wait = BACKOFF_MS.first;
      if (how) options.log("warn", `the Temporal server ended (${how}); starting it again in ${wait} ms`);
      await sleep(wait, undefined, { signal: stopping.signal }).catch(() => {});
      wait = Math.min(wait * 2, BACKOFF_MS.most);
      if (stopping.signal.aborted) return;
      try {
        server = await startReady(options, stopping.signal);
        if (stopping.signal.aborted) await server.stop();
        else options.log("info", "the Temporal server is back");
      } catch (error) {
        if (!stopping.signal.aborted) options.log("error", `${(error as Error).message}; trying again`);
      }
    }
  };
  const watching = watch();
  return {
    pid: () => server?.pid,
    stop: async () => {
      stopping.abort();
      await server?.stop();
      await watching;
    },
  };
}

/** A server that answers and whose namespace is set up; one that does not get there is ended. */
async function startReady(options: EmbeddedOptions, signal: AbortSignal): Promise<ServerProcess> {
  // The shell that guards the last one may have been killed and have left it running.
  await endOrphan(options.directory);
  const lines: string[] = [];
  const serverOptions: ServerOptions = {
    ...options,
    onLine: (line) => {
      if (lines.push(line) > 20) lines.shift();
      // As it ends, its parts complain that the others have gone.
      if (signal.aborted) return;
      const entry = logEntry(line);
      if (entry) options.log(entry.level, entry.message);
    },
  };
  const server = await startServer(serverOptions);
  const giveUp = new AbortController();
  const ready = becomeReady(options, AbortSignal.any([signal, giveUp.signal]));
  const died = server.ended.then((how): never => {
    throw new Error(`The Temporal server did not start (${how}): ${telling(lines) || "it printed nothing"}`);
  });
  try {
    await Promise.race([ready, died]);
    return server;
  } catch (error) {
    giveUp.abort();
    await server.stop();
    throw error;
  }
}

async function becomeReady(options: EmbeddedOptions, signal: AbortSignal): Promise<void> {
  const deadline = Date.now() + READY_MS;
  for (;;) {
    try {
      return await setUp(options);
    } catch (error) {
      signal.throwIfAborted();
      if (Date.now() > deadline) {
        throw new Error(`The Temporal server did not answer within ${READY_MS / 1000} s: ${(error as Error).message}`);
      }
      await sleep(50);
    }
  }
}

/** A connection of its own each time: one that failed waits ever longer before it tries again. */
async function setUp(options: EmbeddedOptions): Promise<void> {
  const connection = await Connection.connect({ address: addressOf(options), connectTimeout: 2000 });
  try {
    await raiseRetention(connection, NAMESPACE);
    await prepareNamespace(connection, NAMESPACE);
  } finally {
    await connection.close();
  }
}

function addressOf({ port }: EmbeddedOptions): string {
  return `127.0.0.1:${port}`;
}

/** Its own log lines are JSON; what else it prints is the banner. */
function logEntry(line: string): { level: "warn" | "error"; message: string } | undefined {
  try {
    const { level, msg, error } = JSON.parse(line) as { level?: string; msg?: string; error?: string };
    return {
      level: level === "error" || level === "fatal" ? "error" : "warn",
      message: [`Temporal server: ${msg}`, error].filter(Boolean).join(": "),
    };
  } catch {
    return undefined;
  }
}

function once(action: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined;
  return () => (running ??= action());
}

/** What it logged as an error says more than the stack trace that it ends with. */
function telling(lines: string[]): string {
  const errors = lines.filter((line) => logEntry(line)?.level === "error");
  return (errors.length > 0 ? errors : lines).slice(-3).join(" | ");
}
