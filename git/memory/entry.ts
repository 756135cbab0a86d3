/**
 * A remembered resolution as a commit without parents. Its tree has, of each file that the person changed, what it was in the
 * conflict under `conflict/` and what it became under `resolution/`; its message says in JSON what it is of.
 */

import { z } from "zod";
import { isCommitId } from "../recipe.ts";
import { COMMITTER, type Commit, secondsOf, writeObject } from "../repository/commit-object.ts";
import type { RunRepository } from "../repository/run-repository.ts";
import { isSafePath, MOST_PATH_BYTES } from "../repository/safe-path.ts";
import { type ChangedFile, editTree, type Limits, readObjects, type TreeFile } from "../repository/tree-files.ts";

/** Whoever changes more files than this while resolving did more than to resolve. */
export const MOST_FILES = 1_000;

/** A tree of so many bytes has more files than that. */
const TREE_LIMITS: Limits = { each: 1024 * 1024, all: 8 * 1024 * 1024 };

/** Longer texts are cut, and no more files than this are named. */
const MOST_CHARACTERS = 300;
const MOST_NAMES = 100;

const name = z.string().transform(shown);
const commitId = z.string().refine(isCommitId);
const ORIGIN = z.object({
  /** The stopped patch. */
  patch: commitId,
  subject: name,
  /** The files in conflict. */
  files: z.array(name).max(MOST_NAMES),
  release: name,
  by: name,
  /** What the person made of the patch. */
  commit: commitId,
});

export type Origin = z.infer<typeof ORIGIN>;

const MODES = ["100644", "100755", "120000", "160000"];
const SIDES = { before: "conflict/", after: "resolution/" } as const;

/** Stores the entry and returns its id: the same on every machine. `seconds` is when it was resolved. Undefined when a path is not safe. */
export async function writeEntry(
  run: RunRepository,
  changed: ChangedFile[],
  origin: Origin,
  seconds: string,
): Promise<string | undefined> {
  if (!changed.every(({ path }) => isSafePath(path))) return undefined;
  const files = new Map<string, TreeFile | undefined>();
  for (const { path, before, after } of changed) {
    if (before) files.set(SIDES.before + path, before);
    if (after) files.set(SIDES.after + path, after);
  }
  const tree = await editTree(run, undefined, files);
  if (!tree) return undefined;
  const said = ORIGIN.parse({ ...origin, files: origin.files.slice(0, MOST_NAMES) });
  const line = `${COMMITTER} ${seconds} +0000`;
  const message = `Resolve "${said.subject}" on ${said.release}\n\n${JSON.stringify(said)}\n`;
  return writeObject(run, "commit", Buffer.from(`tree ${tree}\nauthor ${line}\ncommitter ${line}\n\n${message}`));
}

/** What the entry is of, and when it was made (ISO 8601). Undefined for what somebody wrote that is not understood. */
export function originOf({ message, parents, committer }: Commit): (Origin & { createdAt: string }) | undefined {
  const text = Buffer.from(message, "latin1").toString("utf8");
  const origin = ORIGIN.safeParse(parsed(text.slice(text.indexOf("\n\n") + 2)));
  const at = new Date(Number(secondsOf(committer)) * 1000);
  if (!origin.success || parents.length > 0 || Number.isNaN(at.getTime())) return undefined;
  return { ...origin.data, createdAt: at.toISOString() };
}

/** The files that the person changed. Undefined for what somebody wrote that is not understood, or not safe. */
export async function changesOf(run: RunRepository, tree: string): Promise<ChangedFile[] | undefined> {
  const files = await fewFiles(run, tree, 2 * MOST_FILES);
  if (!files) return undefined;
  const changed = new Map<string, ChangedFile>();
  for (const [place, file] of files) {
    const side = place.startsWith(SIDES.before) ? "before" : "after";
    const path = place.slice(SIDES[side].length);
    if (!place.startsWith(SIDES[side]) || !isSafePath(path) || !MODES.includes(file.mode)) return undefined;
    changed.set(path, { ...changed.get(path), path, [side]: file });
  }
  return [...changed.values()];
}

/**
 * All files of a tree, level by level; undefined when there are more than `most`. A tree that names one other tree many times,
 * which does the same, is small and holds more files than any machine can list.
 */
async function fewFiles(run: RunRepository, tree: string, most: number): Promise<Map<string, TreeFile> | undefined> {
  const files = new Map<string, TreeFile>();
  let level = new Map([["", tree]]);
  while (level.size > 0) {
    const trees = await readObjects(run, "tree", [...level.values()], TREE_LIMITS);
    const next = new Map<string, string>();
    for (const [directory, id] of level) {
      for (const { name, ...file } of filesIn(trees?.get(id))) {
        if (name.includes("/")) return undefined;
        if (file.mode === "40000") next.set(`${directory}${name}/`, file.oid);
        else files.set(directory + name, file);
      }
      if (!trees?.has(id) || directory.length > MOST_PATH_BYTES || files.size + next.size > most) return undefined;
    }
    level = next;
  }
  return files;
}

/** `{<mode> SP <name> NUL <20 bytes of the id>}` (gitformat-pack and git's tree.c); one character a byte. */
function filesIn(raw = ""): (TreeFile & { name: string })[] {
  const files: (TreeFile & { name: string })[] = [];
  for (let at = 0; at < raw.length; ) {
    const end = raw.indexOf("\0", at);
    if (end < 0) break;
    const [mode = "", ...name] = raw.slice(at, end).split(" ");
    const oid = Buffer.from(raw.slice(end + 1, end + 21), "latin1").toString("hex");
    files.push({ mode, name: name.join(" "), oid });
    at = end + 21;
  }
  return files;
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}

/** One line of text that does nothing to a terminal. */
function shown(text: string): string {
  return text.replace(/[\x00-\x1f\x7f-\x9f]/g, " ").slice(0, MOST_CHARACTERS);
}
