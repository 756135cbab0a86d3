import { readFile } from "node:fs/promises";
import type { FeedState } from "../domain/events.ts";
import { replaceFile } from "./durable.ts";
import { withFileLock } from "./lock.ts";
import type { States } from "./records.ts";

/** `feed-state.json`: one object keyed by source id, replaced whole, shared by processes. */
export class FileStates implements States {
  readonly #path: string;
  #last: Promise<unknown> = Promise.resolve();

  private constructor(path: string) {
    this.#path = path;
  }

  /** @throws when the file is there and cannot be understood: to start without it would forget what was seen. */
  static async open(path: string): Promise<FileStates> {
    const states = new FileStates(path);
    await states.#read();
    return states;
  }

  async get(sourceId: string): Promise<FeedState | undefined> {
    return (await this.#read()).get(sourceId);
  }

  async all(): Promise<FeedState[]> {
    return [...(await this.#read()).values()];
  }

  async put(state: FeedState): Promise<void> {
    const turn = this.#last.then(() => this.#replace(state));
    this.#last = turn.catch(() => undefined);
    await turn;
  }

  async close(): Promise<void> {
    await this.#last;
  }

  async #replace(state: FeedState): Promise<void> {
    for (let written = false; !written; ) {
      written = await withFileLock(`${this.#path}.lock`, async (lock) => {
        const states = (await this.#read()).set(state.sourceId, state);
        const json = `${JSON.stringify(Object.fromEntries(states), undefined, 2)}\n`;
        return await replaceFile(this.#path, (file) => file.writeFile(json), lock.isStillHeld);
      });
    }
  }

  async #read(): Promise<Map<string, FeedState>> {
    const json = await readFile(this.#path, "utf8").catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return "{}";
      throw error;
    });
    return new Map(Object.entries(parse(json, this.#path)).map(([id, state]) => [id, normal(id, state)]));
  }
}

function parse(json: string, path: string): Record<string, Partial<FeedState>> {
  try {
    const value: unknown = JSON.parse(json);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, object>;
  } catch {
    // Said below, with what to do.
  }
  throw new Error(
    `${path} does not hold a JSON object. Restore it from a backup, or remove it: then the next poll of every source ` +
      "only remembers what is there, and releases published meanwhile have to be started by hand.",
  );
}

/** Files of earlier versions know only `lastSeenId` and `lastCheckedAt`. */
function normal(sourceId: string, state: Partial<FeedState>): FeedState {
  return { ...state, sourceId, seen: state.seen ?? [] };
}
