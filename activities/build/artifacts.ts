import { opendir, realpath, stat } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import picomatch from "picomatch";

const MOST_BYTES = 1024 ** 3;
const MOST_FILES = 1000;
/** Of the percent-encoded path: what attachments take for a name, less our prefix. */
const LONGEST_PATH = 240;

export interface FoundArtifacts {
  /** Paths relative to the tree, with `/`. */
  files: string[];
  warnings: string[];
}

/**
 * Finds what `build.artifacts` names: regular files inside the tree. Links are not followed, in directories or at the end, so that a
 * build cannot have files from outside taken along.
 */
export async function findArtifacts(tree: string, globs: string[]): Promise<FoundArtifacts> {
  if (globs.length === 0) return { files: [], warnings: [] };
  const matches = picomatch(globs, { dot: true });
  const root = await realpath(tree);
  const files: string[] = [];
  const warnings: string[] = [];
  let bytes = 0;
  for await (const path of regularFiles(root)) {
    const name = relative(root, path).split(sep).join("/");
    if (!matches(name)) continue;
    if (encodeURIComponent(name).length > LONGEST_PATH) {
      warnings.push(`artifacts: the path ${name.slice(0, 80)}… is too long, so the file was not kept`);
      continue;
    }
    bytes += (await stat(path)).size;
    if (bytes > MOST_BYTES || files.length === MOST_FILES) {
      warnings.push(`artifacts: more than ${MOST_FILES} files or 1 GiB; ${name} and what follows were not kept`);
      break;
    }
    files.push(name);
  }
  for (const glob of globs) {
    if (!files.some((name) => picomatch.isMatch(name, glob, { dot: true })))
      warnings.push(`artifacts: nothing matches ${glob}`);
  }
  return { files, warnings };
}

async function* regularFiles(directory: string): AsyncGenerator<string> {
  for await (const entry of await opendir(directory)) {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) yield* regularFiles(path);
    else if (entry.isFile()) yield path;
  }
}
