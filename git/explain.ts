/** Tells a person why a patch does not apply: what upstream did to its files, and whether upstream seems to have taken it. */

import { changesOf } from "./changes.ts";
import type { Commit } from "./commit-object.ts";
import { type Diff, diffsOf, MOST_FILES } from "./diffs.ts";
import { whatIsGone } from "./gone.ts";
import { type Likeness, likeness, takesBack } from "./likeness.ts";
import type { RunRepository } from "./run-repository.ts";
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
  const own = changes.map(({ path }) => path);
  const near = touching(history, [...new Set([...files, ...own])])
    .filter(({ changes }) => changes.length <= MOST_FILES)
    .slice(0, MOST_COMPARED);
  const twin = sameAct(history, patch, new Set(own));
  const read = twin && !near.includes(twin) ? [...near, twin] : near;
  const diffs = await diffsOf(run, [{ ...patch, changes }, ...read]);
  const diff = diffs.get(patch.id) as Diff;
  const like = likest(near, diff, diffs);
  const witness = twin ?? like?.commit;
  if (!witness) return undefined;
  const later = near.slice(0, near.includes(witness) ? near.indexOf(witness) : near.length);
  const whole = diffs.get(witness.id) as Diff;
  const isBack = later.some(({ id }) => [whole, diff].some((each) => takesBack(diffs.get(id) as Diff, each)));
  if (isBack) return undefined;
  const lines = like && like.commit === witness ? `makes ${like.shared} of its ${like.all} changed lines` : undefined;
  const act = twin ? "is by the same author at the same time" : undefined;
  return `upstream commit ${named(witness)} ${[act, lines].filter(Boolean).join(" and ")}`;
}

function likest(near: Listed[], patch: Diff, diffs: Map<string, Diff>): (Likeness & { commit: Listed }) | undefined {
  let best: (Likeness & { commit: Listed }) | undefined;
  for (const commit of near) {
    const found = likeness(patch, diffs.get(commit.id) as Diff);
    if (found && found.shared > (best?.shared ?? 0)) best = { ...found, commit };
  }
  return best;
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
