/** Lets merges honour the release's .gitattributes, as a rebase in a checkout of it would. */

import { mkdir, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { filesOf } from "./changes.ts";
import type { Commit } from "./commit-object.ts";
import type { RunRepository } from "./run-repository.ts";
import type { Span } from "./upstream-history.ts";

/** The environment in which this git reads the attributes of a commit; empty where they must be written down. */
export async function attributesFrom(run: RunRepository, commit: string): Promise<Record<string, string>> {
  return (await isEnough(run)) ? { GIT_ATTR_SOURCE: commit } : {};
}

/** Git has it since 2.41, where `merge-tree --stdin` crashes of it; 2.47 was seen to work, and 2.45 is where we change ways anyway. */
function isEnough(run: RunRepository): Promise<boolean> {
  return run.engine.atLeast("2.45");
}

/**
 * For older gits: gathers those .gitattributes of the release that can matter to the stack's patches into the repository's
 * own. Where a file is not at its place any more, all of them can.
 */
export async function writeAttributes(run: RunRepository, span: Span, stack: Commit[]): Promise<void> {
  if (await isEnough(run)) return;
  const files = [...new Set([...(await filesOf(run, stack)).values()].flat())];
  const found = (await attributesAbove(run, span, files)) ?? (await allAttributes(run, span.release));
  // Of two lines the later wins, as the deeper file does.
  found.sort(([one], [other]) => one.split("/").length - other.split("/").length || (one < other ? -1 : 1));
  const parts: string[] = [];
  for (const [path, blob] of found) {
    parts.push(attributesUnder(dirname(path), (await run.git(["cat-file", "blob", blob])).stdout.toString("utf8")));
  }
  if (parts.length === 0) return;
  await mkdir(dirname(attributesFile(run)), { recursive: true });
  await writeFile(attributesFile(run), parts.join("\n"));
}

type Found = [path: string, blob: string];

const NAME = ".gitattributes";

/** Undefined when a file of the base is not in the release. A tree of 300,000 files takes longer to list than a stack to carry. */
async function attributesAbove(
  run: RunRepository,
  { base, release }: Span,
  files: string[],
): Promise<Found[] | undefined> {
  if (files.some((file) => !isPlain(file))) return undefined;
  const directories = new Set<string>([""]);
  for (const file of files)
    for (let at = file.lastIndexOf("/"); at > 0; at = file.lastIndexOf("/", at - 1))
      directories.add(file.slice(0, at + 1));
  const paths = [...directories].map((directory) => `${directory}${NAME}`);
  const asked = [
    ...paths.map((path) => `${release}:${path}`),
    ...files.flatMap((file) => [`${base}:${file}`, `${release}:${file}`]),
  ];
  const input = asked.map((name) => `${name}\n`).join("");
  const answers = (await run.text(["cat-file", "--batch-check=%(objectname)"], { input })).split("\n");
  const blobs = answers.map((answer) => (answer.endsWith(" missing") ? undefined : answer));
  const isGone = (index: number) => blobs[paths.length + 2 * index] && !blobs[paths.length + 2 * index + 1];
  if (files.some((_, index) => isGone(index))) return undefined;
  return paths.flatMap((path, index) => {
    const blob = blobs[index];
    return blob ? [[path, blob] as Found] : [];
  });
}

async function allAttributes(run: RunRepository, commit: string): Promise<Found[]> {
  const listing = await run.text(["ls-tree", "-r", "-z", "--full-tree", commit]);
  return listing.split("\0").flatMap((line) => {
    const [head = "", path = ""] = line.split("\t");
    return /(^|\/)\.gitattributes$/.test(path) && isPlain(path) ? [[path, head.split(" ")[2] as string] as Found] : [];
  });
}

/** An export reads the attributes of the tree it exports. */
export async function removeAttributes(run: RunRepository): Promise<void> {
  await rm(attributesFile(run), { force: true });
}

/** Directories whose names would have to be quoted in a pattern are left out. */
function isPlain(name: string): boolean {
  return !/[^\w./+@-]/.test(name);
}

/** The lines as they have to stand at the root (gitattributes(5): patterns are those of gitignore). */
export function attributesUnder(directory: string, content: string): string {
  if (directory === ".") return content;
  return content
    .split("\n")
    .flatMap((line) => {
      const [, pattern, attributes] = /^\s*([^\s"#[]\S*)(\s.*)$/.exec(line) ?? [];
      if (!pattern) return [];
      const isAnchored = pattern.slice(0, -1).includes("/");
      return [`${directory}/${isAnchored ? pattern.replace(/^\//, "") : `**/${pattern}`}${attributes}`];
    })
    .join("\n");
}

function attributesFile(run: RunRepository): string {
  return join(run.path, "info", "attributes");
}
