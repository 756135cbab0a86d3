/** Lets in-memory merges honour the release's .gitattributes where git does not read them from a commit by itself. */

import { mkdir, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { RunRepository } from "./run-repository.ts";

/** Gathers all .gitattributes of the commit into the repository's own. git 2.41 and newer need none of this. */
export async function writeAttributes(run: RunRepository, commit: string): Promise<void> {
  if (await run.engine.atLeast("2.41")) return;
  const listing = await run.text(["ls-tree", "-r", "-z", "--name-only", "--full-tree", commit]);
  const files = listing.split("\0").filter((name) => /(^|\/)\.gitattributes$/.test(name) && isPlain(name));
  // Of two lines the later wins, as the deeper file does.
  files.sort((one, other) => one.split("/").length - other.split("/").length || (one < other ? -1 : 1));
  const parts: string[] = [];
  for (const file of files) {
    const { stdout } = await run.git(["cat-file", "blob", `${commit}:${file}`]);
    parts.push(attributesUnder(dirname(file), stdout.toString("utf8")));
  }
  if (parts.length === 0) return;
  await mkdir(dirname(attributesFile(run)), { recursive: true });
  await writeFile(attributesFile(run), parts.join("\n"));
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
