/** Merges trees in memory: no checkout, no index, nothing to clean up. */

import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Commit, COMMITTER, writeObject } from "./commit-object.ts";
import type { RunRepository } from "./run-repository.ts";

export type Merge = { clean: true; tree: string } | { clean: false; tree: string; files: string[] };

/**
 * Applies what `patch` changes against its parent to the tree of `onto`. In conflict the tree holds markers, labelled
 * `progress` and with the patch's id, so that every git version makes the same tree.
 */
export interface Merger {
  apply(patch: Commit, onto: Commit): Promise<Merge>;
}

/** `attributes` is the commit whose .gitattributes count. */
export async function openMerger(run: RunRepository, attributes: string): Promise<Merger> {
  const { engine } = run;
  const environment = (await engine.atLeast("2.41")) ? { GIT_ATTR_SOURCE: attributes } : undefined;
  const namesBase = await engine.atLeast("2.40");
  return {
    async apply(patch, onto) {
      const base = patch.parents[0] as string;
      // Before 2.40 the base is what history says, so ours is given a history that says the patch's parent.
      const ours = namesBase ? onto.id : await writeObject(run, "commit", withParent(onto.tree, base));
      await writeFile(join(run.path, "refs", "heads", "progress"), `${ours}\n`);
      const args = ["merge-tree", "--write-tree", "-z", "--name-only", ...(namesBase ? [`--merge-base=${base}`] : [])];
      const merge = [...args, "progress", patch.id];
      const { exitCode, stdout } = await run.git(merge, { accept: [1], environment });
      return parseMerge(exitCode, stdout.toString("utf8"));
    },
  };
}

function withParent(tree: string, parent: string): Buffer {
  const line = `${COMMITTER} 0 +0000`;
  return Buffer.from(`tree ${tree}\nparent ${parent}\nauthor ${line}\ncommitter ${line}\n\n`);
}

/** `<tree> NUL {<path> NUL} NUL {<count> NUL {<path> NUL} <type> NUL <message> NUL}` (git-merge-tree(1), OUTPUT). */
function parseMerge(exitCode: number, output: string): Merge {
  const [tree = "", ...fields] = output.split("\0");
  if (exitCode === 0) return { clean: true, tree };
  const end = fields.indexOf("");
  const files = new Set(end < 0 ? [] : fields.slice(0, end));
  // Some conflicts (a directory that was renamed) leave no file in conflict: then the messages name the paths.
  if (files.size === 0) for (const path of pathsOfMessages(fields.slice(end + 1))) files.add(path);
  return { clean: false, tree, files: [...files] };
}

function pathsOfMessages(fields: string[]): string[] {
  const paths: string[] = [];
  for (let at = 0; /^\d+$/.test(fields[at] ?? ""); ) {
    const count = Number(fields[at]);
    const [type] = fields.slice(at + 1 + count, at + 2 + count);
    if (type?.startsWith("CONFLICT")) paths.push(...fields.slice(at + 1, at + 1 + count));
    at += count + 3;
  }
  return paths;
}
