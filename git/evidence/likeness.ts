/** Compares changes by the lines that they add and remove, wherever in a file those are. */

import { type Diff, type FileDiff, withoutSpace } from "./diffs.ts";

/** How many of each line. */
type Bag = Map<string, number>;

export interface Likeness {
  /** Changed lines of the patch that the other makes too. */
  shared: number;
  /** All changed lines of the patch. */
  all: number;
  /**
   * Whether the other seems to have taken the patch: it makes half of the changed lines, and half of the added ones, as
   * removing the same lines is what two different changes do too. Numbers alone say nothing: everybody bumps versions.
   */
  isLike: boolean;
}

export function likeness(patch: Diff, other: Diff): Likeness {
  const [added, removed] = [common(patch, other, "added"), common(patch, other, "removed")];
  const all = count(patch, "added") + count(patch, "removed");
  const shared = [...added, ...removed];
  const telling = shared.filter(isTelling).length;
  const isHalf = shared.length * 2 >= all && added.length * 2 >= count(patch, "added");
  const isEnough = telling >= 3 || (telling > 0 && shared.length === all);
  return { shared: shared.length, all, isLike: isHalf && isEnough && !isOnlyNumbers(patch) };
}

function isOnlyNumbers(patch: Diff): boolean {
  const [added, removed] = (["added", "removed"] as const).map((side) =>
    linesOf(patch, side).join("\n").replace(/\d+/g, ""),
  );
  return added === removed;
}

/** Lines of the patch that say something and that none of the others makes. */
export function unmade(patch: Diff, others: Diff[]): string[] {
  return (["added", "removed"] as const).flatMap((side) => {
    const made = bagOf(others.flatMap((other) => linesOf(other, side)));
    return linesOf(patch, side).filter((line) => isTelling(line) && !take(made, line));
  });
}

/**
 * Whether one change takes back the whole of another: what that added is gone, and nowhere put anew, and what it removed
 * is back. Where only adding is to be taken back, writing other lines in their place is not: that changes it further.
 */
export function takesBack(by: Pick<Diff, "files">, of: Diff): boolean {
  const onlyAdds = !filesOf(of).some(({ removed }) => removed.some(isTelling));
  const undoes = [...of.files].every(([path, { modes, added, removed }]) => {
    const undo = by.files.get(path);
    if (!undo || (modes.before !== modes.after && !isReverse(undo.modes, modes))) return false;
    if (onlyAdds && undo.added.length > removed.length) return false;
    return holdsAll(undo.removed, added) && holdsAll(undo.added, removed);
  });
  if (!undoes || of.files.size === 0) return false;
  const putAnew = new Set(filesOf(by).flatMap(({ added }) => added));
  return filesOf(of).every(({ added, removed }) =>
    added.every((line) => !isTelling(line) || !putAnew.has(line) || removed.includes(line)),
  );
}

function isReverse(one: FileDiff["modes"], other: FileDiff["modes"]): boolean {
  return one.before === other.after && one.after === other.before;
}

/** Changes one after the other, the newest first, as one: what comes and goes in between is left out. */
export function together(diffs: Diff[]): Pick<Diff, "files"> {
  const files = new Map<string, FileDiff>();
  for (const diff of diffs.toReversed()) {
    for (const [path, { modes, added, removed }] of diff.files) {
      const before = files.get(path) ?? { modes, added: [], removed: [] };
      const all = { added: [...before.added, ...added], removed: [...before.removed, ...removed] };
      files.set(path, {
        modes: { before: before.modes.before, after: modes.after },
        added: without(all.added, all.removed),
        removed: without(all.removed, all.added),
      });
    }
  }
  return { files };
}

function without(lines: string[], others: string[]): string[] {
  const bag = bagOf(others);
  return lines.filter((line) => !take(bag, line));
}

/** Whether one change undoes a line of another that counts, or its modes. */
export function touchesOn(by: Diff, of: Diff, counts: (line: string) => boolean = () => true): boolean {
  return [...of.files].some(([path, { modes, added, removed }]) => {
    const file = by.files.get(path);
    if (!file) return false;
    const isModal = modes.before !== modes.after && file.modes.before !== file.modes.after;
    return isModal || shares(added.filter(counts), file.removed) || shares(removed.filter(counts), file.added);
  });
}

function shares(lines: string[], others: string[]): boolean {
  // Most are a few lines, and there may be very many to compare.
  if (lines.length * others.length < 1_000) return lines.some((line) => others.includes(line));
  const all = new Set(others);
  return lines.some((line) => all.has(line));
}

/** Whether a patch-id, which ignores white space, cannot tell the change from its reverse. */
export function isOnlySpace(diff: Diff): boolean {
  const text = (lines: string[]) => withoutSpace(lines.join(""));
  return filesOf(diff).every(({ added, removed }) => text(added) === text(removed));
}

/** Braces, blank lines and the like are everywhere. */
export function isTelling(line: string): boolean {
  return withoutSpace(line).length >= 5 && /[\w\x80-\xff]/.test(line);
}

function filesOf({ files }: Pick<Diff, "files">): FileDiff[] {
  return [...files.values()];
}

function linesOf(diff: Diff, side: "added" | "removed"): string[] {
  return filesOf(diff).flatMap((file) => file[side].map(withoutSpace));
}

function count(diff: Diff, side: "added" | "removed"): number {
  return filesOf(diff).reduce((sum, file) => sum + file[side].length, 0);
}

function common(patch: Diff, other: Diff, side: "added" | "removed"): string[] {
  const made = bagOf(linesOf(other, side));
  return linesOf(patch, side).filter((line) => take(made, line));
}

function holdsAll(lines: string[], wanted: string[]): boolean {
  // Most comparisons end here, and there may be very many.
  if (wanted.length > lines.length || (wanted.length > 0 && !lines.includes(wanted[0] as string))) return false;
  const bag = bagOf(lines);
  return wanted.every((line) => take(bag, line));
}

function bagOf(lines: string[]): Bag {
  const bag: Bag = new Map();
  for (const line of lines) bag.set(line, (bag.get(line) ?? 0) + 1);
  return bag;
}

/** Takes one of the line out; false when there is none. */
function take(bag: Bag, line: string): boolean {
  const left = bag.get(line) ?? 0;
  if (left > 0) bag.set(line, left - 1);
  return left > 0;
}
