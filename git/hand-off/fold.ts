/** Makes one commit of what a person did to a patch in several, where one of them still holds conflict markers. */

import { type Commit, commitLike, writeObject } from "../repository/commit-object.ts";
import type { RunRepository } from "../repository/run-repository.ts";

export interface Fold {
  run: RunRepository;
  /** Seconds since 1970 that commits of ours carry. */
  seconds: string;
}

/** As `like`, with the tree that the person came to. */
export function foldAll({ run, seconds }: Fold, like: Commit, tree: string, parents: string[]): Commit {
  const id = writeObject(run, "commit", commitLike(like, tree, parents, seconds));
  return { ...like, id, tree, parents };
}

/**
 * The same line, in which each of `marked` has become one commit with those that follow it up to the next of `starts`; what follows
 * after that is the person's as it was, but for the parent (and for signatures, which would not hold).
 */
export function foldLine(fold: Fold, line: Commit[], marked: Set<Commit>, starts: Set<Commit>): Commit[] {
  const folded: Commit[] = [];
  for (const group of groupsOf(line, marked, starts)) {
    const [first, last] = [group[0] as Commit, group.at(-1) as Commit];
    const before = folded.at(-1)?.id ?? (first.parents[0] as string);
    const parents = [before, ...first.parents.slice(1)];
    if (marked.has(first)) folded.push(foldAll(fold, first, last.tree, parents));
    else if (before === first.parents[0]) folded.push(first);
    else folded.push(movedTo(fold.run, first, parents));
  }
  return folded;
}

function groupsOf(line: Commit[], marked: Set<Commit>, starts: Set<Commit>): Commit[][] {
  const groups: Commit[][] = [];
  for (const commit of line) {
    const group = groups.at(-1);
    if (group && marked.has(group[0] as Commit) && !starts.has(commit)) group.push(commit);
    else groups.push([commit]);
  }
  return groups;
}

function movedTo(run: RunRepository, commit: Commit, parents: string[]): Commit {
  const { tree, author, committer, encoding, message } = commit;
  const above = parents.map((parent) => `parent ${parent}\n`).join("");
  const head = `tree ${tree}\n${above}author ${author}\ncommitter ${committer}\n`;
  const raw = `${head}${encoding ? `encoding ${encoding}\n` : ""}\n${message}`;
  return { ...commit, id: writeObject(run, "commit", Buffer.from(raw, "latin1")), parents };
}
