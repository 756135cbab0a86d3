/** Tells by which commits patches became empty, and which of them together made the change of one. */

import type { Commit } from "../repository/commit-object.ts";
import type { RunRepository } from "../repository/run-repository.ts";
import { changesOf } from "./changes.ts";
import { type Diff, diffsOf, MOST_FILES } from "./diffs.ts";
import type { Emptied } from "./emptied.ts";
import { unmade } from "./likeness.ts";
import { type History, historyOf, type Listed, named, type Span, touching } from "./upstream-history.ts";

/** Commits that together made a change are named up to so many, and looked for among so many. */
const MOST_NAMED = 5;
const MOST_COMPARED = 100;

/** Patch to evidence, for all that became empty in a carry: their diffs are read at once. */
export async function evidenceOfEmptied(
  run: RunRepository,
  span: Span,
  emptied: Emptied[],
): Promise<Map<string, string>> {
  if (emptied.length === 0) return new Map();
  const history = await historyOf(run, span);
  const changes = await changesOf(
    run,
    emptied.map(({ patch }) => patch),
  );
  const patches = emptied.map(({ patch }) => ({ ...patch, changes: changes.get(patch.id) ?? [] }));
  const makers = emptied.flatMap(({ by }) => ("upstream" in by ? [by.upstream] : []));
  const diffs = await diffsOf(run, [
    ...patches,
    ...new Set(makers.filter(({ changes }) => changes.length <= MOST_FILES)),
  ]);
  const evidence = new Map<string, string>();
  for (const { patch, by } of emptied) {
    const files = (changes.get(patch.id) ?? []).map(({ path }) => path);
    const how =
      "upstream" in by
        ? await byUpstream(run, history, diffs, { patch, files, last: by.upstream })
        : `${named(by.patch)} before it in the stack, as it was carried, makes its change`;
    evidence.set(patch.id, `it became empty: ${how}`);
  }
  return evidence;
}

/** The last commit made the patch empty; where it does not make all of the change, older ones had made the rest. */
async function byUpstream(
  run: RunRepository,
  history: History,
  diffs: Map<string, Diff>,
  { patch, files, last }: { patch: Commit; files: string[]; last: Listed },
): Promise<string> {
  const own = diffs.get(patch.id) as Diff;
  const theirs = diffs.get(last.id);
  const made = theirs ? [theirs] : [];
  const makers = [last];
  let rest = theirs ? unmade(own, made).length : 0;
  const older = rest > 0 ? touching(history, files, history.commits.indexOf(last) + 1).slice(0, MOST_COMPARED) : [];
  const before = await diffsOf(run, older, files);
  for (const commit of older) {
    if (rest === 0 || makers.length === MOST_NAMED) break;
    const diff = before.get(commit.id) as Diff;
    const left = unmade(own, [...made, diff]).length;
    if (left === rest) continue;
    rest = left;
    makers.push(commit);
    made.push(diff);
  }
  const names = makers.map(named);
  if (names.length === 1) return `upstream commit ${names[0]} made its change`;
  return `upstream commits ${names.slice(0, -1).join(", ")} and ${names.at(-1)} together made its change`;
}
