import { mkdir, open, rm } from "node:fs/promises";
import { join } from "node:path";
import type { MaintenanceAttempt } from "../domain/attempt.ts";
import type { Dispatch, FeedJob, FeedSignal, FlowEvent } from "../domain/events.ts";
import { FileAttachments } from "./attachments.ts";
import { removeAbandoned, temporaryBeside } from "./durable.ts";
import { attemptKey, dispatchKey, feedJobKey, feedSignalKey, flowEventKey } from "./keys.ts";
import { FileLog } from "./log.ts";
import type { Records } from "./records.ts";
import { FileStates } from "./states.ts";

export interface FileRecordsOptions {
  /** Made when it is not there. Several processes of one machine may share it. */
  directory: string;
  /** Told what was found damaged and what was done about it. */
  warn: (message: string) => void;
}

/** Records as JSON Lines under one directory. Fails with what to do about it when the directory cannot be used. */
export async function openFileRecords({ directory, warn }: FileRecordsOptions): Promise<Records> {
  await mkdir(directory, { recursive: true }).catch((error: Error) => {
    throw new Error(`DATA_DIR ${directory} cannot be made: ${error.message}`, { cause: error });
  });
  await removeAbandoned(directory);
  const opened: { close(): Promise<void> }[] = [];
  const closeAll = async () => {
    await Promise.all(opened.map((each) => each.close()));
  };
  const log = async <T extends object>(name: string, keyOf: (record: T) => string) => {
    const each = await FileLog.open<T>({ path: join(directory, name), keyOf, warn });
    opened.push(each);
    return each;
  };
  try {
    const feedStates = await FileStates.open(join(directory, "feed-state.json"));
    opened.push(feedStates);
    return {
      feedSignals: await log<FeedSignal>("feed-events.jsonl", feedSignalKey),
      feedJobs: await log<FeedJob>("feed-jobs.jsonl", feedJobKey),
      flowEvents: await log<FlowEvent>("flow-events.jsonl", flowEventKey),
      dispatches: await log<Dispatch>("workspace-dispatches.jsonl", dispatchKey),
      attempts: await log<MaintenanceAttempt>("maintenance-attempts.jsonl", attemptKey),
      feedStates,
      attachments: await FileAttachments.open(join(directory, "attachments")),
      checkWritable: () => checkWritable(directory),
      close: closeAll,
    };
  } catch (error) {
    await closeAll();
    throw error;
  }
}

/** Enough bytes to need a block of their own, so that a full disk shows. */
async function checkWritable(directory: string): Promise<void> {
  const probe = temporaryBeside(join(directory, "probe"));
  try {
    const file = await open(probe, "wx");
    try {
      await file.writeFile(Buffer.alloc(4096));
    } finally {
      await file.close();
    }
  } catch (error) {
    throw new Error(`Records cannot be written in ${directory}: ${(error as Error).message}`, { cause: error });
  } finally {
    await rm(probe, { force: true });
  }
}
