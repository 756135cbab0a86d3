/** Writes a carried tree to a directory, for a build that must not see a repository. */

import { mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import { carryAgain } from "../carry/carry.ts";
import type { Engine } from "../process/engine.ts";
import { checkCommitId, type Recipe } from "../recipe.ts";
import { withRelease } from "../repository/inputs.ts";
import type { RunRepository } from "../repository/run-repository.ts";

/** `directory` must be absent or empty. Throws Blocked when the tip cannot be made again. */
export async function exportTree(
  engine: Engine,
  recipe: Recipe,
  tip: string,
  directory: string,
  signal?: AbortSignal,
): Promise<void> {
  checkCommitId(tip);
  await mkdir(directory, { recursive: true });
  if ((await readdir(directory)).length > 0)
    throw new Error(`${directory} is not empty: a tree is exported to an empty directory`);
  const work = async (run: RunRepository) => {
    await carryAgain(run, recipe, tip);
    // An index and a work tree, so that the tree's own attributes (line ends) count and no file is left out.
    const environment = { GIT_DIR: run.path, GIT_WORK_TREE: directory, GIT_INDEX_FILE: join(run.path, "export-index") };
    await run.git(["read-tree", "--reset", "-u", tip], { environment });
  };
  await withRelease(engine, recipe, signal, work, tip);
}
