/** Starts the real service as a process of its own, and talks to it as an operator would. */

import { type ChildProcess, spawn } from "node:child_process";
import { createWriteStream, readFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { MaintenanceAttempt } from "../../domain/attempt.ts";

const ENTRY = fileURLToPath(new URL("../../dist/main.js", import.meta.url));

export interface ServiceOptions {
  directory: string;
  temporalCli: string;
  env?: Record<string, string>;
  /** Another compiled entry than the whole service. */
  entry?: string;
}

export interface Answer<T = Record<string, unknown>> {
  status: number;
  headers: Headers;
  body: T;
}

export class Service {
  readonly url: string;
  readonly temporalAddress: string;
  readonly uiUrl: string;
  readonly directory: string;
  #env: Record<string, string>;
  #entry: string;
  #child: ChildProcess | undefined;

  private constructor(options: ServiceOptions, [api, temporal, ui]: [number, number, number]) {
    this.directory = options.directory;
    this.url = `http://127.0.0.1:${api}`;
    this.temporalAddress = `127.0.0.1:${temporal}`;
    this.uiUrl = `http://127.0.0.1:${ui}`;
    this.#entry = options.entry ?? ENTRY;
    this.#env = {
      PATH: process.env.PATH as string,
      HOME: options.directory,
      DATA_DIR: join(options.directory, "data"),
      FEED_SOURCES_PATH: join(options.directory, "feed-sources.json"),
      PORT: String(api),
      PATCH_TEMPORAL_PORT: String(temporal),
      PATCH_TEMPORAL_UI_PORT: String(ui),
      PATCH_TEMPORAL_CLI: options.temporalCli,
      PATCH_ALLOW_PRIVATE_NETWORK: "true",
      ...options.env,
    };
  }

  /** Not started yet. */
  static async at(options: ServiceOptions): Promise<Service> {
    return new Service(options, [await freePort(), await freePort(), await freePort()]);
  }

  /** Resolves when the service says that it is ready; throws with its log when it ends instead. */
  async start(): Promise<void> {
    const log = createWriteStream(this.logPath, { flags: "a" });
    const child = spawn(process.execPath, [this.#entry], {
      cwd: this.directory,
      env: this.#env,
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.#child = child;
    child.stdout.pipe(log, { end: false });
    child.stderr.pipe(log, { end: false });
    for (const deadline = Date.now() + 60_000; Date.now() < deadline; await sleep(50)) {
      if (child.exitCode !== null || child.signalCode !== null) break;
      if (await this.isReady()) return;
    }
    throw new Error(`the service did not get ready:\n${this.log()}`);
  }

  async isReady(): Promise<boolean> {
    return await fetch(`${this.url}/readyz`).then(
      (answer) => answer.ok,
      () => false,
    );
  }

  get logPath(): string {
    return join(this.directory, "service.log");
  }

  log(): string {
    return readFileSync(this.logPath, "utf8");
  }

  /** The pid that the embedded Temporal server runs under. */
  temporalPid(): number {
    const { pid } = JSON.parse(readFileSync(join(this.directory, "data/temporal/server.json"), "utf8")) as {
      pid: number;
    };
    return pid;
  }

  /** As by an operator's Ctrl-C. */
  async stop(): Promise<void> {
    await this.#end("SIGTERM");
  }

  /** As by a power cut, for this process; its Temporal server notices by itself. */
  async kill(): Promise<void> {
    await this.#end("SIGKILL");
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.kill(signal);
    await ended;
  }

  async get<T = Record<string, unknown>>(path: string): Promise<Answer<T>> {
    return await this.#call("GET", path);
  }

  async post<T = Record<string, unknown>>(
    path: string,
    body: unknown = {},
    headers: Record<string, string> = {},
  ): Promise<Answer<T>> {
    return await this.#call("POST", path, body, headers);
  }

  async delete<T = Record<string, unknown>>(path: string, headers: Record<string, string> = {}): Promise<Answer<T>> {
    return await this.#call("DELETE", path, undefined, headers);
  }

  async #call<T>(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Answer<T>> {
    const init = {
      method,
      // While a test waits for git it does not notice that the service closes an idle connection.
      headers: { connection: "close", ...(body !== undefined && { "content-type": "application/json" }), ...headers },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    };
    const answer = await fetch(`${this.url}${path}`, init);
    const text = await answer.text();
    const json = answer.headers.get("content-type")?.includes("json");
    return { status: answer.status, headers: answer.headers, body: (json ? JSON.parse(text) : text) as T };
  }

  /** The attempt, once it is as wanted. Throws with what it was instead. */
  async attempt(
    id: string,
    wanted: (attempt: MaintenanceAttempt) => boolean,
    seconds = 60,
  ): Promise<MaintenanceAttempt> {
    let last: unknown;
    for (const deadline = Date.now() + seconds * 1000; Date.now() < deadline; await sleep(100)) {
      const { body } = await this.get<{ attempt?: MaintenanceAttempt }>(attemptPath(id)).catch((error: unknown) => ({
        body: { attempt: undefined, error },
      }));
      last = body.attempt ?? body;
      if (body.attempt && wanted(body.attempt)) return body.attempt;
    }
    throw new Error(`${id} did not get there; it is ${JSON.stringify(last, null, 1)}\n${this.log().slice(-4000)}`);
  }

  /** The first attempt that `wanted` holds for, newest first. */
  async someAttempt(wanted: (attempt: MaintenanceAttempt) => boolean, seconds = 60): Promise<MaintenanceAttempt> {
    let last: MaintenanceAttempt[] = [];
    for (const deadline = Date.now() + seconds * 1000; Date.now() < deadline; await sleep(100)) {
      last = (await this.get<{ attempts: MaintenanceAttempt[] }>("/maintenance-attempts")).body.attempts;
      const found = last.find(wanted);
      if (found) return found;
    }
    throw new Error(`no such attempt; there are ${JSON.stringify(last, null, 1)}\n${this.log().slice(-4000)}`);
  }
}

export const attemptPath = (id: string) => `/maintenance-attempts/${encodeURIComponent(id)}`;

const LOWEST = 20_000;
const HIGHEST = 32_000;

/** Below the ports that the system hands out by itself, so that nobody is given it before we use it. */
export async function freePort(): Promise<number> {
  const port = LOWEST + Math.floor(Math.random() * (HIGHEST - LOWEST));
  const server = createServer();
  const isFree = await new Promise<boolean>((resolve) => {
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
  return isFree ? port : await freePort();
}
