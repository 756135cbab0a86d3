/** Lets merges honour the .gitattributes of what a patch is carried onto, as a rebase in a checkout of it does. */

import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { RunRepository } from "../repository/run-repository.ts";
import { isSafePath } from "../repository/safe-path.ts";
import { readObjects } from "../repository/tree-files.ts";

/** How a git process is started so that it reads the attributes that are meant. */
export interface AttributeView {
  cwd: string;
  /** Before the command. */
  flags: string[];
  environment: Record<string, string>;
}

/** What bears on which .gitattributes can matter. */
export interface Scope {
  /** The commit under the stack. */
  base: string;
  /** All files that the stack changes. */
  files: string[];
}

/** The attributes of `commit`. For older gits those that can matter to the scope, or all, are laid out in a directory. */
export async function viewAttributes(run: RunRepository, commit: string, scope?: Scope): Promise<AttributeView> {
  const plain = { cwd: run.path, flags: [], environment: {} };
  // Git has it since 2.41, where `merge-tree --stdin` crashes of it; it works in 2.47, and 2.45 brought other changes.
  if (await run.engine.atLeast("2.45")) return { ...plain, environment: { GIT_ATTR_SOURCE: commit } };
  const found = (scope && (await attributesAbove(run, commit, scope))) ?? (await allAttributes(run, commit));
  if (found.length === 0) return plain;
  const directory = join(run.path, "attributes", commit);
  const ids = found.map(([, blob]) => blob);
  const blobs = await readObjects(run, "blob", ids, LIMITS);
  for (const [path, blob] of found) {
    const file = Buffer.from(`${directory}/${path}`, "latin1");
    await mkdir(Buffer.from(dirname(file.toString("latin1")), "latin1"), { recursive: true });
    await writeFile(file, blobs?.get(blob) ?? "", "latin1");
  }
  const environment = { GIT_DIR: run.path, GIT_WORK_TREE: directory };
  return { cwd: directory, flags: ["-c", "core.bare=false"], environment };
}

/** Git reads none that is larger (ATTR_MAX_FILE_SIZE). */
const LIMITS = { each: 100 * 1024 * 1024, all: 200 * 1024 * 1024 };

type Found = [path: string, blob: string];

const NAME = ".gitattributes";

export function isAttributesFile(path: string): boolean {
  return path === NAME || path.endsWith(`/${NAME}`);
}

/**
 * Those above the files. Undefined when a file of the base is not at its place any more: then any of them can matter. A tree of
 * 300,000 files takes longer to list than a stack to carry.
 */
async function attributesAbove(
  run: RunRepository,
  commit: string,
  { base, files }: Scope,
): Promise<Found[] | undefined> {
  // Such a name cannot be asked for by line.
  if (files.some((file) => file.includes("\n"))) return undefined;
  const directories = new Set<string>([""]);
  for (const file of files) for (const directory of directoriesOf(file)) directories.add(directory);
  const paths = [...directories].map((directory) => `${directory}${NAME}`);
  const asked = [
    ...paths.map((path) => `${commit}:${path}`),
    ...files.flatMap((file) => [`${base}:${file}`, `${commit}:${file}`]),
  ];
  const input = Buffer.from(asked.map((name) => `${name}\n`).join(""), "latin1");
  const answers = (await run.bytes(["cat-file", "--batch-check=%(objectname)"], { input })).split("\n");
  const ids = answers.map((answer) => (/^[0-9a-f]+$/.test(answer) ? answer : undefined));
  const isGone = (index: number) => ids[paths.length + 2 * index] && !ids[paths.length + 2 * index + 1];
  if (files.some((_, index) => isGone(index))) return undefined;
  return safe(paths.map((path, index) => [path, ids[index] ?? ""]));
}

function directoriesOf(file: string): string[] {
  const parts = file.split("/").slice(0, -1);
  return parts.map((_, index) => `${parts.slice(0, index + 1).join("/")}/`);
}

async function allAttributes(run: RunRepository, commit: string): Promise<Found[]> {
  const listing = (await run.bytes(["ls-tree", "-r", "-z", "--full-tree", commit])).split("\0");
  return safe(
    listing.map((line): Found => {
      const tab = line.indexOf("\t");
      return [line.slice(tab + 1), line.slice(0, tab).split(" ")[2] ?? ""];
    }),
  );
}

function safe(found: Found[]): Found[] {
  return found.filter(([path, blob]) => blob !== "" && isAttributesFile(path) && isSafePath(path));
}
