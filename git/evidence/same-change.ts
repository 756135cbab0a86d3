/** Pairs patches with upstream's commits of the same patch-id. */

import type { RunRepository } from "../repository/run-repository.ts";
import type { FileChange } from "./changes.ts";
import { type Changed, type Diff, diffsOf } from "./diffs.ts";
import { isOnlySpace } from "./likeness.ts";
import type { Listed } from "./upstream-history.ts";

/** The newest so many; a patch that upstream took before becomes empty when it is merged, or stops there. */
const MOST_COMPARED = 20_000;
const MOST_AT_ONCE = 1_000;

export interface Same<Patch extends Changed> {
  patch: Patch;
  diff: Diff;
  /** The newest commit of upstream that makes the same change. */
  twin: Listed;
  /** Where among upstream's commits that stands. */
  place: number;
  /** Whether the white space is the same too. */
  isExact: boolean;
}

/** Those of the patches that `git cherry` marks; before git 2.39 that took changes that differ in modes alone as the same. */
export async function sameChanges<Patch extends Changed>(
  run: RunRepository,
  patches: Patch[],
  upstream: Listed[],
): Promise<Same<Patch>[]> {
  // The same change touches the same files: only such commits are compared.
  const wanted = new Set(patches.map(keyOf));
  const alike = [...upstream.entries()]
    .filter(([, { changes }]) => changes.length > 0)
    .filter(([, commit]) => wanted.has(keyOf(commit)))
    .slice(0, MOST_COMPARED);
  const keys = new Set(alike.map(([, commit]) => keyOf(commit)));
  const own = patches.filter((patch) => keys.has(keyOf(patch)));
  const twins = await byChange(run, alike);
  const diffs = await diffsOf(run, own);
  return own.flatMap((patch) => {
    const diff = diffs.get(patch.id) as Diff;
    const found = twins.get(changeOf(diff));
    return found ? [{ patch, diff, ...found, isExact: found.exactId === diff.exactId }] : [];
  });
}

/** The newest commit that makes each change. Its diff is not kept: those of generated files may be large, and many. */
async function byChange(run: RunRepository, alike: [number, Listed][]) {
  const twins = new Map<string, { twin: Listed; place: number; exactId: string }>();
  for (let at = 0; at < alike.length; at += MOST_AT_ONCE) {
    const some = alike.slice(at, at + MOST_AT_ONCE);
    const diffs = await diffsOf(
      run,
      some.map(([, commit]) => commit),
    );
    for (const [place, twin] of some) {
      const diff = diffs.get(twin.id) as Diff;
      const change = changeOf(diff);
      if (!twins.has(change)) twins.set(change, { twin, place, exactId: diff.exactId });
    }
  }
  return twins;
}

/** Of a change of white space alone the patch-id is that of its reverse too. */
function changeOf(diff: Diff): string {
  return isOnlySpace(diff) ? diff.exactId : diff.patchId;
}

function keyOf({ changes }: { changes: FileChange[] }): string {
  return changes.map(({ status, path }) => `${status}${path}\0`).join("");
}
