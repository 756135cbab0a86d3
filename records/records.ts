import type { Readable } from "node:stream";
import type { MaintenanceAttempt } from "../domain/attempt.ts";
import type { Dispatch, FeedJob, FeedSignal, FeedState, FlowEvent } from "../domain/events.ts";

/** The history, kept apart from git (truth about patches) and Temporal (truth about work in progress). */
export interface Records {
  feedSignals: Log<FeedSignal>;
  feedJobs: Log<FeedJob>;
  flowEvents: Log<FlowEvent>;
  dispatches: Log<Dispatch>;
  attempts: Log<MaintenanceAttempt>;
  feedStates: States;
  attachments: Attachments;
  /** Fails when records cannot be written (disk full, no permission). */
  checkWritable(): Promise<void>;
  close(): Promise<void>;
}

/** Append-only; the latest record of a key wins. Doing an append twice is harmless. */
export interface Log<T> {
  /** Durable when it resolves. */
  append(record: T): Promise<void>;
  /**
   * Appends what `change` makes of the latest record of a key, and nothing where it makes none. Of all updates of a
   * log, by any process, one at a time: none is lost. `change` may be called again, and is to do nothing else.
   */
  update(key: string, change: (latest: T | undefined) => T | undefined): Promise<void>;
  get(key: string): Promise<T | undefined>;
  /** Newest first, by the first time a key was appended. */
  list(query?: ListQuery<T>): Promise<Page<T>>;
}

export interface ListQuery<T> {
  where?: (record: T) => boolean;
  /** 1 to 1000, default 100. */
  limit?: number;
  /** `nextCursor` of the page before. Throws InvalidCursor for anything else. */
  cursor?: string;
}

export interface Page<T> {
  items: T[];
  nextCursor?: string;
}

export class InvalidCursor extends Error {
  override name = "InvalidCursor";
}

/** What polling remembers: one small value a source, replaced whole. */
export interface States {
  get(sourceId: string): Promise<FeedState | undefined>;
  put(state: FeedState): Promise<void>;
  all(): Promise<FeedState[]>;
}

export interface OpenAttachment {
  bytes: number;
  stream: Readable;
}

/** Files of an attempt: the range-diff, build logs, artifacts. Names hold no `/`. */
export interface Attachments {
  put(attemptId: string, name: string, content: Buffer | string): Promise<void>;
  /** Moves a file in without reading it into memory. */
  putFile(attemptId: string, name: string, path: string): Promise<void>;
  get(attemptId: string, name: string): Promise<Buffer | undefined>;
  /** For what may be large. The stream has to be read or destroyed. */
  open(attemptId: string, name: string): Promise<OpenAttachment | undefined>;
  list(attemptId: string): Promise<{ name: string; bytes: number }[]>;
}
