/** What commits change, line by line, and which of them make the same change as git's patch-id understands it. */

import { createHash } from "node:crypto";
import type { RunRepository } from "../repository/run-repository.ts";
import { againstFirstParents, type Diffed, type FileChange } from "./changes.ts";

/** Lines are bytes (latin1), without their ends. */
export interface FileDiff {
  /** "" where there is no file. */
  modes: { before: string; after: string };
  added: string[];
  removed: string[];
}

export interface Diff {
  /** Equal where git-patch-id(1) is: the same lines in the same surroundings, whatever the white space; and the same modes. */
  patchId: string;
  /** Equal only where every byte is. */
  exactId: string;
  /** By path. */
  files: Map<string, FileDiff>;
}

/** A commit with its changes in git's order. */
export type Changed = Diffed & { changes: FileChange[] };

/** Every tree of every commit is looked through for each of the paths: with more it is quicker to read whole diffs. */
export const MOST_PATHS = 50;

/** A whole diff of more files is that of an import or of a sweep through the tree: large, and no answer to anything. */
export const MOST_FILES = 1_000;

/**
 * Diffs of commits against their first parents, in one process; where git can be told so, of the files at `paths` only.
 * Attributes have no say in them: every file is text, as else each git version would see other binaries.
 */
export async function diffsOf(
  run: RunRepository,
  commits: Changed[],
  paths: string[] = [],
): Promise<Map<string, Diff>> {
  if (commits.length === 0) return new Map();
  const flags = ["--text", "--full-index", "--no-renames", "--no-prefix", "--no-ext-diff", "--no-textconv"];
  const only = paths.length <= MOST_PATHS && paths.every(isText) ? paths : [];
  const args = ["diff-tree", "--stdin", "-r", "-p", "--root", ...flags, "--", ...only.map(asText)];
  const { stdout } = await run.git(args, { input: againstFirstParents(commits) });
  // A path stands for all that is under it too.
  const isRead = ({ path }: FileChange) =>
    only.length === 0 || only.some((each) => path === each || path.startsWith(`${each}/`));
  const sections = new Map<string, string[][]>(commits.map(({ id }) => [id, []]));
  let current: string[][] | undefined;
  for (const line of linesOf(stdout)) {
    // No line of a diff is an id alone: those of files begin with a sign, the others with a word.
    if (sections.has(line)) current = sections.get(line);
    else if (line.startsWith("diff --git ")) current?.push([line]);
    else current?.at(-1)?.push(line);
  }
  return new Map(commits.map(({ id, changes }) => [id, diffOf(changes.filter(isRead), sections.get(id) ?? [])]));
}

function* linesOf(output: Buffer): Generator<string> {
  for (let at = 0; at < output.length; ) {
    const end = output.indexOf(10, at);
    yield output.toString("latin1", at, end < 0 ? output.length : end);
    at = end < 0 ? output.length : end + 1;
  }
}

/** Arguments of a process are text: other bytes cannot be handed over. */
function isText(path: string): boolean {
  return Buffer.from(asText(path), "utf8").equals(Buffer.from(path, "latin1"));
}

function asText(path: string): string {
  return Buffer.from(path, "latin1").toString("utf8");
}

function diffOf(changes: FileChange[], sections: string[][]): Diff {
  const [loose, exact] = [createHash("sha1"), createHash("sha1")];
  for (const section of sections) {
    const counted = countedLines(section);
    exact.update(`${counted.join("\n")}\n`, "latin1");
    const words = counted.filter((line) => !line.startsWith("@@") && !line.startsWith("\\ "));
    loose.update(words.map(withoutSpace).join(""), "latin1");
  }
  return { patchId: loose.digest("hex"), exactId: exact.digest("hex"), files: filesIn(changes, sections) };
}

/** What a patch-id is made of: not where the lines are, and which blobs only for what is no text. */
function countedLines(section: string[]): string[] {
  const isBinary = section.some((line) => line.includes("\0"));
  return section
    .filter((line) => isBinary || !line.startsWith("index "))
    .map((line) => (line.startsWith("@@ ") ? "@@" : line));
}

/** Sections come in the order of the changes; a file of another type has two: the old one goes, the new one comes. */
function filesIn(changes: FileChange[], sections: string[][]): Map<string, FileDiff> {
  const files = new Map<string, FileDiff>();
  let at = 0;
  for (const { path, status } of changes) {
    const parts = sections.slice(at, status === "T" ? at + 2 : at + 1).map(fileDiff);
    at += parts.length;
    const modes = { before: parts[0]?.modes.before ?? "", after: parts.at(-1)?.modes.after ?? "" };
    const [added, removed] = [parts.flatMap((part) => part.added), parts.flatMap((part) => part.removed)];
    files.set(path, { modes, added, removed });
  }
  return files;
}

function fileDiff(section: string[]): FileDiff {
  const start = section.findIndex((line) => line.startsWith("@@ "));
  const [head, body] = start < 0 ? [section, []] : [section.slice(0, start), section.slice(start)];
  const signed = (sign: string) => body.filter((line) => line.startsWith(sign)).map((line) => line.slice(1));
  return { modes: modesOf(head), added: signed("+"), removed: signed("-") };
}

function modesOf(head: string[]): FileDiff["modes"] {
  const after = (words: string) => head.find((line) => line.startsWith(words))?.slice(words.length);
  const same = /^index \S+ (\d+)$/.exec(head.find((line) => line.startsWith("index ")) ?? "")?.[1] ?? "";
  const [before, now] = [
    after("old mode ") ?? after("deleted file mode "),
    after("new mode ") ?? after("new file mode "),
  ];
  return { before: before ?? (now === undefined ? same : ""), after: now ?? (before === undefined ? same : "") };
}

/** As git counts white space in patch-ids. */
export function withoutSpace(line: string): string {
  return line.replace(/[ \t\r\n]+/g, "");
}
