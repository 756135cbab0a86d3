import { spawn } from "node:child_process";
import { readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { databasePath } from "./database.ts";
import { commandLineOf, identityOf, type ProcessIdentity, stateOf } from "./process-identity.ts";

export interface ServerOptions {
  cli: string;
  directory: string;
  port: number;
  uiPort: number;
  /** Gets every line that the server prints. */
  onLine: (line: string) => void;
}

export interface ServerProcess {
  pid: number;
  /** Resolves when it has ended, with how. */
  ended: Promise<string>;
  /** Asks it to end, insists after a while, and waits for it. */
  stop(): Promise<void>;
}

/**
 * Waits for the server, and kills it when our end of stdin closes, which happens however we die. SIGKILL does no harm to a
 * write-ahead log that is synced at every commit. The server's number goes to descriptor 3, which only this shell has.
 */
const GUARD = `
  exec 4<&0
  "$@" 3>&- 4<&- </dev/null &
  server=$!
  echo "$server" >&3
  exec 3>&-
  (read -r _ <&4; kill -9 "$server") 2>/dev/null &
  guard=$!
  exec 4<&-
  wait "$server"
  code=$?
  kill "$guard" 2>/dev/null
  exit "$code"
`;
const STOP_MS = 8000;

export async function startServer(options: ServerOptions): Promise<ServerProcess> {
  const child = spawn("/bin/sh", ["-c", GUARD, "patchmoi-temporal", options.cli, ...serverArguments(options)], {
    // Away from the terminal's process group: Ctrl-C must reach us alone, so that the worker ends before the server.
    detached: true,
    // Nothing of ours: no token for it to leak, no TEMPORAL_ variable to turn it elsewhere.
    env: { PATH: "/usr/bin:/bin", HOME: options.directory },
    stdio: ["pipe", "pipe", "pipe", "pipe"],
  });
  child.stdin?.on("error", () => {});
  for (const stream of [child.stdout, child.stderr]) {
    if (stream) createInterface({ input: stream }).on("line", options.onLine);
  }
  const ended = new Promise<string>((resolve) => {
    child.once("error", (error) => resolve(error.message));
    child.once("exit", (code, signal) => {
      // Lets the guard's subshell go.
      child.stdin?.destroy();
      resolve(
        signal
          ? `ended by ${signal}`
          : (code ?? 0) > 128
            ? `ended by signal ${Number(code) - 128}`
            : `exit code ${code}`,
      );
    });
  });
  const pid = Number(await Promise.race([firstLine(child.stdio[3] as Readable), ended.then(() => "")]));
  if (!pid) throw new Error(`The Temporal server could not be started: ${await ended}`);
  const identity = await identityOf(pid);
  if (identity) await writePidFile(options.directory, { ...identity, port: options.port, uiPort: options.uiPort });
  let over = false;
  void ended.then(() => {
    over = true;
  });
  // Once it has ended, its number may be somebody else's.
  const signal = (name: NodeJS.Signals) => over || signalProcess(pid, name);
  return {
    pid,
    ended,
    stop: async () => {
      signal("SIGTERM");
      const insist = setTimeout(() => signal("SIGKILL"), STOP_MS);
      await ended;
      clearTimeout(insist);
      await rm(pidPath(options.directory), { force: true });
    },
  };
}

/** Measured in FACTS: without the poll rate a workflow task takes 50 ms; WAL with full sync survives SIGKILL. */
function serverArguments({ directory, port, uiPort }: ServerOptions): string[] {
  return [
    ...["server", "start-dev", "--ip", "127.0.0.1", "--port", String(port), "--ui-port", String(uiPort)],
    ...["--db-filename", databasePath(directory)],
    ...["--sqlite-pragma", "journal_mode=wal", "--sqlite-pragma", "synchronous=full"],
    ...["--dynamic-config-value", "history.transferProcessorMaxPollRPS=1000"],
    ...["--ui-disable-news-fetch", "--log-format", "json", "--log-level", "warn"],
    ...["--disable-config-file", "--disable-config-env", "--color", "never"],
  ];
}

/** Ends a server that an earlier process of ours left on this directory: the pid file names it, its command line proves it. */
export async function endOrphan(directory: string): Promise<boolean> {
  const orphan = await readPidFile(directory);
  if (!orphan || (await stateOf(orphan)) !== "alive") return false;
  if (!(await commandLineOf(orphan.pid)).includes(databasePath(directory))) return false;
  signalProcess(orphan.pid, "SIGKILL");
  for (let waited = 0; waited < 5000 && (await stateOf(orphan)) === "alive"; waited += 20) await sleep(20);
  return true;
}

function signalProcess(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // Gone already.
  }
}

async function firstLine(stream: Readable): Promise<string> {
  for await (const line of createInterface({ input: stream })) return line;
  return "";
}

function pidPath(directory: string): string {
  return join(directory, "server.json");
}

async function writePidFile(directory: string, server: ProcessIdentity & { port: number; uiPort: number }) {
  await writeFile(`${pidPath(directory)}.tmp`, `${JSON.stringify(server)}\n`);
  await rename(`${pidPath(directory)}.tmp`, pidPath(directory));
}

async function readPidFile(directory: string): Promise<ProcessIdentity | undefined> {
  try {
    return JSON.parse(await readFile(pidPath(directory), "utf8")) as ProcessIdentity;
  } catch {
    return undefined;
  }
}
