/** Which patches upstream has taken: by patch-id, with the upstream commit as evidence. */

import { changesOf, placesByPath } from "./changes.ts";
import type { Commit } from "./commit-object.ts";
import { type Changed, type Diff, diffsOf, MOST_FILES } from "./diffs.ts";
import { changesFurther, takesBack } from "./likeness.ts";
import type { RunRepository } from "./run-repository.ts";
import { type Same, sameChanges } from "./same-change.ts";
import { historyOf, named, type Span } from "./upstream-history.ts";

/** More than so many diffs are not read to find out what was taken back. */
const MOST_READ = 5_000;

/**
 * Patch to evidence, for the patches that upstream has. One that upstream took back after it took it is not among them:
 * dropping it would lose it. Nor is one that the stack itself takes back before it: with the taking back carried and the
 * patch dropped, its change would be gone. What cannot be told is left to merging.
 */
export async function takenByUpstream(run: RunRepository, stack: Commit[], span: Span): Promise<Map<string, string>> {
  const ordinary = stack.filter(({ parents }) => parents.length === 1);
  const [changes, history] = await Promise.all([changesOf(run, ordinary), historyOf(run, span)]);
  const patches = ordinary.map(({ id, parents }) => ({ id, parents, changes: changes.get(id) ?? [] }));
  const same = await sameChanges(run, patches, history.commits);
  if (same.length === 0) return new Map();
  const [own, ownByPath] = [new Map(patches.map(({ id }, place) => [id, place])), placesByPath(patches)];
  const rivals = same.map((each) => ({
    later: onSameFiles(history.commits, history.byPath, each, each.place),
    earlier: onSameFiles(patches, ownByPath, each, own.get(each.patch.id) as number),
  }));
  const diffs = await readDiffs(run, [...new Set(rivals.flatMap(({ later, earlier }) => [...later, ...earlier]))]);
  const taken = new Map<string, string>();
  for (const [index, each] of same.entries()) {
    const { later, earlier } = rivals[index] as (typeof rivals)[number];
    const others = [...later, ...earlier].map(({ id }) => diffs.get(id));
    if (others.some((other) => !other || takesBack(other, each.diff))) continue;
    const further = later.find(({ id }) => changesFurther(diffs.get(id) as Diff, each.diff));
    taken.set(each.patch.id, evidence(each, further && named(further)));
  }
  return taken;
}

/** Commits before a place in their list that change every file of the patch, as one that takes it back does. */
function onSameFiles<T extends Changed>(
  commits: T[],
  byPath: Map<string, number[]>,
  { patch }: Same,
  before: number,
): T[] {
  const lists = patch.changes.map(({ path }) => byPath.get(path) ?? []);
  const fewest = lists.reduce((one, other) => (other.length < one.length ? other : one));
  const paths = new Set(patch.changes.map(({ path }) => path));
  return fewest
    .filter((place) => place < before)
    .map((place) => commits[place] as T)
    .filter(({ changes }) => paths.size === 1 || changes.filter(({ path }) => paths.has(path)).length === paths.size);
}

async function readDiffs(run: RunRepository, commits: Changed[]): Promise<Map<string, Diff>> {
  return diffsOf(run, commits.filter(({ changes }) => changes.length <= MOST_FILES).slice(0, MOST_READ));
}

function evidence({ twin, isExact }: Same, further: string | undefined): string {
  const same = `upstream commit ${named(twin)} makes the same change${isExact ? "" : " but for white space"}`;
  return further ? `${same}, and ${further} changes it further` : same;
}
