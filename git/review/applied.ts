/** Patches that applied without a conflict, and do not do what they did. */

import type { Change, Comparison } from "./comparison.ts";
import { Bag } from "./lines.ts";
import type { FileDiff } from "./parse.ts";

/** One file of an applied patch. */
interface Pair {
  name: string;
  before: FileDiff;
  /** Absent where the carried patch leaves the file alone. */
  after?: FileDiff;
  theirs?: FileDiff;
}

/** A patch that changes fewer lines than before, or fewer files. */
export interface Shrunk {
  change: Change;
  /** Files with fewer changed lines, and the lines in them. */
  files: string[];
  lines: { before: number; left: number };
  /** What it did beside lines: to the name, the mode or the content of a file. */
  others: { what: string; name: string }[];
  /** Whether upstream made all the changes that are missing; else a patch before it did. */
  upstream: boolean;
}

/** A patch with other lines around its own than before. */
export interface Fuzzy {
  change: Change;
  files: { name: string; theirs: FileDiff }[];
}

export function shrunkIn(comparison: Comparison): Shrunk[] {
  return pairsIn(comparison).flatMap(([change, pairs]) => {
    const fewer = pairs.filter(({ before, after }) => changedLines(after).length < changedLines(before).length);
    const others = pairs.flatMap(otherChangesGone);
    if (fewer.length === 0 && others.length === 0) return [];
    const count = (of: (pair: Pair) => FileDiff | undefined) =>
      fewer.reduce((sum, pair) => sum + changedLines(of(pair)).length, 0);
    return {
      change,
      files: fewer.map(({ name }) => name),
      lines: { before: count(({ before }) => before), left: count(({ after }) => after) },
      others,
      upstream: fewer.every(isUpstreams),
    };
  });
}

export function fuzzyIn(comparison: Comparison): Fuzzy[] {
  return pairsIn(comparison).flatMap(([change, pairs]) => {
    const files = pairs.flatMap(({ name, before, after, theirs }) =>
      after && theirs && before.lines.join("\n") !== after.lines.join("\n") ? [{ name, theirs }] : [],
    );
    return files.length > 0 ? [{ change, files }] : [];
  });
}

function pairsIn({ upstream, changes }: Comparison): [Change, Pair[]][] {
  return changes.flatMap((change) => {
    const { outcome, before, after } = change;
    if (outcome !== "applied" || !before || !after) return [];
    const pairs = [...before].map(([name, file]): Pair => {
      const [now, theirs] = [after.get(name), upstream.get(name)];
      return { name, before: file, ...(now && { after: now }), ...(theirs && { theirs }) };
    });
    return [[change, pairs]];
  });
}

/** With their signs. */
function changedLines(file: FileDiff | undefined): string[] {
  return (file?.lines ?? []).filter((line) => /^[-+]/.test(line));
}

function isUpstreams({ before, after, theirs }: Pair): boolean {
  const [left, made] = [new Bag(changedLines(after)), new Bag(changedLines(theirs))];
  return changedLines(before).every((line) => left.take(line) || made.take(line));
}

/** What the patch changed beside lines, and does not change any more. */
function otherChangesGone({ name, before, after }: Pair): { what: string; name: string }[] {
  const were = otherChanges(before);
  const are = after ? otherChanges(after) : [];
  return were.filter((what) => !are.includes(what)).map((what) => ({ what, name }));
}

function otherChanges({ from, to, old, new: now, lines, opaque }: FileDiff): string[] {
  const stays = from !== undefined && to !== undefined;
  return [
    ...(stays && from !== to ? ["name"] : []),
    ...(stays && old.mode !== now.mode ? ["mode"] : []),
    ...(opaque || (!stays && lines.length === 0) ? ["content"] : []),
  ];
}
