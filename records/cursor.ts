import { InvalidCursor } from "./records.ts";

/**
 * A place in a log that stays right while new records arrive: how many keys were first appended before the page's last
 * one. The log's name in it keeps the cursor of one list from being used on another.
 */
export function encodeCursor(log: string, position: number): string {
  return Buffer.from(`${log}:${position}`).toString("base64url");
}

/** @throws InvalidCursor for anything that `encodeCursor` did not make for this log. */
export function decodeCursor(log: string, cursor: string, end: number): number {
  const [name, digits] = Buffer.from(cursor, "base64url").toString().split(":");
  const position = /^\d{1,15}$/.test(digits ?? "") ? Number(digits) : -1;
  if (name !== log || position < 1 || position > end || encodeCursor(log, position) !== cursor) {
    throw new InvalidCursor("The cursor is not one that this list gave out; start again without a cursor.");
  }
  return position;
}

const DEFAULT_LIMIT = 100;
const MAX_LIMIT = 1000;

/** @throws RangeError unless it is a whole number from 1 to 1000. */
export function checkedLimit(limit: number = DEFAULT_LIMIT): number {
  if (!Number.isInteger(limit) || limit < 1 || limit > MAX_LIMIT) {
    throw new RangeError(`A list's limit is a whole number from 1 to ${MAX_LIMIT}, not ${limit}.`);
  }
  return limit;
}
