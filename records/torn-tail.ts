import { fstatSync, ftruncateSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { unfinishedTail } from "./lines.ts";
import { withFileLock } from "./lock.ts";

/** A line that is being written is whole within microseconds; one that stays half for this long was torn by a crash. */
const SETTLE_MS = 200;

/**
 * Takes a torn last line out of a log, so that every line of it is a record again. The bytes are kept in a file beside
 * it. A record that only lacks its newline gets it.
 */
export async function repairTornTail(file: FileHandle, path: string, warn: (message: string) => void): Promise<void> {
  if ((await unfinishedTail(file)).bytes.length === 0) return;
  await withFileLock(`${path}.lock`, async () => {
    const { start, bytes } = await unfinishedTail(file);
    await sleep(SETTLE_MS);
    const end = start + bytes.length;
    if (bytes.length === 0 || (await file.stat()).size !== end) return;
    if (isRecord(bytes)) {
      await file.write("\n");
      await file.datasync();
      warn(`${path}: the last record lacked its line end, as after a crash; it is complete and was kept.`);
      return;
    }
    const kept = `${path}.torn-${new Date().toISOString().replaceAll(/[:.]/g, "-")}`;
    await keep(kept, bytes);
    // No await between the two: what another process appends meanwhile must not be cut. (It would notice and append again.)
    if (fstatSync(file.fd).size !== end) return;
    ftruncateSync(file.fd, start);
    await file.datasync();
    warn(`${path}: cut a torn last line of ${bytes.length} bytes (${excerpt(bytes)}); it is kept in ${kept}.`);
  });
}

function isRecord(bytes: Buffer): boolean {
  try {
    const value: unknown = JSON.parse(bytes.toString());
    return typeof value === "object" && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}

async function keep(path: string, bytes: Buffer): Promise<void> {
  const file = await open(path, "w");
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
}

export function excerpt(bytes: Buffer): string {
  const text = bytes.subarray(0, 120).toString();
  return JSON.stringify(bytes.length > 120 ? `${text}…` : text);
}
