/**
 * What upstream did and the carried stack undoes, though the old stack left it alone: the mark of a conflict that was resolved
 * by taking one side as a whole.
 */

import type { Change, Comparison } from "./comparison.ts";
import { addedBy, Bag, blocksOf, isTrivial, removedBy, wordsOf } from "./lines.ts";
import type { FileDiff } from "./parse.ts";

export interface Loss {
  /** In the release; for a file that is back, in the carried tip. */
  file: string;
  /** Upstream's lines that the carried stack removes, without their indentation. */
  gone: string[];
  /** Lines that upstream removed and the carried stack adds. */
  back: string[];
  /** The file as a whole is gone or back. */
  whole?: "gone" | "back";
  /** The commits that did it. */
  by: Change[];
}

/** Where more lines are put in one place nobody looks for each in each: it would take minutes in a generated file. */
const MOST_GROWN = 200;

/** What the stack did to a file before, as a whole or in one of its patches. */
interface Before {
  removed: Bag;
  added: Bag;
}

/** In the order of the files. */
export function lossesIn({ upstream, before, after, changes }: Comparison): Loss[] {
  const left = new Set([...upstream.values()].filter(({ from, to }) => from !== to).map(({ from }) => from));
  const losses: Loss[] = [];
  for (const [name, file] of after) {
    const [net, theirs] = [before.get(name), upstream.get(name)];
    const whole = (kind: "gone" | "back") =>
      losses.push({ file: name, gone: [], back: [], whole: kind, by: who(kind) });
    const who = (kind: "gone" | "back") =>
      changes.filter((change) => isWhole(change.after?.get(name), kind) && !isWhole(change.before?.get(name), kind));
    if (!file.to) {
      if (net?.from === net?.to) whole("gone");
    } else if (!file.from && left.has(file.to)) whole("back");
    else {
      const patches = changes.flatMap((change) => change.before?.get(name) ?? []);
      const old = { removed: mostOf(net, patches, removedBy), added: mostOf(net, patches, addedBy) };
      const [gone, back] = [goneLines(file, old), theirs ? backLines(file, theirs, old) : []];
      const did = (change: Change) => adds(change, name, removedBy, gone) || adds(change, name, addedBy, back);
      if (gone.length + back.length > 0) losses.push({ file: name, gone, back, by: changes.filter(did) });
    }
  }
  return losses;
}

function isWhole(file: FileDiff | undefined, kind: "gone" | "back"): boolean {
  return file !== undefined && (kind === "gone" ? !file.to : !file.from);
}

/** Each line as often as the stack as a whole, or its patches one by one, have it. */
function mostOf(net: FileDiff | undefined, patches: FileDiff[], of: (file: FileDiff) => string[]): Bag {
  return new Bag(net ? of(net) : []).rise(new Bag(patches.flatMap(of)));
}

/** Whether the carried patch has one of the lines, and had it not before. */
function adds({ before, after }: Change, name: string, of: (file: FileDiff) => string[], lines: string[]): boolean {
  const [old, now] = [before?.get(name), after?.get(name)];
  if (!now || lines.length === 0) return false;
  const [sought, had] = [new Set(lines), new Set(old ? of(old) : [])];
  return of(now).some((line) => sought.has(line) && !had.has(line));
}

/** Of the release, that the carried stack removes. One that only moved is not gone, nor one that grew into another. */
function goneLines(file: FileDiff, old: Before): string[] {
  const moved = new Bag(addedBy(file));
  return blocksOf(file).flatMap(({ removed, added }) => {
    const fresh = added.filter((line) => old.added.count(line) === 0).slice(0, MOST_GROWN);
    const known = new Set(fresh.flatMap(wordsOf));
    const grown = fresh.map((line) => new Set(wordsOf(line)));
    const isIn = (words: string[], others: Set<string>) => words.every((word) => others.has(word));
    const grew = (words: string[]) => isIn(words, known) && grown.some((others) => isIn(words, others));
    return removed.filter(
      (line) => !isTrivial(line) && !old.removed.take(line) && !moved.take(line) && !grew(wordsOf(line)),
    );
  });
}

/** That upstream removed, and the carried stack adds. */
function backLines(file: FileDiff, theirs: FileDiff, old: Before): string[] {
  const [gone, kept, moved] = [new Bag(removedBy(theirs)), new Bag(addedBy(theirs)), new Bag(removedBy(file))];
  const isNew = (line: string) => !isTrivial(line) && !old.added.take(line) && !moved.take(line);
  return addedBy(file).filter((line) => isNew(line) && gone.take(line) && !kept.take(line));
}
