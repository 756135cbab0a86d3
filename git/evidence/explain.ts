/** Tells a person why a patch does not apply: what upstream did to its files, and whether upstream seems to have taken it. */

import type { Commit } from "../repository/commit-object.ts";
import type { RunRepository } from "../repository/run-repository.ts";
import { changesOf } from "./changes.ts";
import { type Diff, diffsOf, MOST_FILES, MOST_PATHS } from "./diffs.ts";
import { whatIsGone } from "./gone.ts";
import { likeness, takesBack } from "./likeness.ts";
import {
  asUpstreamCommit,
  type History,
  historyOf,
  type Listed,
  named,
  type Span,
  touching,
  type UpstreamCommit,
} from "./upstream-history.ts";

const MOST_UPSTREAM_COMMITS = 10;

/** The newest commits that touch the patch's files, compared with it line by line. */
const MOST_COMPARED = 200;

export interface Explanation {
  /** Upstream's commits that changed those files: those after which a file was gone first, then the others, newest first. */
  upstreamCommits: UpstreamCommit[];
  moreUpstreamCommits: number;
  /** Set where upstream has probably, though not provably, taken the patch. */
  proposal?: { drop: true; evidence: string };
}

/** `files` are those in conflict, and the patch's own where upstream has them under another name. */
export async function explainConflict(
  run: RunRepository,
  span: Span,
  patch: Commit,
  files: string[],
): Promise<Explanation> {
  const history = await historyOf(run, span);
  const gone = await whatIsGone(run, history, span.release, files);
  const all = touching(history, files);
  const first = [...gone.keys()].slice(0, MOST_UPSTREAM_COMMITS);
  const others = fairShare(history, files, MOST_UPSTREAM_COMMITS - first.length, new Set(first));
  const shown = [...first, ...others].map((commit) => {
    const what = gone.get(commit);
    return { ...asUpstreamCommit(commit, new Set(files)), ...(what && { what }) };
  });
  const total = new Set([...all, ...gone.keys()]).size;
  const evidence = patch.parents.length === 1 ? await sign(run, history, patch, files) : undefined;
  return {
    upstreamCommits: shown,
    moreUpstreamCommits: total - shown.length,
    ...(evidence && { proposal: { drop: true as const, evidence } }),
  };
}

/** So many commits, of each file its newest before any file's next: one that everybody changes must not hide the others. */
function fairShare({ commits, byPath }: History, files: string[], most: number, without: Set<Listed>): Listed[] {
  const queues = files.map((file) => byPath.get(file) ?? []);
  const longest = queues.reduce((length, queue) => Math.max(length, queue.length), 0);
  const places = new Set<number>();
  for (let rank = 0; rank < longest && places.size < most; rank++) {
    for (const queue of queues) {
      const place = queue[rank];
      if (place !== undefined && places.size < most && !without.has(commits[place] as Listed)) places.add(place);
    }
  }
  return [...places].sort((one, other) => one - other).map((place) => commits[place] as Listed);
}

/** What speaks for upstream having taken the patch, unless upstream took it back. */
async function sign(run: RunRepository, history: History, patch: Commit, files: string[]): Promise<string | undefined> {
  const changes = (await changesOf(run, [patch])).get(patch.id) ?? [];
  const own = new Set(changes.map(({ path }) => path));
  const paths = new Set([...files, ...own]);
  const near = touching(history, paths)
    .filter(({ changes }) => paths.size <= MOST_PATHS || changes.length <= MOST_FILES)
    .slice(0, MOST_COMPARED);
  const twin = sameAct(history, patch, own);
  const diffs = await diffsOf(run, [...new Set([{ ...patch, changes }, ...near, ...(twin ? [twin] : [])])], [...paths]);
  const [diff, ...others] = [patch, ...near].map(({ id }) => diffs.get(id) as Diff) as [Diff, ...Diff[]];
  const witness = twin ?? near[likest(diff, others)];
  if (!witness) return undefined;
  const theirs = diffs.get(witness.id) as Diff;
  const later = others.slice(0, near.includes(witness) ? near.indexOf(witness) : undefined);
  if (later.some((by) => takesBack(by, theirs) || takesBack(by, diff))) return undefined;
  const { shared, all } = likeness(diff, theirs);
  const act = twin ? ["is by the same author at the same time"] : [];
  const lines = shared > 0 ? [`makes ${shared} of its ${all} changed lines`] : [];
  return `upstream commit ${named(witness)} ${[...act, ...lines].join(" and ")}`;
}

/** The place of the change that makes most of the patch; -1 where none makes enough of it. */
function likest(patch: Diff, others: Diff[]): number {
  let best = { place: -1, shared: 0 };
  for (const [place, other] of others.entries()) {
    const { isLike, shared } = likeness(patch, other);
    if (isLike && shared > best.shared) best = { place, shared };
  }
  return best.place;
}

/**
 * The commit that was made by the same author in the same second, if it has the patch's subject or a file of it: scripts
 * make many commits in one second.
 */
function sameAct(history: History, patch: Commit, files: Set<string>): Listed | undefined {
  const act = /<([^<>]+)> (\d+ [+-]\d+)$/.exec(patch.author)?.slice(1).join(" ");
  const twins = history.commits.filter((commit) => commit.act === act && commit.parents.length < 2);
  return (
    twins.find(({ subject }) => subject !== "" && subject === patch.subject) ??
    twins.find(({ changes }) => changes.some(({ path }) => files.has(path)))
  );
}
