/** Finds what resolving left undone beside markers: files of merge tools, and conflicts that no marker shows. */

import type { Commit } from "../repository/commit-object.ts";
import { shownPath } from "../repository/paths.ts";
import type { RunRepository } from "../repository/run-repository.ts";
import type { ConflictAgain } from "./stop.ts";

/** `a.c.orig` (git mergetool), `a.c.rej` (git apply), `a_BASE_12.c` (a mergetool that was killed). */
const BESIDE = /^(?<file>.*)\.(?:orig|rej)$|^(?<stem>.*)_(?:BACKUP|BASE|LOCAL|REMOTE)_\d+(?<extension>(?:\.[^/]*)?)$/s;
/** As git names what finds its place taken: by a branch, or by a commit and its subject. */
const ASIDE = /~(?:HEAD|progress|merge|[0-9a-f]{7,64}(?: \(.*\))?)(?:_\d+)?$/s;

/** Files that `to` adds to `from`, which no patch of `stack` has, and which are only there because of a conflict. */
export async function filesOfTools(
  run: RunRepository,
  from: string,
  to: string,
  stack: { base: string; tip: string },
): Promise<string[]> {
  const changed = await changedFiles(run, from, to);
  const suspects = [...changed].filter((file) => ASIDE.test(file) || isBeside(file, changed));
  if (suspects.length === 0) return [];
  const known = new Set([...(await changedFiles(run, stack.base, stack.tip)), ...(await filesIn(run, from, suspects))]);
  const present = await filesIn(run, to, suspects);
  return suspects.filter((file) => present.has(file) && !known.has(file)).map(shownPath);
}

function isBeside(file: string, changed: Set<string>): boolean {
  const { file: of, stem, extension } = BESIDE.exec(file)?.groups ?? {};
  return changed.has(of ?? `${stem}${extension}`);
}

/**
 * Files whose conflict no marker shows (binary, deleted, a submodule …) and that stand in `head` as they do in the commit with the
 * markers. Whoever looks at that commit alone cannot know of them, so a message must name one that is right as it is.
 */
export async function filesUntouched(
  run: RunRepository,
  conflict: ConflictAgain,
  head: Commit,
  commits: Commit[],
): Promise<string[]> {
  const changed = await changedFiles(run, conflict.commit, head.id);
  // Of a file that both sides moved away nothing is left to look at.
  const isThere = (file: string) => {
    const stages = conflict.entries.filter(({ path }) => path === file);
    return stages.length === 0 || stages.some(({ stage }) => stage !== 1);
  };
  const own = new Set(conflict.patch.message.split("\n"));
  const said = commits.flatMap(({ message }) => message.split("\n").filter((line) => !own.has(line))).join("\n");
  return conflict.files.filter((file) => isThere(file) && !changed.has(file) && !said.includes(file)).map(shownPath);
}

async function changedFiles(run: RunRepository, from: string, to: string): Promise<Set<string>> {
  const names = await run.bytes(["diff-tree", "-r", "-z", "--no-renames", "--name-only", from, to]);
  return new Set(names.split("\0").filter(Boolean));
}

/** Those of `files` that a commit has. */
async function filesIn(run: RunRepository, commit: string, files: string[]): Promise<Set<string>> {
  const names = await run.bytes(["ls-tree", "-r", "-z", "--name-only", commit]);
  const all = new Set(names.split("\0"));
  return new Set(files.filter((file) => all.has(file)));
}
