/** Which files commits change, as git's raw diffs tell. A rename is a deletion and an addition. */

import type { Commit } from "../repository/commit-object.ts";
import type { RunRepository } from "../repository/run-repository.ts";

/** git-diff-tree(1), "RAW OUTPUT FORMAT": added, modified, deleted, or turned into another type (file, link, submodule). */
export type Status = "A" | "M" | "D" | "T";

export interface FileChange {
  status: Status;
  path: string;
}

/** A commit as far as diffs need it. */
export type Diffed = Pick<Commit, "id" | "parents">;

/** Asked for again and again of the same patches. */
const known = new WeakMap<RunRepository, Map<string, FileChange[]>>();

/** Each commit against its first parent, so that a merge answers with what it brought there; files in git's order. */
export async function changesOf(run: RunRepository, commits: Diffed[]): Promise<Map<string, FileChange[]>> {
  const all = known.get(run) ?? new Map<string, FileChange[]>();
  known.set(run, all);
  const fresh = commits.filter(({ id }) => !all.has(id));
  for (const [id, changes] of await readChanges(run, fresh)) all.set(id, changes);
  return new Map(commits.map(({ id }) => [id, all.get(id) ?? []]));
}

async function readChanges(run: RunRepository, commits: Diffed[]): Promise<Map<string, FileChange[]>> {
  const changes = new Map<string, FileChange[]>(commits.map(({ id }) => [id, []]));
  if (commits.length === 0) return changes;
  const args = ["diff-tree", "--stdin", "-r", "-z", "--root", "--name-status", "--no-renames"];
  const { stdout } = await run.git(args, { input: againstFirstParents(commits) });
  let current: FileChange[] | undefined;
  let status: Status | undefined;
  for (const field of fieldsOf(stdout)) {
    if (status) {
      current?.push({ status, path: field });
      status = undefined;
    } else if (changes.has(field)) current = changes.get(field);
    else status = field as Status;
  }
  return changes;
}

/** The files that a commit changes, with both names of a renamed one. */
export async function filesOf(run: RunRepository, commits: Diffed[]): Promise<Map<string, string[]>> {
  const changes = await changesOf(run, commits);
  return new Map([...changes].map(([id, files]) => [id, files.map(({ path }) => path)]));
}

/** Path to the places in the list of the commits that change it. */
export function placesByPath(commits: { changes: FileChange[] }[]): Map<string, number[]> {
  const places = new Map<string, number[]>();
  for (const [place, { changes }] of commits.entries()) {
    for (const { path } of changes) {
      const known = places.get(path);
      if (known) known.push(place);
      else places.set(path, [place]);
    }
  }
  return places;
}

/** What `diff-tree --stdin` reads to compare each commit with its first parent. */
export function againstFirstParents(commits: Diffed[]): string {
  return commits.map(({ id, parents }) => `${[id, ...parents.slice(0, 1)].join(" ")}\n`).join("");
}

/** What stands between NULs, byte for byte (latin1). */
export function* fieldsOf(output: Buffer): Generator<string> {
  for (let at = 0; at < output.length; ) {
    const end = output.indexOf(0, at);
    yield output.toString("latin1", at, end < 0 ? output.length : end);
    at = end < 0 ? output.length : end + 1;
  }
}
