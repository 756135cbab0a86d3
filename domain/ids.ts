import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, utf8ToBytes } from "@noble/hashes/utils.js";

/** Ids of events and workflows. Hashed in plain JavaScript, because workflows name attempts too and have no node:crypto. */

const LONGEST = 200;
const HASH_DIGITS = 16;

/** Ids of up to 200 characters stay as they are; of longer ones the end gives way to a hash of the whole. */
export function shortenId(id: string): string {
  if (id.length <= LONGEST) return id;
  const hash = bytesToHex(sha256(utf8ToBytes(id))).slice(0, HASH_DIGITS);
  return `${id.slice(0, LONGEST - HASH_DIGITS - 1)}~${hash}`;
}

export function feedEventId(sourceId: string, entryId: string, eventType: string): string {
  return shortenId(`patch:${sourceId}:${entryId}:${eventType}`);
}

export function manualEventId(fork: string, tag: string, eventType: string): string {
  return shortenId(`patch:manual:${fork}:${tag}:${eventType}`);
}

/** The id of an attempt's workflow and record: the `n`th try of a fork to take a release. */
export function attemptId(fork: string, release: string, n: number): string {
  return `${shortenId(`maintain-release/${fork}/${release}`)}/${n}`;
}
