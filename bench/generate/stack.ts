/** The patches of a generated fork. */

import { Branch, type Change, chooser, OUR_ZONE, type Project } from "./branch.ts";
import { type Random, random } from "./random.ts";

/** One commit without its author and date. */
export interface Step {
  changes: Change[];
  files: number[];
  /** Of a merge: the branch that it merges. */
  side?: { steps: Step[]; startsAfter: number };
}

/** How far back from its merge a branch may begin, in commits of the line. */
const LONGEST_BACK = 3;

/**
 * A stack of `commits`, `merges` of which merge side branches of one to three commits. Patches edit one to five files, and
 * now and then add one. What is merged never edited the same file, so that every merge is clean.
 */
export function makeStack(on: Project, { commits, merges }: { commits: number; merges: number }, seed: number): Step[] {
  const source = random(seed);
  const author = { source, choose: chooser(on, source) };
  const line = [new Branch(on)];
  const steps: Step[] = [];
  let patches = commits - merges;
  const add = (step: Step, after: Branch) => {
    steps.push(step);
    line.push(after);
  };
  for (let left = merges; left > 0; left--) {
    const length = Math.max(1, Math.min(3, Math.floor(patches / left) - source.below(2)));
    patches -= length;
    add(...merge(line, steps, author, length));
    if (patches >= left * 2) {
      patches -= 1;
      add(...patch(line.at(-1) as Branch, author));
    }
  }
  while (patches-- > 0) add(...patch(line.at(-1) as Branch, author));
  return steps;
}

interface Author {
  source: Random;
  choose: () => number;
}

function patch(before: Branch, { source, choose }: Author, taboo = new Set<number>()): [Step, Branch] {
  const branch = new Branch(before);
  const files = new Set<number>();
  for (let left = 1 + source.below(5); left > 0; left--) {
    const file = choose();
    if (!taboo.has(file)) files.add(file);
  }
  const changes = [...files].map((file) => branch.edit(file, OUR_ZONE, source));
  if (changes.length === 0 || source.chance(0.1)) changes.push(branch.add(choose(), source));
  return [{ changes, files: [...files] }, branch];
}

function merge(line: Branch[], before: Step[], author: Author, length: number): [Step, Branch] {
  const back = Math.min(before.length, author.source.below(LONGEST_BACK + 1));
  const taboo = new Set(before.slice(before.length - back).flatMap(({ files }) => files));
  let side = line.at(-1 - back) as Branch;
  const steps = Array.from({ length }, () => {
    const [step, after] = patch(side, author, taboo);
    side = after;
    return step;
  });
  const merged = new Branch(line.at(-1) as Branch);
  const changes = merged.take(
    side,
    steps.flatMap(({ changes }) => changes).map(({ path }) => path),
  );
  const files = steps.flatMap((step) => step.files);
  return [{ changes, files, side: { steps, startsAfter: before.length - back } }, merged];
}
