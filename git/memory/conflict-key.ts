/** What makes a conflict that conflict and no other: the same key wherever it comes up again. */

import { createHash } from "node:crypto";
import type { ConflictEntry } from "../merge/answer.ts";
import type { RunRepository } from "../repository/run-repository.ts";
import { filesAt, isRegular, type Limits, readObjects } from "../repository/tree-files.ts";
import { type Hunk, hunksOf, numbered } from "./conflict-text.ts";
import type { Stop } from "./memory.ts";

/** Larger files are compared by their ids, not by their conflicts. */
export const TEXT_LIMITS: Limits = { each: 8 * 1024 * 1024, all: 64 * 1024 * 1024 };

/** Changes when what a key is made of changes: keys of another version are of conflicts that never come again. */
const VERSION = 1;

export interface KnownConflict {
  /** 40 hex digits. */
  key: string;
  /** Files with markers: path to the text with the markers numbered. */
  marked: Map<string, string>;
}

/**
 * A file that holds conflicts is known by both sides of each of them and by the modes of its versions, so that it may differ
 * elsewhere; any other (deleted, binary, renamed in two ways, a symbolic link, a submodule) by the exact versions.
 */
export async function knowConflict(run: RunRepository, { tree, patch, entries, files }: Stop): Promise<KnownConflict> {
  const stages = new Map<string, ConflictEntry[]>();
  for (const entry of [...entries].sort((one, other) => one.stage - other.stage)) {
    stages.set(entry.path, [...(stages.get(entry.path) ?? []), entry]);
  }
  const merged = await filesAt(run, tree, [...files, ...stages.keys()]);
  const regular = new Map([...merged].filter(([, file]) => isRegular(file)));
  const versions = entries.filter((entry) => regular.has(entry.path) && isRegular(entry));
  const ids = [...regular.values(), ...versions].map(({ oid }) => oid);
  const blobs = await readObjects(run, "blob", ids, TEXT_LIMITS);
  const textAt = (path: string) => blobs?.get(regular.get(path)?.oid ?? "") ?? "";
  const conflicts = [...stages].map(([path, staged]) => {
    const hunks = hunksIn(textAt(path), staged, blobs);
    const known = hunks ?? { versions: staged.map(({ oid }) => oid) };
    return { path, stages: staged.map(({ stage, mode }) => `${stage} ${mode}`), ...known };
  });
  conflicts.sort((one, other) => (one.path < other.path ? -1 : 1));
  // A conflict without a file in conflict, as of a directory that was renamed to several, is the patch's with these files.
  const loose = entries.length === 0 ? { patch: patch.id, merged: [...merged] } : {};
  const known = JSON.stringify({ VERSION, conflicts, files: [...files].sort(), ...loose });
  const marked = [...regular.keys()].map((path): [string, string] => [path, numbered(textAt(path))]);
  return {
    key: createHash("sha256").update(known).digest("hex").slice(0, 40),
    marked: new Map(marked.filter(([path, text]) => text !== textAt(path))),
  };
}

/** Undefined unless both sides are texts of which the merged file shows all conflicts. */
function hunksIn(
  merged: string,
  staged: ConflictEntry[],
  blobs: Map<string, string> | undefined,
): { hunks: Hunk[]; open: number[] } | undefined {
  const texts = staged.flatMap(({ stage, oid }) => ({ stage, text: blobs?.get(oid) }));
  const sides = texts.filter(({ stage, text }) => stage > 1 && text !== undefined);
  const hunks = merged.includes("\0") ? undefined : hunksOf(merged);
  if (!hunks || sides.length < 2) return undefined;
  // A last line without its end looks in a conflict as if it had one.
  const open = texts.flatMap(({ stage, text }) => (text === undefined || text.endsWith("\n") ? [] : [stage]));
  return { hunks, open };
}
