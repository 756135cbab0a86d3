/** What upstream did to files that are not where a patch expects them. */

import { shownPath } from "../repository/paths.ts";
import type { RunRepository } from "../repository/run-repository.ts";
import { againstFirstParents, fieldsOf } from "./changes.ts";
import type { History, Listed } from "./upstream-history.ts";

/** A file that was renamed again and again is followed so far. */
const MOST_ROUNDS = 5;

/** Of more files a person looks at the first ones too. */
const MOST_FILES_ASKED = 200;

/** Of one commit, so many are told. */
const MOST_DEEDS = 3;

/** A commit that deleted a file, or files of a directory, whose name ends in "/". */
interface Deletion {
  commit: Listed;
  path: string;
}

/**
 * Commit to what it did, such as "renames src/a.c to lib/a.c, deletes src/b.c", for the commits after which a file of these
 * was not there any more. A file that upstream never had is looked for by its directory: "renames files of src/ to lib/".
 */
export async function whatIsGone(
  run: RunRepository,
  history: History,
  release: string,
  files: string[],
): Promise<Map<Listed, string>> {
  const deeds = new Map<Listed, Set<string>>();
  const renames = new Map<string, Map<string, string>>();
  let asked = await missingFrom(run, release, files.slice(0, MOST_FILES_ASKED));
  for (let round = 0; round < MOST_ROUNDS && asked.length > 0; round++) {
    const deletions = asked.flatMap((path) => deletionOf(history, path) ?? []);
    const unread = new Set(deletions.map(({ commit }) => commit).filter(({ id }) => !renames.has(id)));
    for (const [id, found] of await renamesIn(run, [...unread])) renames.set(id, found);
    asked = [];
    for (const { commit, path } of deletions) {
      const { deed, to } = deedOf(path, renames.get(commit.id) ?? new Map());
      if (deed) deeds.set(commit, (deeds.get(commit) ?? new Set()).add(deed));
      if (to) asked.push(to);
    }
  }
  return new Map([...deeds].map(([commit, each]) => [commit, summary([...each])]));
}

function summary(deeds: string[]): string {
  const more = deeds.length > MOST_DEEDS ? [`and ${deeds.length - MOST_DEEDS} more`] : [];
  return [...deeds.slice(0, MOST_DEEDS), ...more].join(", ");
}

async function missingFrom(run: RunRepository, release: string, files: string[]): Promise<string[]> {
  // A name with a line feed cannot be asked for: history alone tells about it.
  const named = files.filter((path) => !path.includes("\n"));
  if (named.length === 0) return files;
  const input = Buffer.from(named.map((path) => `${release}:${path}\n`).join(""), "latin1");
  const types = (await run.bytes(["cat-file", "--batch-check=%(objecttype)"], { input })).split("\n");
  const present = new Set(named.filter((_, index) => types[index] === "blob"));
  return files.filter((path) => !present.has(path));
}

/** The newest commit that touched the file, if that deleted it; of one never touched, the newest that deleted beside it. */
function deletionOf({ commits, byPath }: History, path: string): Deletion | undefined {
  const newest = commits[byPath.get(path)?.[0] ?? -1];
  const isDeleted = (commit: Listed, test: (path: string) => boolean) =>
    commit.changes.some((change) => change.status === "D" && test(change.path));
  if (newest) return isDeleted(newest, (each) => each === path) ? { commit: newest, path } : undefined;
  const directory = path.slice(0, path.lastIndexOf("/") + 1);
  const commit = directory && commits.find((each) => isDeleted(each, (other) => other.startsWith(directory)));
  return commit ? { commit, path: directory } : undefined;
}

/** Old path to new path of what each commit renamed, as similar as git's merges want it. */
async function renamesIn(run: RunRepository, commits: Listed[]): Promise<Map<string, Map<string, string>>> {
  const renames = new Map(commits.map(({ id }) => [id, new Map<string, string>()]));
  if (commits.length === 0) return renames;
  const args = ["diff-tree", "--stdin", "-r", "-z", "--root", "--name-status", "-M", "--diff-filter=R"];
  const { stdout } = await run.git(args, { input: againstFirstParents(commits) });
  let current: Map<string, string> | undefined;
  let fields: string[] = [];
  for (const field of fieldsOf(stdout)) {
    if (fields.length === 0 && renames.has(field)) current = renames.get(field);
    else if (fields.push(field) === 3) {
      current?.set(fields[1] as string, fields[2] as string);
      fields = [];
    }
  }
  return renames;
}

function deedOf(path: string, renames: Map<string, string>): { deed?: string; to?: string } {
  if (!path.endsWith("/")) {
    const to = renames.get(path);
    return to ? { deed: `renames ${shownPath(path)} to ${shownPath(to)}`, to } : { deed: `deletes ${shownPath(path)}` };
  }
  for (const [from, to] of renames) {
    const rest = from.slice(path.length);
    if (!from.startsWith(path) || !to.endsWith(rest)) continue;
    const directory = to.slice(0, to.length - rest.length);
    return { deed: `renames files of ${shownPath(path)} to ${shownPath(directory) || "the top directory"}` };
  }
  return {};
}
