import { type FileHandle, open } from "node:fs/promises";
import { basename } from "node:path";
import { checkedLimit, decodeCursor, encodeCursor } from "./cursor.ts";
import { endsMidLine, readLines } from "./lines.ts";
import { withFileLock } from "./lock.ts";
import type { ListQuery, Log, Page } from "./records.ts";
import { excerpt, repairTornTail } from "./torn-tail.ts";

export interface FileLogOptions<T> {
  path: string;
  keyOf: (record: T) => string;
  warn: (message: string) => void;
}

interface Pending {
  line: string;
  resolve: () => void;
  reject: (error: unknown) => void;
}

/**
 * One JSON Lines file that several processes append to and read. Each process keeps the latest record of every key in
 * memory and follows the file's growth, so what any of them appended is seen by the next read of all.
 */
export class FileLog<T extends object> implements Log<T> {
  readonly #options: FileLogOptions<T>;
  readonly #name: string;
  readonly #file: FileHandle;
  readonly #latest = new Map<string, T>();
  /** Keys in the order of their first append. */
  readonly #order: string[] = [];
  /** Lines just written that reading has not met again yet. */
  readonly #unmet = new Set<string>();
  #offset = 0;
  #running: Promise<void> = Promise.resolve();
  #queued: Promise<void> | undefined;
  #pending: Pending[] = [];
  #draining: Promise<void> | undefined;
  #lastUpdate: Promise<void> = Promise.resolve();

  private constructor(options: FileLogOptions<T>, file: FileHandle) {
    this.#options = options;
    this.#name = basename(options.path, ".jsonl");
    this.#file = file;
  }

  static async open<T extends object>(options: FileLogOptions<T>): Promise<FileLog<T>> {
    const file = await open(options.path, "a+");
    try {
      await repairTornTail(file, options.path, options.warn);
      const log = new FileLog(options, file);
      await log.#refresh();
      return log;
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  async append(record: T): Promise<void> {
    const line = JSON.stringify(record);
    if (this.#keyOf(JSON.parse(line)) === undefined) throw new TypeError(`A record of ${this.#name} lacks its key.`);
    await new Promise<void>((resolve, reject) => {
      this.#pending.push({ line, resolve, reject });
      this.#draining ??= this.#drain();
    });
  }

  async update(key: string, change: (latest: T | undefined) => T | undefined): Promise<void> {
    const turn = this.#lastUpdate.then(() => this.#update(key, change));
    this.#lastUpdate = turn.catch(() => undefined);
    await turn;
  }

  async get(key: string): Promise<T | undefined> {
    await this.#refresh();
    return structuredClone(this.#latest.get(key));
  }

  async list({ where = () => true, limit, cursor }: ListQuery<T> = {}): Promise<Page<T>> {
    const wanted = checkedLimit(limit);
    await this.#refresh();
    const items: T[] = [];
    let position = cursor === undefined ? this.#order.length : decodeCursor(this.#name, cursor, this.#order.length);
    let end = position;
    for (; position > 0; position--) {
      const record = this.#latest.get(this.#order[position - 1] as string) as T;
      if (!where(record)) continue;
      if (items.length === wanted) return { items, nextCursor: encodeCursor(this.#name, end) };
      items.push(structuredClone(record));
      end = position - 1;
    }
    return { items };
  }

  async close(): Promise<void> {
    await this.#lastUpdate;
    await this.#draining;
    await this.#file.close();
  }

  async #update(key: string, change: (latest: T | undefined) => T | undefined): Promise<void> {
    for (let settled = false; !settled; ) {
      settled = await withFileLock(`${this.#options.path}.lock`, async (lock) => {
        const next = change(await this.get(key));
        if (next === undefined) return true;
        if (this.#keyOf(next) !== key) throw new TypeError(`An update of ${this.#name} may not change its key.`);
        if (!(await lock.isStillHeld())) return false;
        await this.append(next);
        return true;
      });
    }
  }

  /** What piles up while the disk syncs is written by the next round, which then syncs once for all of it. */
  async #drain(): Promise<void> {
    while (this.#pending.length > 0) {
      const batch = this.#pending.splice(0);
      try {
        await this.#write(batch.map(({ line }) => line));
        for (const { resolve } of batch) resolve();
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
    }
    this.#draining = undefined;
  }

  async #write(lines: string[]): Promise<void> {
    this.#unmet.clear();
    for (const line of lines) this.#unmet.add(line);
    // Another process that repairs a torn tail in the same instant could cut what was just written: look for it.
    for (let tries = 0; this.#unmet.size > 0; tries++) {
      if (tries === 3)
        throw new Error(`${this.#options.path}: appended records vanish. Does something truncate the file?`);
      let start = (await endsMidLine(this.#file)) ? "\n" : "";
      for (const line of this.#unmet) {
        await this.#writeAtOnce(`${start}${line}\n`);
        start = "";
      }
      await this.#file.datasync();
      await this.#refresh();
    }
  }

  /** One write() on an O_APPEND descriptor: lines of several processes never mix. */
  async #writeAtOnce(text: string): Promise<void> {
    const bytes = Buffer.from(text);
    const { bytesWritten } = await this.#file.write(bytes);
    if (bytesWritten !== bytes.length) {
      throw new Error(
        `${this.#options.path}: only ${bytesWritten} of ${bytes.length} bytes could be written. Is the disk full?`,
      );
    }
  }

  /** Brings the index up to the file's end as of this call; one pass at a time, callers during a pass share the next. */
  #refresh(): Promise<void> {
    this.#queued ??= this.#running
      .catch(() => undefined)
      .then(() => {
        this.#queued = undefined;
        this.#running = this.#follow();
        return this.#running;
      });
    return this.#queued;
  }

  async #follow(): Promise<void> {
    const { size } = await this.#file.stat();
    if (size === this.#offset) return;
    if (size < this.#offset) this.#startOver();
    this.#offset = await readLines(this.#file, this.#offset, (line, at) => this.#take(line, at));
  }

  #startOver(): void {
    this.#options.warn(`${this.#options.path}: became shorter; it is read again from its start.`);
    this.#latest.clear();
    this.#order.length = 0;
    this.#offset = 0;
  }

  #take(bytes: Buffer, at: number): void {
    const line = bytes.toString();
    this.#unmet.delete(line);
    if (line.trim() === "") return;
    const record = parse<T>(line);
    const key = record && this.#keyOf(record);
    if (record === undefined || key === undefined) {
      this.#options.warn(`${this.#options.path}: skipped an unreadable line at byte ${at}: ${excerpt(bytes)}`);
      return;
    }
    if (!this.#latest.has(key)) this.#order.push(key);
    this.#latest.set(key, record);
  }

  #keyOf(record: T): string | undefined {
    const key = this.#options.keyOf(record);
    return key === undefined || key.split("\0").some((part) => part === "" || part === "undefined") ? undefined : key;
  }
}

function parse<T extends object>(line: string): T | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === "object" && value !== null ? (value as T) : undefined;
  } catch {
    return undefined;
  }
}
