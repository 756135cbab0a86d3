/** Which patches upstream has taken: by patch-id, with the upstream commit as evidence. */

import { changesOf, placesByPath } from "./changes.ts";
import type { Commit } from "./commit-object.ts";
import { type Changed, type Diff, diffsOf } from "./diffs.ts";
import { changesFurther, takesBack } from "./likeness.ts";
import type { Merger } from "./merge-tree.ts";
import type { RunRepository } from "./run-repository.ts";
import { type Same, sameChanges } from "./same-change.ts";
import { historyOf, type Listed, named, type Span } from "./upstream-history.ts";

/** More diffs are not read to find out what was taken back: what cannot be told is left to merging. */
const MOST_READ = 5_000;

type Patch = Commit & Changed;

/** A patch that upstream took, with the commits that may have taken it back: upstream's and the stack's own. */
interface Taken extends Same<Patch> {
  later: Listed[];
  earlier: Patch[];
}

/**
 * Patch to evidence, for the patches that upstream has. One that upstream took back after it took it is not among them:
 * dropping it would lose it. Nor is one that the stack itself takes back before it: with the taking back carried and the
 * patch dropped, its change would be gone.
 */
export async function takenByUpstream(
  run: RunRepository,
  merger: Merger,
  stack: Commit[],
  span: Span,
): Promise<Map<string, string>> {
  const ordinary = stack.filter(({ parents }) => parents.length === 1);
  const [changes, history] = await Promise.all([changesOf(run, ordinary), historyOf(run, span)]);
  const patches = ordinary.map((patch) => ({ ...patch, changes: changes.get(patch.id) ?? [] }));
  const same = await sameChanges(run, patches, history.commits);
  const places = new Map(patches.map(({ id }, place) => [id, place]));
  const byPath = placesByPath(patches);
  const release = history.byId.get(span.release) as Listed;
  const found: Taken[] = [];
  for (const each of same) {
    const since = onSameFiles(history.commits, history.byPath, each.patch, each.place);
    // Most have it still: then nobody took it back.
    const later = since.length > 0 && (await isKept(merger, each.patch, release)) ? [] : since;
    found.push({
      ...each,
      later,
      earlier: onSameFiles(patches, byPath, each.patch, places.get(each.patch.id) as number),
    });
  }
  return evidenceOf(run, found);
}

async function isKept(merger: Merger, patch: Patch, release: Listed): Promise<boolean> {
  const merge = await merger.apply(patch, release);
  return merge.clean && merge.tree === release.tree;
}

/** Commits before a place in their list that change every file of the patch, as one that takes it back does. */
function onSameFiles<T extends Changed>(
  commits: T[],
  byPath: Map<string, number[]>,
  patch: Patch,
  before: number,
): T[] {
  const paths = new Set(patch.changes.map(({ path }) => path));
  const lists = [...paths].map((path) => byPath.get(path) ?? []);
  const fewest = lists.reduce((one, other) => (other.length < one.length ? other : one));
  return fewest
    .filter((place) => place < before)
    .map((place) => commits[place] as T)
    .filter(({ changes }) => paths.size === 1 || changes.filter(({ path }) => paths.has(path)).length === paths.size);
}

async function evidenceOf(run: RunRepository, found: Taken[]): Promise<Map<string, string>> {
  const paths = new Set(found.flatMap(({ patch }) => patch.changes.map(({ path }) => path)));
  const others = new Set<Changed>(found.flatMap(({ later, earlier }) => [...later, ...earlier]));
  const diffs = await diffsOf(run, [...others].slice(0, MOST_READ), [...paths]);
  const takers = (from: Map<string, Diff>, { diff, later, earlier }: Taken) =>
    [...later, ...earlier].filter(({ id }) => {
      const other = from.get(id);
      return other && takesBack(other, diff);
    });
  // Only a whole diff tells whether the lines went elsewhere.
  const whole = await diffsOf(run, [...new Set<Changed>(found.flatMap((each) => takers(diffs, each)))]);
  const taken = new Map<string, string>();
  for (const each of found) {
    const isUnknown = [...each.later, ...each.earlier].some(({ id }) => !diffs.has(id));
    if (isUnknown || takers(whole, each).length > 0) continue;
    const further = each.later.find(({ id }) => changesFurther(diffs.get(id) as Diff, each.diff));
    taken.set(each.patch.id, evidence(each, further && named(further)));
  }
  return taken;
}

function evidence({ twin, isExact }: Taken, further: string | undefined): string {
  const same = `upstream commit ${named(twin)} makes the same change${isExact ? "" : " but for white space"}`;
  return further ? `${same}, and ${further} changes it further` : same;
}
