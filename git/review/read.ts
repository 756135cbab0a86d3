/** Many diffs in one process: a process a patch would cost more than the carry. */

import type { RunRepository } from "../repository/run-repository.ts";
import { type Diff, parseDiffs } from "./parse.ts";

/** `[commit]` stands for what it changes against its first parent, `[commit, base]` for the difference from base to commit. */
export type Asked = readonly [commit: string, base?: string];

/** Bytes of a blob above which its lines are not read, as those of binary ones are not: nobody writes such a file by hand. */
const LARGEST_BLOB = 1024 * 1024;
/** Bytes of all diffs together. More would neither fit into a string nor be worth the wait. */
const MOST_OUTPUT = 64 * 1024 * 1024;
/** Git compares every path that it meets with each of them, and a command line has an end. */
const MOST_FILES = 1000;
const MOST_CHARACTERS = 100_000;

const FLAGS = ["--stdin", "--always", "-r", "--raw", "--no-abbrev", "--no-color"];
/** Without the lines of deleted files: they may be whole directories, and say nothing that their names do not say. */
const PATCHES = ["-M", "-p", "-D", "-U3", "--full-index", "--no-prefix", "--no-ext-diff", "--no-textconv"];

/** The files that differ, with their blobs but without their lines, renames not followed. */
export async function readEntries(run: RunRepository, asked: Asked[]): Promise<Diff[]> {
  return parseDiffs(await run.bytes(["diff-tree", ...FLAGS, "--no-renames"], { input: inputOf(asked) }));
}

/** As many of the files as `readDiffs` takes. */
export function asManyAsFit(files: string[]): string[] {
  let characters = 0;
  const end = files.findIndex((file, index) => index >= MOST_FILES || (characters += file.length) > MOST_CHARACTERS);
  return end < 0 ? files : files.slice(0, end);
}

/**
 * What was asked for, in this order, in these files alone, renames among them followed. Undefined when it is too much to be
 * read. Attributes have no say in what is text, as each git version would hear them otherwise.
 */
export async function readDiffs(run: RunRepository, asked: Asked[], files: string[]): Promise<Diff[] | undefined> {
  const limit = ["-c", `core.bigFileThreshold=${LARGEST_BLOB}`];
  const paths = new Set(files.map(asArgument));
  const { stdout } = await run.git([...limit, "diff-tree", ...FLAGS, ...PATCHES, "--", ...paths], {
    input: inputOf(asked),
  });
  if (stdout.length > MOST_OUTPUT) return undefined;
  const diffs = parseDiffs(stdout.toString("latin1"));
  const wanted = new Set(files);
  for (const diff of diffs) {
    for (const [path, { from = "", to = "" }] of diff) if (!wanted.has(from) && !wanted.has(to)) diff.delete(path);
  }
  return diffs;
}

/** Bytes of each blob that is here; a submodule's commit is none. */
export async function sizesOf(run: RunRepository, blobs: string[]): Promise<Map<string, number>> {
  if (blobs.length === 0) return new Map();
  const input = `${[...new Set(blobs)].join("\n")}\n`;
  const answers = await run.text(["cat-file", "--batch-check=%(objectname) %(objectsize)"], { input });
  return new Map(
    answers.split("\n").flatMap((answer) => {
      const [blob = "", size = ""] = answer.split(" ");
      return /^\d+$/.test(size) ? [[blob, Number(size)]] : [];
    }),
  );
}

function inputOf(asked: Asked[]): string {
  return asked.map((each) => `${each.join(" ")}\n`).join("");
}

/** Arguments are UTF-8: a name that is not is asked for by the directory above it. */
function asArgument(path: string): string {
  const bytes = Buffer.from(path, "latin1");
  const text = bytes.toString("utf8");
  if (Buffer.from(text, "utf8").equals(bytes)) return text;
  return path.includes("/") ? asArgument(path.slice(0, path.lastIndexOf("/"))) : ".";
}
