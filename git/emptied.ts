/** Finds the upstream commit that made a patch empty. */

import { type Commit, readCommits } from "./commit-object.ts";
import type { Merger } from "./merge-tree.ts";
import type { RunRepository } from "./run-repository.ts";
import { commitsTouching, filesOf, type Span } from "./upstream-history.ts";

const MOST_TRIED = 20;

/** Evidence for a patch that changes nothing any more where it was carried to. */
export async function whyEmpty(run: RunRepository, merger: Merger, patch: Commit, span: Span): Promise<string> {
  const became = "it became empty";
  const files = (await filesOf(run, [patch])).get(patch.id) ?? [];
  const touching = await commitsTouching(run, span, files, { most: MOST_TRIED });
  const commits = await readCommits(run, [span.release, ...touching.map(({ commit }) => commit)]);
  const [release, ...candidates] = commits as [Commit, ...Commit[]];
  if (!(await isEmptyOn(merger, patch, release))) {
    return `${became}: the patches before it in the stack have its change already`;
  }
  const likely = candidates.find(({ author }) => author === patch.author) ?? (await maker(merger, patch, candidates));
  return likely
    ? `${became}: upstream commit ${likely.id} "${likely.subject}" made its change`
    : `${became}: the release has its change already`;
}

/** The oldest of the newest commits, in a row, on which the patch changes nothing. Commits are newest first. */
async function maker(merger: Merger, patch: Commit, candidates: Commit[]): Promise<Commit | undefined> {
  let oldest: Commit | undefined;
  for (const candidate of candidates) {
    if (!(await isEmptyOn(merger, patch, candidate))) return oldest;
    oldest = candidate;
  }
  return oldest;
}

async function isEmptyOn(merger: Merger, patch: Commit, onto: Commit): Promise<boolean> {
  const merge = await merger.apply(patch, onto);
  return merge.clean && merge.tree === onto.tree;
}
