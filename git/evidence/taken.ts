/** Which patches upstream has taken: by patch-id, with the upstream commit as evidence. */

import type { Merger } from "../merge/merger.ts";
import type { Commit } from "../repository/commit-object.ts";
import type { RunRepository } from "../repository/run-repository.ts";
import { changesOf, placesByPath } from "./changes.ts";
import { type Changed, type Diff, diffsOf, MOST_PATHS } from "./diffs.ts";
import { isTelling, takesBack, together, touchesOn } from "./likeness.ts";
import { type Same, sameChanges } from "./same-change.ts";
import { historyOf, type Listed, named, type Span } from "./upstream-history.ts";

/** More diffs are not read to find out what was taken back: what cannot be told is left to merging. */
const MOST_READ = 2_000;

type Patch = Commit & Changed;

/** A patch that upstream took, with the commits that may have taken it back: upstream's and the stack's own. */
interface Taken extends Same<Patch> {
  later: Listed[];
  earlier: Patch[];
  /** Whether it would change the release, without a conflict. */
  isMissed: boolean;
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
  const release = history.byId.get(span.release) as Listed;
  const places = new Map(patches.map(({ id }, place) => [id, place]));
  const byPath = placesByPath(patches);
  const found: Taken[] = [];
  for (const each of same) {
    const merge = await merger.apply(each.patch, release);
    // Most have it still: then nobody took it back.
    const isKept = merge.clean && merge.tree === release.tree;
    found.push({
      ...each,
      later: isKept ? [] : before(history.commits, history.byPath, each.patch, each.place),
      earlier: before(patches, byPath, each.patch, places.get(each.patch.id) as number),
      isMissed: merge.clean && !isKept,
    });
  }
  const taken = new Map<string, string>();
  for (const batch of batches(found)) for (const [id, why] of await evidenceOf(run, batch)) taken.set(id, why);
  return taken;
}

/** As many at a time as have diffs read of their files only. */
function batches(found: Taken[]): Taken[][] {
  const all: Taken[][] = [];
  let paths = new Set<string>();
  for (const each of found) {
    const more = new Set([...paths, ...each.patch.changes.map(({ path }) => path)]);
    const fits = all.length > 0 && more.size <= MOST_PATHS;
    if (fits) all.at(-1)?.push(each);
    else all.push([each]);
    paths = fits ? more : new Set(each.patch.changes.map(({ path }) => path));
  }
  return all;
}

/** Commits that stand before a place in their list and change a file of the patch. */
function before<T>(commits: T[], byPath: Map<string, number[]>, { changes }: Patch, place: number): T[] {
  const places = new Set(changes.flatMap(({ path }) => byPath.get(path) ?? []).filter((each) => each < place));
  return [...places].sort((one, other) => one - other).map((each) => commits[each] as T);
}

async function evidenceOf(run: RunRepository, found: Taken[]): Promise<Map<string, string>> {
  const paths = new Set(found.flatMap(({ patch }) => patch.changes.map(({ path }) => path)));
  const others = new Set<Changed>(found.flatMap(({ later, earlier }) => [...later, ...earlier]));
  const near = await diffsOf(run, [...others].slice(0, MOST_READ), [...paths]);
  const suspects = found.flatMap((each) =>
    [each.later, each.earlier.toReversed()].flatMap((line) => takers(near, line, each.diff)),
  );
  // Only whole diffs tell whether the lines went elsewhere.
  const whole = await diffsOf(run, [...new Set(suspects)]);
  const taken = new Map<string, string>();
  for (const each of found) {
    const { diff, later, earlier, isMissed } = each;
    const isUnknown = [...later, ...earlier].some(({ id }) => !near.has(id));
    const isBack = [later, earlier.toReversed()].some((line) => takers(whole, line, diff).length > 0);
    const undoing = later.filter(({ id }) => near.has(id) && touchesOn(near.get(id) as Diff, diff));
    // What no commit undid and the release lacks all the same, a merge left out.
    if (isUnknown || isBack || (isMissed && undoing.length === 0)) continue;
    const further = undoing.find(({ id }) => touchesOn(near.get(id) as Diff, diff, isTelling));
    taken.set(each.patch.id, evidence(each, further));
  }
  return taken;
}

/** Those of a line, newest first, that take the patch back: one alone, or all that touch on it together. */
function takers(diffs: Map<string, Diff>, line: Changed[], patch: Diff): Changed[] {
  const touching = line.filter(({ id }) => {
    const diff = diffs.get(id);
    return diff && touchesOn(diff, patch);
  });
  const theirs = touching.map(({ id }) => diffs.get(id) as Diff);
  const isBack = theirs.some((diff) => takesBack(diff, patch)) || takesBack(together(theirs), patch);
  return isBack ? touching : [];
}

function evidence({ twin, isExact }: Taken, further: Listed | undefined): string {
  const same = `upstream commit ${named(twin)} makes the same change${isExact ? "" : " but for white space"}`;
  return further ? `${same}, and ${named(further)} changes it further` : same;
}
