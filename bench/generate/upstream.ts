/** The upstream of a generated fork: one commit with everything, then a span of ordinary ones. */

import { Branch, type Change, chooser, type Project, UPSTREAMS_ZONE } from "./branch.ts";
import { type Random, random } from "./random.ts";
import { writeFile } from "./tree.ts";

export function* everything({ paths, seed }: Project): Generator<Change> {
  for (const [file, path] of paths.entries()) yield { path, content: `${writeFile(file, seed).join("\n")}\n` };
}

/** Commits that edit one to eight files each; some add, rename or delete one. Files of `kept` are not deleted. */
export function makeSpan(project: Project, commits: number, kept: Set<number>, seed: number): Change[][] {
  const source = random(seed);
  const [branch, choose] = [new Branch(project), chooser(project, source)];
  const living = () => {
    for (;;) {
      const file = choose();
      if (branch.has(file)) return file;
    }
  };
  return Array.from({ length: commits }, () => makeCommit(branch, living, kept, source));
}

function makeCommit(branch: Branch, living: () => number, kept: Set<number>, source: Random): Change[] {
  const files = new Set(Array.from({ length: 1 + source.below(8) }, living));
  const changes = [...files].map((file) => branch.edit(file, UPSTREAMS_ZONE, source));
  if (source.chance(0.1)) changes.push(branch.add(living(), source));
  const other = living();
  if (files.has(other)) return changes;
  if (source.chance(0.03)) changes.push(...branch.rename(other));
  else if (source.chance(0.04) && !kept.has(other)) changes.push(branch.delete(other));
  return changes;
}
