import type { Settings } from "../domain/settings.ts";
import { StartRefused } from "./boot.ts";

/** Something that was started and has to be stopped, last one first. */
export interface Running {
  close(): Promise<void>;
}

const LONGEST_STOP_MS = 20_000;

/**
 * Runs a process of the service until SIGINT or SIGTERM, or until a part of it fails for good. What `start` hands to `opened` is
 * closed in reverse order. A refused start prints every reason and exits with 1.
 */
export async function runUntilStopped(
  start: (opened: (part: Running) => void, failed: (error: unknown) => void) => Promise<void>,
): Promise<void> {
  const parts: Running[] = [];
  const { promise: stop, resolve } = withResolver<unknown>();
  process.once("SIGINT", () => resolve(undefined));
  process.once("SIGTERM", () => resolve(undefined));
  let reason: unknown;
  try {
    await Promise.race([start((part) => parts.push(part), resolve), stop.then(() => undefined)]);
    reason = await stop;
  } catch (error) {
    reason = error;
  }
  if (reason) process.exitCode = 1;
  if (reason) console.error(explain(reason));
  setTimeout(() => process.exit(1), LONGEST_STOP_MS).unref();
  for (const part of parts.reverse()) await part.close().catch((error: unknown) => console.error(explain(error)));
  process.exit();
}

/** Processes of their own need a Temporal that they share. */
export function requireConfigured({ temporal }: Settings): void {
  if (temporal.kind === "configured") return;
  throw new StartRefused([
    "TEMPORAL_ADDRESS: is not set, and this process starts no Temporal of its own: set it, or use `npm start` for everything in one process",
  ]);
}

function explain(reason: unknown): string {
  if (reason instanceof StartRefused)
    return ["patch.moi does not start:", ...reason.errors.map((line) => `  - ${line}`)].join("\n");
  return reason instanceof Error ? `patch.moi stops: ${reason.message}` : String(reason);
}

function withResolver<T>(): { promise: Promise<T>; resolve: (value: T) => void } {
  let resolve!: (value: T) => void;
  const promise = new Promise<T>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}
