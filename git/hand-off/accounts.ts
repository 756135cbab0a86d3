/** Which of a person's commits stands for which patch. Pure. */

import type { Commit } from "../repository/commit-object.ts";

/**
 * Patch to the commit that accounts for it. `commits` are oldest first, `later` are the patches after the stopped one. In turn: the
 * same act (author, date and subject), `cherry-pick -x`, the same author and date, and for the stopped patch the same subject.
 * What two could be meant by counts for neither: a patch that is not accounted for is carried, one that wrongly is would be lost.
 */
export function accountFor(commits: Commit[], later: Commit[], stopped?: Commit): Map<string, Commit> {
  const patches = stopped ? [stopped, ...later] : later;
  const found = new Map<string, Commit>();
  const free = new Set(commits);
  const left = () => patches.filter(({ id }) => !found.has(id));
  const take = (patch: Commit, commit: Commit) => {
    found.set(patch.id, commit);
    free.delete(commit);
  };
  const acts = new Map<string, Commit[]>();
  for (const commit of commits) acts.set(actOf(commit), [...(acts.get(actOf(commit)) ?? []), commit]);
  for (const patch of patches) {
    const same = acts.get(actOf(patch))?.shift();
    if (same) take(patch, same);
  }
  const exact = new Map([...found].map(([id, commit]) => [commit, patches.find((patch) => patch.id === id)]));
  for (const patch of left()) {
    const trailer = `cherry picked from commit ${patch.id}`;
    // A patch that was itself picked from another carries such a line along; squashed commits have one for each.
    const picked = commits.find(
      (each) => each.message.includes(trailer) && !exact.get(each)?.message.includes(trailer),
    );
    if (picked) take(patch, picked);
  }
  for (const patch of left()) {
    const match = only([...free], left(), patch, authorOf);
    if (match) take(patch, match);
  }
  if (stopped && !found.has(stopped.id)) {
    const match = only([...free], left(), stopped, subjectOf);
    if (match) take(stopped, match);
  }
  return found;
}

/** The one commit that has this in common with this one patch. */
function only(commits: Commit[], patches: Commit[], patch: Commit, trait: (of: Commit) => string): Commit | undefined {
  const wanted = trait(patch);
  const alike = commits.filter((commit) => trait(commit) === wanted);
  const isUnclear = patches.some((other) => other !== patch && trait(other) === wanted);
  return wanted === "" || isUnclear || alike.length !== 1 ? undefined : alike[0];
}

function actOf(commit: Commit): string {
  return `${authorOf(commit)}\n${subjectOf(commit)}`;
}

/** Name, address, seconds and zone. */
function authorOf({ author, encoding }: Commit): string {
  return decoded(author, encoding);
}

/** The first paragraph's first line; forges put a number behind it. */
export function subjectOf({ message, encoding }: Commit): string {
  const [line = ""] = decoded(message, encoding).trimStart().split("\n");
  return line.trim().replace(/ \([#!]\d+\)$/, "");
}

/** Bytes as text: git writes a commit that is made again in UTF-8, whatever the first one was in. */
function decoded(bytes: string, encoding = "utf-8"): string {
  const buffer = Buffer.from(bytes, "latin1");
  try {
    return new TextDecoder(encoding).decode(buffer);
  } catch {
    // An encoding that nobody knows.
    return bytes;
  }
}
