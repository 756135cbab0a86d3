/** Files of trees: looks them up, compares, reads and replaces them. Paths are bytes (paths.ts). */

import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { RunRepository } from "./run-repository.ts";

/** What a tree has at a path: a file, symbolic link or submodule; a directory has the mode 040000. */
export interface TreeFile {
  mode: string;
  oid: string;
}

export interface ChangedFile {
  path: string;
  before?: TreeFile;
  after?: TreeFile;
}

/** In bytes: for one object, and for all together. */
export interface Limits {
  each: number;
  all: number;
}

const NULL_ID = "0".repeat(40);
/** Far less than any system's limit for arguments. */
const MOST_ARGUMENT_BYTES = 60_000;

export function isSameFile(one: TreeFile | undefined, other: TreeFile | undefined): boolean {
  return one?.mode === other?.mode && one?.oid === other?.oid;
}

export function isRegular(file: TreeFile | undefined): file is TreeFile {
  return file?.mode.startsWith("100") ?? false;
}

/** What the tree has at these paths. */
export async function filesAt(run: RunRepository, tree: string, paths: string[]): Promise<Map<string, TreeFile>> {
  if (paths.length === 0) return new Map();
  const wanted = new Set(paths);
  const args = [...wanted].flatMap((path) => asArgument(path) ?? []);
  const fit = args.length === wanted.size && args.join("").length < MOST_ARGUMENT_BYTES;
  // Names that cannot be arguments are found by looking through all.
  const flags = ["-t", "-z", "--full-tree", ...(fit ? [] : ["-r"])];
  const listing = await run.bytes(["ls-tree", ...flags, "--", tree, ...(fit ? args : [])]);
  const files = new Map<string, TreeFile>();
  for (const line of listing.split("\0").filter(Boolean)) {
    const tab = line.indexOf("\t");
    const [mode = "", , oid = ""] = line.slice(0, tab).split(" ");
    if (wanted.has(line.slice(tab + 1))) files.set(line.slice(tab + 1), { mode, oid });
  }
  return files;
}

/** Arguments of processes are UTF-8: undefined for a path that is not. */
function asArgument(path: string): string | undefined {
  const bytes = Buffer.from(path, "latin1");
  const text = bytes.toString("utf8");
  return Buffer.from(text, "utf8").equals(bytes) ? text : undefined;
}

/** What differs between two trees; a renamed file is one that went and one that came. */
export async function changedFiles(run: RunRepository, before: string, after: string): Promise<ChangedFile[]> {
  if (before === after) return [];
  const output = await run.bytes(["diff-tree", "-r", "-z", "--raw", "--no-abbrev", "--no-renames", before, after]);
  const fields = output.split("\0");
  const changed: ChangedFile[] = [];
  for (let at = 0; at + 1 < fields.length; at += 2) {
    const [oldMode = "", mode = "", oldOid = "", oid = ""] = (fields[at] as string).slice(1).split(" ");
    changed.push({
      path: fields[at + 1] as string,
      ...(oldOid !== NULL_ID && { before: { mode: oldMode, oid: oldOid } }),
      ...(oid !== NULL_ID && { after: { mode, oid } }),
    });
  }
  return changed;
}

/** Objects as text of one character a byte; larger ones are left out. Undefined when they are too large together. */
export async function readObjects(
  run: RunRepository,
  type: "blob" | "tree",
  ids: string[],
  limits: Limits,
): Promise<Map<string, string> | undefined> {
  const sizes = await sizesOf(run, type, ids);
  const due = [...sizes].filter(([, size]) => size <= limits.each);
  if (due.reduce((sum, [, size]) => sum + size, 0) > limits.all) return undefined;
  const objects = new Map<string, string>();
  if (due.length === 0) return objects;
  const { stdout } = await run.git(["cat-file", "--batch"], { input: due.map(([id]) => `${id}\n`).join("") });
  let at = 0;
  for (const [id, size] of due) {
    const start = stdout.indexOf(10, at) + 1;
    objects.set(id, stdout.toString("latin1", start, start + size));
    at = start + size + 1;
  }
  return objects;
}

/** In bytes; without those of another type, and those that are not here. */
export async function sizesOf(run: RunRepository, type: "blob" | "tree", ids: string[]): Promise<Map<string, number>> {
  if (ids.length === 0) return new Map();
  const listing = await run.text(["cat-file", "--batch-check"], { input: `${[...new Set(ids)].join("\n")}\n` });
  return new Map(
    listing.split("\n").flatMap((line): [string, number][] => {
      const [id = "", found, size] = line.split(" ");
      return found === type ? [[id, Number(size)]] : [];
    }),
  );
}

/** The tree (or an empty one) with files replaced; undefined deletes. Undefined when git refuses one of the paths. */
export async function editTree(
  run: RunRepository,
  tree: string | undefined,
  files: Map<string, TreeFile | undefined>,
): Promise<string | undefined> {
  const environment = await indexOf(run, tree, files);
  return environment && run.text(["write-tree"], { environment });
}

/** The environment of git processes that see such a tree as their index, until the next one is made. */
export async function indexOf(
  run: RunRepository,
  tree: string | undefined,
  files: Map<string, TreeFile | undefined>,
): Promise<Record<string, string> | undefined> {
  const environment = { GIT_INDEX_FILE: join(run.path, "edit-index") };
  await rm(environment.GIT_INDEX_FILE, { force: true });
  if (tree) await run.git(["read-tree", tree], { environment });
  // What goes makes room for what comes: a directory may take the place of a file.
  const lines = [...files].sort(([, one], [, other]) => Number(one !== undefined) - Number(other !== undefined));
  const input = lines.map(([path, file]) => `${file?.mode ?? "0"} ${file?.oid ?? NULL_ID}\t${path}\0`).join("");
  if (input === "") return environment;
  const args = ["update-index", "-z", "--index-info"];
  const { exitCode, stderr } = await run.git(args, { environment, input: Buffer.from(input, "latin1"), accept: [128] });
  // A path that no work tree may have, such as a .gitmodules that is a link, is not an error to git (builtin/update-index.c).
  return exitCode === 0 && !/^Ignoring path /m.test(stderr) ? environment : undefined;
}
