/** Finds what made a patch empty: the upstream commit, or the patch of the stack before it. */

import { changesOf } from "./changes.ts";
import { type Commit, readCommit } from "./commit-object.ts";
import { type Changed, type Diff, diffsOf } from "./diffs.ts";
import { unmade } from "./likeness.ts";
import type { Merger } from "./merge-tree.ts";
import type { RunRepository } from "./run-repository.ts";
import { type History, historyOf, type Listed, named, type Span, touching } from "./upstream-history.ts";

type Onto = Pick<Commit, "id" | "tree">;
type IsEmpty = (onto: Onto) => Promise<boolean>;

/** A patch of the stack and where it was carried to. */
export interface Step {
  patch: Commit;
  head: Onto;
}

/** Commits that together made a change are named up to so many, and looked for among so many. */
const MOST_NAMED = 5;
const MOST_COMPARED = 100;

/**
 * Evidence for a patch that changes nothing any more where it was carried to. `below` are the patches under it, the
 * nearest first. Undefined when neither one of those nor upstream between the base and the release made it so.
 */
export async function whyEmpty(
  run: RunRepository,
  merger: Merger,
  patch: Commit,
  span: Span,
  below: Step[],
): Promise<string | undefined> {
  const isEmpty: IsEmpty = async (onto) => {
    const merge = await merger.apply(patch, onto);
    return merge.clean && merge.tree === onto.tree;
  };
  if (!(await isEmpty(await readCommit(run, span.release)))) {
    const steps = below.filter(({ head }, index) => head.id !== below[index + 1]?.head.id);
    const heads = steps.map(({ head }) => head);
    const maker = steps[await newestMaker(heads, isEmpty)]?.patch;
    return maker && `it became empty: ${named(maker)} before it in the stack, as it was carried, makes its change`;
  }
  const history = await historyOf(run, span);
  const changed = { ...patch, changes: (await changesOf(run, [patch])).get(patch.id) ?? [] };
  const files = new Set(changed.changes.map(({ path }) => path));
  // Where a file was renamed, what made its change may be under the new name: then every commit is asked.
  const maker =
    (await upstreamMaker(run, history, span.release, isEmpty, (commit) => touches(commit, files))) ??
    (await upstreamMaker(run, history, span.release, isEmpty, () => true));
  return maker && `it became empty: ${await evidence(run, history, changed, maker)}`;
}

/** The newest commit that the patch is empty on and not on its parents. Only those that `counts` are asked, and merges. */
async function upstreamMaker(
  run: RunRepository,
  history: History,
  tip: string,
  isEmpty: IsEmpty,
  counts: (commit: Listed) => boolean,
): Promise<Listed | undefined> {
  const isEmptyAt = async (id: string) => isEmpty(history.byId.get(id) ?? (await readCommit(run, id)));
  const line = firstParents(history, tip).filter((commit) => commit.parents.length > 1 || counts(commit));
  const maker = line[await newestMaker(line, isEmpty)];
  if (!maker || !(await isEmpty(maker))) return undefined;
  const [parent, ...others] = maker.parents;
  if (parent && (await isEmptyAt(parent))) return undefined;
  // The change of a merge came with one of the branches that it brought in, or else with several.
  for (const other of others) {
    if (await isEmptyAt(other)) return (await upstreamMaker(run, history, other, isEmpty, counts)) ?? maker;
  }
  return maker;
}

function firstParents({ byId }: History, tip: string): Listed[] {
  const line: Listed[] = [];
  for (let commit = byId.get(tip); commit; commit = byId.get(commit.parents[0] ?? "")) line.push(commit);
  return line;
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

function touches({ changes }: Listed, files: Set<string>): boolean {
  return changes.some(({ path }) => files.has(path));
}

/** The commit that made the patch empty, and those that had made the rest of its change before. */
async function evidence(run: RunRepository, history: History, patch: Changed, maker: Listed): Promise<string> {
  const paths = patch.changes.map(({ path }) => path);
  const first = await diffsOf(run, [patch, maker]);
  const [own, made] = [first.get(patch.id) as Diff, [first.get(maker.id) as Diff]];
  const makers = [maker];
  const older = unmade(own, made).length > 0 ? touching(history, paths, history.commits.indexOf(maker) + 1) : [];
  const candidates = older.slice(0, MOST_COMPARED);
  const diffs = await diffsOf(run, candidates, paths);
  for (const candidate of candidates) {
    const rest = unmade(own, made).length;
    if (rest === 0 || makers.length === MOST_NAMED) break;
    const diff = diffs.get(candidate.id) as Diff;
    if (unmade(own, [...made, diff]).length === rest) continue;
    makers.push(candidate);
    made.push(diff);
  }
  const names = makers.map(named);
  if (names.length === 1) return `upstream commit ${names[0]} made its change`;
  return `upstream commits ${names.slice(0, -1).join(", ")} and ${names.at(-1)} together made its change`;
}
