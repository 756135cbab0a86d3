/** Merges again what a merge of the stack merged, and keeps what a person did in it. */

import type { Head } from "../carry/walk.ts";
import type { Commit } from "../repository/commit-object.ts";
import type { RunRepository } from "../repository/run-repository.ts";
import type { ConflictEntry, Merge, Merger } from "./merger.ts";

export interface CarriedMerge {
  /** The carried parents; fewer than before where everything that one of them had was left out. */
  onto: [Head, ...Head[]];
  outcome: Merge;
}

/** A carried parent of a merge. */
export interface Side extends Head {
  /** Nothing was made of the parent itself: this is where its own parent was carried to. */
  inherited: boolean;
}

/**
 * The carried parents are merged as git merges them. What the old merge's tree has beyond git's own merge of its old parents
 * (a conflict that was resolved, or a change made by hand, which `git rebase --rebase-merges` loses) is then applied on top:
 * where both merges conflict alike, the markers are alike too, so that the old resolution fits.
 */
export async function mergeAgain(
  run: RunRepository,
  merger: Merger,
  merge: Commit,
  parents: Head[],
  sides: Side[],
): Promise<CarriedMerge> {
  const onto = await remaining(run, merge, sides);
  const before = await merger.join(parents);
  const now: Merge = onto.length > 1 ? await merger.join(onto) : { clean: true, tree: onto[0].tree };
  if (before.clean && before.tree === merge.tree) return { onto, outcome: now };
  const outcome = await merger.transplant(before.tree, merge.tree, now.tree);
  const open = now.clean ? [] : await stillOpen(run, { before, now, merge, tree: outcome.tree });
  if (open.length === 0) return { onto, outcome };
  const files = [...new Set([...open, ...(outcome.clean ? [] : outcome.files)])];
  const entries = [
    ...(now.clean ? [] : now.entries.filter(({ path }) => open.includes(path))),
    ...(outcome.clean ? [] : outcome.entries),
  ];
  return { onto, outcome: { clean: false, tree: outcome.tree, files, entries } };
}

/**
 * A side whose patches were left out may end where another side passes by: there is nothing of it to merge. The line that a
 * topic was merged into stays: then it is a merge as `--no-ff` makes it, and rebase does.
 */
async function remaining(run: RunRepository, merge: Commit, sides: Side[]): Promise<[Head, ...Head[]]> {
  const kept: Head[] = [];
  for (const [index, side] of sides.entries()) {
    if (kept.some(({ id }) => id === side.id)) continue;
    if (index === 0 || !side.inherited || !(await isPassed(run, merge, sides, index))) kept.push(side);
  }
  return kept as [Head, ...Head[]];
}

async function isPassed(run: RunRepository, merge: Commit, sides: Side[], index: number): Promise<boolean> {
  const [side, parent] = [sides[index] as Side, merge.parents[index] as string];
  for (const [at, other] of sides.entries()) {
    if (other.id === side.id || !(await run.isAncestor(side.id, other.id))) continue;
    // A merge made with --no-ff has such a side from the start.
    if (!(await run.isAncestor(parent, merge.parents[at] as string))) return true;
  }
  return false;
}

const MARKER = /^(?:<{7} progress|>{7} merge)\r?$/m;

/** Paths in conflict now for which the old merge has no answer. */
async function stillOpen(
  run: RunRepository,
  { before, now, merge, tree }: { before: Merge; now: Merge & { clean: false }; merge: Commit; tree: string },
): Promise<string[]> {
  if (before.clean) return now.files;
  const [made, wanted] = [await changes(run, now.tree, tree), await changes(run, before.tree, merge.tree)];
  const open: string[] = [];
  for (const path of now.files) {
    const [was, is] = [stages(before.entries, path), stages(now.entries, path)];
    // The same conflict to the byte, and the old merge's answer to it stands in the new tree.
    if (was !== "" && was === is && made.get(path)?.to === wanted.get(path)?.to) continue;
    if (was === "" || !(await wereMarkersResolved(run, made.get(path)))) open.push(path);
  }
  return open;
}

/** Only of a text conflict can be seen that nothing of it is left. */
async function wereMarkersResolved(run: RunRepository, change: Change | undefined): Promise<boolean> {
  if (!change || /^0+$/.test(change.to)) return false;
  const [from, to] = [
    await run.bytes(["cat-file", "blob", change.from]),
    await run.bytes(["cat-file", "blob", change.to]),
  ];
  return MARKER.test(from) && !MARKER.test(to);
}

interface Change {
  from: string;
  to: string;
}

/** Path to blobs, for what differs between two trees. Absent is all zeros. */
async function changes(run: RunRepository, from: string, to: string): Promise<Map<string, Change>> {
  const fields = (await run.bytes(["diff-tree", "-r", "-z", "--no-renames", from, to])).split("\0");
  const found = new Map<string, Change>();
  for (let at = 0; at + 1 < fields.length; at += 2) {
    // `:<mode> <mode> <id> <id> <status>` (git-diff-tree(1), RAW OUTPUT FORMAT)
    const [, , from = "", to = ""] = (fields[at] as string).split(" ");
    found.set(fields[at + 1] as string, { from, to });
  }
  return found;
}

function stages(entries: ConflictEntry[], path: string): string {
  return entries
    .filter((entry) => entry.path === path)
    .map(({ stage, mode, oid }) => `${stage} ${mode} ${oid}`)
    .join("\n");
}
