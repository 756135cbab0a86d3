import { setTimeout as sleep } from "node:timers/promises";
import type { AttemptStatus, MaintenanceAttempt } from "../../domain/attempt.ts";
import { Surprise } from "./surprise.ts";

export interface SourceStatus {
  id: string;
  lastCheckedAt: string | null;
  error: string | null;
}

const LOOK_MS = 200;

/** The service's HTTP API, as an operator's script would use it. */
export class Client {
  readonly url: string;
  readonly #signal: AbortSignal;

  constructor(url: string, signal: AbortSignal) {
    this.url = url;
    this.#signal = signal;
  }

  async get<T>(path: string): Promise<T> {
    return (await (await this.#ask("GET", path)).json()) as T;
  }

  async text(path: string): Promise<string> {
    return await (await this.#ask("GET", path)).text();
  }

  async post<T>(path: string, body: unknown = {}): Promise<T> {
    return (await (await this.#ask("POST", path, body)).json()) as T;
  }

  async #ask(method: string, path: string, body?: unknown): Promise<Response> {
    const signal = AbortSignal.any([this.#signal, AbortSignal.timeout(30_000)]);
    const answer = await fetch(`${this.url}${path}`, {
      method,
      signal,
      ...(body !== undefined && { body: JSON.stringify(body), headers: { "Content-Type": "application/json" } }),
    });
    if (answer.ok) return answer;
    throw new Surprise(`${method} ${path} answered ${answer.status}: ${(await answer.text()).slice(0, 500)}`);
  }

  /** The attempt for a release, once there is one. */
  async attemptFor(tag: string, seconds: number): Promise<MaintenanceAttempt> {
    return await this.until(`an attempt for ${tag}`, seconds, async () => {
      const { attempts } = await this.get<{ attempts: MaintenanceAttempt[] }>("/maintenance-attempts?limit=50");
      return attempts.find(({ upstreamTag }) => upstreamTag === tag);
    });
  }

  async attempt(id: string): Promise<MaintenanceAttempt> {
    return (await this.get<{ attempt: MaintenanceAttempt }>(`/maintenance-attempts/${encodeURIComponent(id)}`)).attempt;
  }

  /** The attempt once it has one of the statuses. Any other status that it may stop in is a surprise. */
  async attemptAt(id: string, wanted: AttemptStatus, seconds: number): Promise<MaintenanceAttempt> {
    return await this.until(`${id} to be ${wanted}`, seconds, async () => {
      const attempt = await this.attempt(id);
      if (attempt.status === wanted) return attempt;
      if (attempt.status === "started") return undefined;
      throw new Surprise(`${id} should have become ${wanted}, but is ${describe(attempt)}`);
    });
  }

  /** Asks again and again until there is an answer. */
  async until<T>(what: string, seconds: number, ask: () => Promise<T | undefined>): Promise<T> {
    for (const deadline = Date.now() + seconds * 1000; Date.now() < deadline; ) {
      const found = await ask();
      if (found !== undefined) return found;
      await sleep(LOOK_MS, undefined, { signal: this.#signal });
    }
    throw new Surprise(`waited ${seconds} s in vain for ${what}`);
  }
}

export function describe({ status, message, error, intervention }: MaintenanceAttempt): string {
  return [status, error ?? intervention?.message ?? message].filter(Boolean).join(": ");
}
