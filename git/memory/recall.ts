/** Uses a remembered resolution on a conflict that came again, perhaps in files that differ elsewhere. */

import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { writeObject } from "../repository/commit-object.ts";
import type { RunRepository } from "../repository/run-repository.ts";
import {
  type ChangedFile,
  changedFiles,
  editTree,
  filesAt,
  indexOf,
  isRegular,
  isSameFile,
  readObjects,
  type TreeFile,
} from "../repository/tree-files.ts";
import { type KnownConflict, TEXT_LIMITS } from "./conflict-key.ts";
import { holdsMarkers } from "./conflict-text.ts";
import type { Stop } from "./memory.ts";

/** A file that is not what it was when the person changed it, but could be merged with what they did. */
interface Difference {
  path: string;
  mode: string;
  /** Now, before the person, and after. */
  versions: [string, string, string];
}

interface Edit {
  file: TreeFile | undefined;
  /** Where it was read. */
  text: string | undefined;
}

/** git says with this how many conflicts there are, up to 127 (git-merge-file(1)). */
const CONFLICTS = Array.from({ length: 127 }, (_, index) => index + 1);

/**
 * The stop's tree with the person's changes. Undefined when one of them neither fits exactly nor merges cleanly, and when a
 * marker would be left: then nothing of the resolution is used.
 */
export async function resolveAgain(
  run: RunRepository,
  stop: Stop,
  { marked }: KnownConflict,
  changed: ChangedFile[],
): Promise<string | undefined> {
  const found = await filesAt(
    run,
    stop.tree,
    changed.map(({ path }) => path),
  );
  for (const [path, { mode }] of found) if (mode === "040000") found.delete(path);
  const text = await readTexts(run, found, marked, changed);
  const edits = new Map<string, Edit>();
  const differences: Difference[] = [];
  for (const { path, before, after } of changed) {
    const file = found.get(path);
    const now = marked.get(path) ?? text(file);
    const isKnown = marked.has(path) ? file?.mode === before?.mode && now === text(before) : isSameFile(file, before);
    if (isKnown) edits.set(path, { file: after, text: text(after) });
    else if (!isSameFile(file, after)) {
      const mode = mergedMode(file, before, after);
      const versions = [now, text(before), text(after)];
      if (!mode || !areLines(versions)) return undefined;
      differences.push({ path, mode, versions });
    }
  }
  const asides = differences.flatMap(({ path }) => (marked.has(path) ? [] : [path]));
  if (!(await mergeByLine(run, stop.tree, asides))) return undefined;
  for (const difference of differences) {
    const edit = await mergeFile(run, difference);
    if (!edit) return undefined;
    edits.set(difference.path, edit);
  }
  const isLeft = [...marked.keys()].some((path) => !edits.has(path) || holdsMarkers(edits.get(path)?.text ?? ""));
  return isLeft ? undefined : edited(run, stop.tree, new Map([...edits].map(([path, { file }]) => [path, file])));
}

/** Reads what has to be compared: files with markers, and those that are not what they were. */
async function readTexts(
  run: RunRepository,
  found: Map<string, TreeFile>,
  marked: Map<string, string>,
  changed: ChangedFile[],
): Promise<(file: TreeFile | undefined) => string | undefined> {
  const unlike = changed.filter(({ path, before }) => marked.has(path) || !isSameFile(found.get(path), before));
  const files = unlike.flatMap(({ path, before, after }) => [found.get(path), before, after].filter(isRegular));
  const ids = files.map(({ oid }) => oid);
  const blobs = await readObjects(run, "blob", ids, TEXT_LIMITS);
  return (file) => blobs?.get(file?.oid ?? "");
}

/** Undefined when a file would have to go for it that the person did not remove, as where a directory takes its place. */
async function edited(
  run: RunRepository,
  tree: string,
  edits: Map<string, TreeFile | undefined>,
): Promise<string | undefined> {
  const result = await editTree(run, tree, edits);
  const changed = result ? await changedFiles(run, tree, result) : [];
  return changed.every(({ path }) => edits.has(path)) ? result : undefined;
}

/** Undefined when the three are not all ordinary files, or disagree. */
function mergedMode(now?: TreeFile, before?: TreeFile, after?: TreeFile): string | undefined {
  if (!isRegular(now) || !isRegular(before) || !isRegular(after)) return undefined;
  if (now.mode === before.mode || now.mode === after.mode) return after.mode;
  return before.mode === after.mode ? now.mode : undefined;
}

function areLines(texts: (string | undefined)[]): texts is [string, string, string] {
  return texts.every((text) => text !== undefined && !text.includes("\0"));
}

/** Whether git would merge these files line by line, by the attributes in the tree. */
async function mergeByLine(run: RunRepository, tree: string, paths: string[]): Promise<boolean> {
  const directories = paths.flatMap((path) => path.split("/").map((_, at, parts) => parts.slice(0, at).concat("")));
  const attributes = await filesAt(
    run,
    tree,
    directories.map((directory) => `${directory.join("/")}.gitattributes`),
  );
  const environment = attributes.size > 0 && (await indexOf(run, undefined, attributes));
  if (!environment) return attributes.size === 0;
  const input = Buffer.from(paths.map((path) => `${path}\0`).join(""), "latin1");
  const answer = await run.bytes(["check-attr", "--cached", "-z", "--stdin", "merge"], { environment, input });
  // `{<path> NUL merge NUL <value> NUL}` (git-check-attr(1), OUTPUT).
  const values = answer.split("\0").filter((_, index) => index % 3 === 2);
  return values.every((value) => ["unspecified", "set", "text"].includes(value));
}

/** Undefined when both changed the same lines. */
async function mergeFile(run: RunRepository, { mode, versions }: Difference): Promise<Edit | undefined> {
  const names = ["merge-now", "merge-before", "merge-after"];
  for (const [at, name] of names.entries()) await writeFile(join(run.path, name), versions[at] as string, "latin1");
  const { exitCode, stdout } = await run.git(["merge-file", "-p", "-q", ...names], { accept: CONFLICTS });
  if (exitCode !== 0) return undefined;
  return { file: { mode, oid: writeObject(run, "blob", stdout) }, text: stdout.toString("latin1") };
}
