/** One name for a file wherever a carry meets it: the path that it has in the release. */

import type { Diff } from "./parse.ts";

/** Diffs with their files by these names. */
export type Naming = (diff: Diff) => Diff;

/** For the old stack, from base to its tip, and its patches. */
export function namesBefore(upstream: Diff, stack: Diff): Naming {
  const [inBase, inRelease] = [renames(stack, "to", "from"), renames(upstream, "from", "to")];
  return renaming((path) => {
    const base = inBase.get(path) ?? path;
    return inRelease.get(base) ?? base;
  });
}

/** For the carried stack, from release to its tip, and its patches. */
export function namesAfter(stack: Diff): Naming {
  const inRelease = renames(stack, "to", "from");
  return renaming((path) => inRelease.get(path) ?? path);
}

function renames(diff: Diff, side: "from" | "to", other: "from" | "to"): Map<string, string> {
  const names = new Map<string, string>();
  for (const file of diff.values()) {
    const [one, another] = [file[side], file[other]];
    if (one !== undefined && another !== undefined && one !== another) names.set(one, another);
  }
  return names;
}

/** A file keeps its path where its name is the path of another. */
function renaming(nameOf: (path: string) => string): Naming {
  return (diff) => new Map([...diff].map(([path, file]) => [diff.has(nameOf(path)) ? path : nameOf(path), file]));
}
