/**
 * Looks at a finished carry for what may be broken though nothing stopped. One cheap comparison says in which files the stack
 * does not make the same of the same as before; only these are read, for all patches in one process.
 */

import type { Recipe } from "../recipe.ts";
import type { RunRepository } from "../repository/run-repository.ts";
import { type Fuzzy, fuzzyIn, shrunkIn } from "./applied.ts";
import { type Carry, type Comparison, changedOtherwise, compare } from "./comparison.ts";
import { lossesIn } from "./lost.ts";
import { asManyAsFit, sizesOf } from "./read.ts";
import { tellFuzzy, tellLosses, tellShrunk, tellUnread } from "./tell.ts";

/** More would not be read. */
const MOST_WARNINGS = 30;
/**
 * Of a file's bytes, before and after together, those in lines that upstream added or removed. In 27 upgrades of five forks 53
 * patches had fuzz: 40 in files with a share of 0.1 and more, 18 with 0.2, at most 6 an upgrade, and 13 with 0.3.
 */
const MUCH = 0.2;

/** Warnings for a person, a line each, the weightiest first; none for most carries. */
export async function reviewCarry(run: RunRepository, recipe: Recipe, carry: Carry): Promise<string[]> {
  const files = await changedOtherwise(run, recipe, carry);
  if (files.length === 0) return [];
  const read = asManyAsFit(files);
  const comparison = await compare(run, recipe, carry, read);
  if (!comparison) return ["the carried stack was not compared with the old one: the differences are too large"];
  const shrunk = shrunkIn(comparison);
  const told = new Set(shrunk.map(({ change }) => change));
  const fuzzy = fuzzyIn(comparison).filter(({ change }) => !told.has(change));
  const warnings = [
    ...tellLosses(lossesIn(comparison)),
    ...shrunk.map(tellShrunk),
    ...(await muchChanged(run, fuzzy)).map(tellFuzzy),
    ...tellUnread(unreadIn(comparison), files.length - read.length),
  ];
  const more = warnings.length - MOST_WARNINGS;
  return more > 0 ? [...warnings.slice(0, MOST_WARNINGS), `and ${more} more warnings`] : warnings;
}

/** Those in files that upstream changed much, the most first, with the share that it changed. */
async function muchChanged(run: RunRepository, fuzzy: Fuzzy[]) {
  const sizes = await sizesOf(
    run,
    fuzzy.flatMap(({ files }) => files.flatMap(({ theirs }) => [theirs.old.blob, theirs.new.blob])),
  );
  const found = fuzzy.map(({ change, files }) => {
    const shares = files.map(({ name, theirs }) => {
      const changed = theirs.lines.reduce((sum, line) => (/^[-+]/.test(line) ? sum + line.length : sum), 0);
      const size = (sizes.get(theirs.old.blob) ?? 0) + (sizes.get(theirs.new.blob) ?? 0);
      return { name, share: size > 0 ? changed / size : 0 };
    });
    return { change, files: shares.filter(({ share }) => share >= MUCH).sort((one, other) => other.share - one.share) };
  });
  const share = ({ files }: (typeof found)[number]) => files[0]?.share ?? 0;
  return found.filter(({ files }) => files.length > 0).sort((one, other) => share(other) - share(one));
}

/** Files that both changed and that cannot be compared line by line. */
function unreadIn({ upstream, before, after }: Comparison): string[] {
  return [...upstream].flatMap(([name, theirs]) => {
    const ours = after.get(name);
    return ours?.to && [theirs, before.get(name), ours].some((file) => file?.opaque) ? name : [];
  });
}
