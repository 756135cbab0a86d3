/** Lets in-memory merges honour the release's .gitattributes where git does not read them from a commit by itself. */

import { mkdir, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { RunRepository } from "./run-repository.ts";

/** Only the attributes at the root: those below would need every tree to be listed. git 2.41 and newer need none of this. */
export async function writeAttributes(run: RunRepository, commit: string): Promise<void> {
  if (await run.engine.atLeast("2.41")) return;
  const name = `${commit}:.gitattributes`;
  if ((await run.types([name])).get(name) !== "blob") return;
  const { stdout } = await run.git(["cat-file", "blob", name]);
  await mkdir(dirname(attributesFile(run)), { recursive: true });
  await writeFile(attributesFile(run), stdout);
}

/** An export reads the attributes of the tree it exports, all of them. */
export async function removeAttributes(run: RunRepository): Promise<void> {
  await rm(attributesFile(run), { force: true });
}

function attributesFile(run: RunRepository): string {
  return join(run.path, "info", "attributes");
}
