/** Finds what made a patch empty: the upstream commit, or the patch of the stack before it. */

import type { Merger } from "../merge/merger.ts";
import { type Commit, readCommit } from "../repository/commit-object.ts";
import type { RunRepository } from "../repository/run-repository.ts";
import { filesOf } from "./changes.ts";
import { type History, historyOf, type Listed, type Span, touching } from "./upstream-history.ts";

type Onto = Pick<Commit, "id" | "tree">;
type IsEmpty = (onto: Onto) => Promise<boolean>;

/** A patch of the stack and where it was carried to. */
export interface Step {
  patch: Commit;
  head: Onto;
}

export interface Emptied {
  patch: Commit;
  /** With it the patch became empty: an upstream commit, or a patch of the stack as it was carried. */
  by: { upstream: Listed } | { patch: Commit };
}

/**
 * What made a patch change nothing any more where it was carried to. `below` are the patches under it, the nearest
 * first. Undefined when neither one of those nor upstream between the base and the release made it so.
 */
export async function whatEmptied(
  run: RunRepository,
  merger: Merger,
  patch: Commit,
  span: Span,
  below: Step[],
): Promise<Emptied | undefined> {
  const history = await historyOf(run, span);
  const isEmpty = emptiness(merger, patch);
  if (!(await isEmpty(history.byId.get(span.release) ?? (await readCommit(run, span.release))))) {
    const steps = below.filter(({ head }, index) => head.id !== below[index + 1]?.head.id);
    const heads = steps.map(({ head }) => head);
    const maker = steps[await newestMaker(heads, isEmpty)]?.patch;
    return maker && { patch, by: { patch: maker } };
  }
  const files = (await filesOf(run, [patch])).get(patch.id) ?? [];
  // Where a file was renamed, what made its change may be under the new name: then every commit is asked.
  const upstream =
    (await upstreamMaker(run, history, span.release, isEmpty, touching(history, files))) ??
    (await upstreamMaker(run, history, span.release, isEmpty, history.commits));
  return upstream && { patch, by: { upstream } };
}

function emptiness(merger: Merger, patch: Commit): IsEmpty {
  const known = new Map<string, boolean>();
  return async (onto) => {
    const told = known.get(onto.tree);
    if (told !== undefined) return told;
    const merge = await merger.apply(patch, onto);
    const isEmpty = merge.clean && merge.tree === onto.tree;
    known.set(onto.tree, isEmpty);
    return isEmpty;
  };
}

/** The newest commit that the patch is empty on and not on its parents. Only `asked` are looked at, and merges. */
async function upstreamMaker(
  run: RunRepository,
  history: History,
  tip: string,
  isEmpty: IsEmpty,
  asked: Listed[],
): Promise<Listed | undefined> {
  const isEmptyAt = async (id: string) => isEmpty(history.byId.get(id) ?? (await readCommit(run, id)));
  const line = onFirstParents(history, tip, asked);
  const maker = line[await newestMaker(line, isEmpty)];
  if (!maker || !(await isEmpty(maker))) return undefined;
  const [parent, ...others] = maker.parents;
  if (parent && (await isEmptyAt(parent))) return undefined;
  // The change of a merge came with one of the branches that it brought in, or else with several.
  for (const other of others) {
    if (await isEmptyAt(other)) return (await upstreamMaker(run, history, other, isEmpty, asked)) ?? maker;
  }
  return maker;
}

interface Line {
  places: Map<Listed, number>;
  merges: Listed[];
}

/** Lines of first parents by their tips: many patches ask for the same ones. */
const lines = new WeakMap<History, Map<string, Line>>();

/** Those of the asked that are on the line of first parents down from `tip`, and its merges; newest first. */
function onFirstParents(history: History, tip: string, asked: Listed[]): Listed[] {
  const known = lines.get(history) ?? new Map<string, Line>();
  lines.set(history, known);
  const { places, merges } = known.get(tip) ?? lineFrom(history, tip);
  known.set(tip, { places, merges });
  const place = (commit: Listed) => places.get(commit) ?? -1;
  const on = new Set([...merges, ...asked.filter((commit) => places.has(commit))]);
  return [...on].sort((one, other) => place(one) - place(other));
}

function lineFrom({ byId }: History, tip: string): Line {
  const places = new Map<Listed, number>();
  for (let commit = byId.get(tip); commit; commit = byId.get(commit.parents[0] ?? "")) places.set(commit, places.size);
  return { places, merges: [...places.keys()].filter(({ parents }) => parents.length > 1) };
}

/**
 * Of commits in a row, newest first: the place of the last one before the first on which the patch is not empty. Looked
 * for in growing strides from the newest, as where a change came, went and came again the last time counts.
 */
async function newestMaker(line: Onto[], isEmpty: IsEmpty): Promise<number> {
  let empty = 0;
  let stride = 1;
  for (; empty + stride < line.length && (await isEmpty(line[empty + stride] as Onto)); stride *= 2) empty += stride;
  let full = Math.min(empty + stride, line.length);
  while (full - empty > 1) {
    const middle = Math.floor((empty + full) / 2);
    if (await isEmpty(line[middle] as Onto)) empty = middle;
    else full = middle;
  }
  return empty;
}
