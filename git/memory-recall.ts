/** Uses a remembered resolution on a conflict that came again, perhaps in files that differ elsewhere. */

import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { writeObject } from "./commit-object.ts";
import { type KnownConflict, TEXT_LIMITS } from "./conflict-key.ts";
import { holdsMarkers } from "./conflict-text.ts";
import type { Stop } from "./memory.ts";
import type { RunRepository } from "./run-repository.ts";
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
} from "./tree-files.ts";

/** A file that is not what it was when the person changed it. */
interface Difference {
  path: string;
  mode: string;
  now: string;
  before: string;
  after: string;
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
  const paths = changed.map(({ path }) => path);
  const found = new Map([...(await filesAt(run, stop.tree, paths))].filter(([, { mode }]) => mode !== "040000"));
  const inConflict = new Set([...stop.files, ...stop.entries.map(({ path }) => path)]);
  const unlike = changed.filter(({ path, before }) => marked.has(path) || !isSameFile(found.get(path), before));
  const ids = unlike.flatMap(({ path, before, after }) => [found.get(path), before, after].filter(isRegular));
  const blobs = await readObjects(run, "blob", [...new Set(ids.map(({ oid }) => oid))], TEXT_LIMITS);
  const text = (file: TreeFile | undefined) => blobs?.get(file?.oid ?? "");
  const edits = new Map<string, TreeFile | undefined>();
  const differences: Difference[] = [];
  for (const { path, before, after } of changed) {
    const file = found.get(path);
    const now = marked.get(path) ?? text(file);
    const isKnown = marked.has(path) ? file?.mode === before?.mode && now === text(before) : isSameFile(file, before);
    if (isKnown) edits.set(path, after);
    else if (!isSameFile(file, after)) {
      const mode = mergedMode(file, before, after);
      const texts = [now, text(before), text(after)];
      // What is in conflict without markers is known by its exact versions: it cannot differ and be the same conflict.
      if (!mode || !texts.every(isLines) || (inConflict.has(path) && !marked.has(path))) return undefined;
      differences.push({ path, mode, now: texts[0] as string, before: texts[1] as string, after: texts[2] as string });
    }
  }
  const asides = differences.flatMap(({ path }) => (marked.has(path) ? [] : [path]));
  if (!(await mergeByLine(run, stop.tree, asides))) return undefined;
  const results = new Map(changed.map(({ path, after }) => [path, text(after)]));
  for (const difference of differences) {
    const merged = await mergeFile(run, difference);
    if (merged === undefined) return undefined;
    results.set(difference.path, merged);
    const oid = writeObject(run, "blob", Buffer.from(merged, "latin1"));
    edits.set(difference.path, { mode: difference.mode, oid });
  }
  const isLeft = [...marked.keys()].some((path) => !edits.has(path) || holdsMarkers(results.get(path) ?? ""));
  return isLeft ? undefined : edited(run, stop.tree, edits);
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

function isLines(text: string | undefined): boolean {
  return text !== undefined && !text.includes("\0");
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
async function mergeFile(run: RunRepository, { now, before, after }: Difference): Promise<string | undefined> {
  const versions = { "merge-now": now, "merge-before": before, "merge-after": after };
  for (const [name, text] of Object.entries(versions)) await writeFile(join(run.path, name), text, "latin1");
  const { exitCode, stdout } = await run.git(["merge-file", "-p", "-q", ...Object.keys(versions)], {
    accept: CONFLICTS,
  });
  return exitCode === 0 ? stdout.toString("latin1") : undefined;
}
