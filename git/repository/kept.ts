/**
 * What one step leaves for the next on the same machine: the objects of a commit that it fetched or made. A cache: every
 * step can do without, and does when what is kept turns out to be broken.
 */

import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readdir, rename, rm, stat, utimes } from "node:fs/promises";
import { join } from "node:path";
import { INCARNATION } from "../process/processes.ts";
import type { Recipe } from "../recipe.ts";

/** Longer than a run may take, so that none loses what it borrows. */
const KEPT_FOR_MS = 2 * 24 * 60 * 60 * 1000;

function keptDirectory(directory: string): string {
  return join(directory, "kept");
}

/** Only what this very process has kept is used: what was kept before a crash may be half on disk. */
function keptPath(directory: string, name: string): string {
  return join(keptDirectory(directory), `${INCARNATION}-${name}`);
}

/** What a commit is kept as that came of this recipe, and of no other. */
export function madeBy({ release, tip, base, decisions }: Recipe, commit: string): string {
  const recipe = JSON.stringify([release, tip, base, decisions]);
  return `${commit}-${createHash("sha256").update(recipe).digest("hex").slice(0, 16)}`;
}

/** The objects directories kept by these names; together with the mirror, their commits are whole. */
export async function keptObjects(directory: string, names: string[]): Promise<string[]> {
  const paths = names.map((name) => keptPath(directory, name)).filter((path) => existsSync(path));
  const now = new Date();
  // Somebody may delete it at this moment: then git says so, and it is done without.
  await Promise.all(paths.map((path) => utimes(path, now, now).catch(() => undefined)));
  return paths;
}

/** Takes over the objects of a repository that nobody uses any more. Whole when it is there: it is renamed. */
export async function keepObjects(directory: string, name: string, repository: string): Promise<void> {
  await mkdir(keptDirectory(directory), { recursive: true });
  // Kept already by somebody else, or a disk that is full: then it is made again.
  await rename(join(repository, "objects"), keptPath(directory, name)).catch(() => undefined);
}

export async function dropKept(paths: string[]): Promise<void> {
  await Promise.all(paths.map((path) => rm(path, { recursive: true, force: true, maxRetries: 3 })));
}

/** Deletes what no step asked for in a long time. */
export async function collectKept(directory: string): Promise<void> {
  const names = await readdir(keptDirectory(directory)).catch(() => []);
  const paths = names.map((name) => join(keptDirectory(directory), name));
  const times = await Promise.all(
    paths.map((path) =>
      stat(path).then(
        ({ mtimeMs }) => mtimeMs,
        () => 0,
      ),
    ),
  );
  await dropKept(paths.filter((_, index) => Date.now() - (times[index] as number) > KEPT_FOR_MS));
}
