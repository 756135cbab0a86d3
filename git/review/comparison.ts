/** A carry as diffs: upstream's, the stack's as it was and as it is, and those of every patch. */

import type { LedgerRow } from "../../domain/attempt.ts";
import type { Recipe } from "../recipe.ts";
import type { Commit } from "../repository/commit-object.ts";
import type { RunRepository } from "../repository/run-repository.ts";
import { namesAfter, namesBefore } from "./names.ts";
import type { Diff } from "./parse.ts";
import { type Asked, readDiffs, readEntries } from "./read.ts";

export interface Carry {
  stack: Commit[];
  tip: string;
  ledger: LedgerRow[];
}

/** A patch as it was and as it is, or a commit that a person added. */
export interface Change {
  id: string;
  subject: string;
  /** Absent for what a person added. */
  outcome?: LedgerRow["outcome"];
  before?: Diff;
  after?: Diff;
}

/** Everywhere the files are by the path that they have in the release, or would have. */
export interface Comparison {
  /** From base to release. */
  upstream: Diff;
  /** From base to the old tip. */
  before: Diff;
  /** From release to the carried tip. */
  after: Diff;
  /** Merges are not among them. */
  changes: Change[];
}

/** Files, in order, in which the stack does not make the same of the same as before. */
export async function changedOtherwise(run: RunRepository, recipe: Recipe, { tip }: Carry): Promise<string[]> {
  const asked: Asked[] = [
    [recipe.tip, recipe.base],
    [tip, recipe.release],
  ];
  const [before, after] = (await readEntries(run, asked)) as [Diff, Diff];
  const differs = (path: string) => JSON.stringify(before.get(path)) !== JSON.stringify(after.get(path));
  return [...new Set([...before.keys(), ...after.keys()])].filter(differs).sort();
}

/** Undefined when it is too much to be read. */
export async function compare(
  run: RunRepository,
  recipe: Recipe,
  carry: Carry,
  files: string[],
): Promise<Comparison | undefined> {
  const merges = new Set(carry.stack.filter(({ parents }) => parents.length > 1).map(({ id }) => id));
  const rows = carry.ledger.filter(({ patch }) => !merges.has(patch));
  const added = await addedByPeople(run, recipe, carry);
  const commits = [
    ...rows.map(({ patch }) => patch),
    ...rows.flatMap(({ commit }) => commit ?? []),
    ...added.map(({ id }) => id),
  ];
  // Pairs last: git takes the second of a pair for the first one's parent from then on.
  const pairs: Asked[] = [
    [recipe.release, recipe.base],
    [recipe.tip, recipe.base],
    [carry.tip, recipe.release],
  ];
  const diffs = await readDiffs(run, [...commits.map((id): Asked => [id]), ...pairs], files);
  if (!diffs) return undefined;
  const [upstream, before, after] = diffs.slice(-pairs.length) as [Diff, Diff, Diff];
  const [old, now] = [namesBefore(upstream, before), namesAfter(after)];
  const found = new Map(commits.map((id, at) => [id, diffs[at] as Diff]));
  const changes = rows.map(({ patch, subject, outcome, commit }) => {
    const change = { id: patch, subject, outcome, before: old(found.get(patch) as Diff) };
    return commit ? { ...change, after: now(found.get(commit) as Diff) } : change;
  });
  const others = added.map(({ id, subject }) => ({ id, subject, after: now(found.get(id) as Diff) }));
  return { upstream, before: old(before), after: now(after), changes: [...changes, ...others] };
}

/** Commits that a resolution or a fix brought and that stand for no patch. */
async function addedByPeople(run: RunRepository, recipe: Recipe, { tip, ledger }: Carry): Promise<Change[]> {
  const isResolved = ledger.some(({ outcome }) => outcome === "resolved");
  if (!isResolved && !recipe.decisions.some(({ kind }) => kind === "fix")) return [];
  const made = new Set(ledger.map(({ commit }) => commit));
  const flags = ["--no-merges", "--reverse", "--topo-order", "--format=%H %s"];
  const lines = (await run.text(["log", ...flags, tip, `^${recipe.release}`])).split("\n");
  const commits = lines.map((line) => ({
    id: line.split(" ")[0] as string,
    subject: line.slice(line.indexOf(" ") + 1),
  }));
  return commits.filter(({ id }) => id && !made.has(id));
}
