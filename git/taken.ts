/** Which patches upstream has taken: by patch-id, with the upstream commit as evidence. */

import type { Commit } from "./commit-object.ts";
import type { RunRepository } from "./run-repository.ts";
import { commitsTouching, filesOf, type Span, type UpstreamCommit } from "./upstream-history.ts";

/** Upstream commits that may be compared one by one; more would make a carry wait for a patch of a much-changed file. */
const MOST_COMPARED = 500;
const MOST_LISTED = 20_000;

/**
 * Patch to evidence, for the patches that upstream has. One that upstream took and reverted before the release is not
 * among them: dropping it would lose it. Nor is one that the stack itself takes back before it: with the taking back
 * carried and the patch dropped, its change would be gone.
 */
export async function takenByUpstream(
  run: RunRepository,
  stack: Commit[],
  tip: string,
  span: Span,
): Promise<Map<string, string>> {
  const { marked, upstream } = await sameChange(run, stack, tip, span);
  if (marked.length === 0) return new Map();
  const changes = await filesOf(run, stack);
  const files = [...new Set(marked.flatMap(({ id }) => changes.get(id) ?? []))];
  const touching = await commitsTouching(run, span, files, { most: MOST_LISTED, whole: true });
  // The same change touches the same files: only such commits are compared.
  const keys = new Set(marked.map(({ id }) => keyOf(changes.get(id) ?? [])));
  const alike = touching.filter(({ files }) => keys.has(keyOf(files))).slice(0, MOST_COMPARED);
  const own = stack.filter(({ id }) => keys.has(keyOf(changes.get(id) ?? []))).map(({ id }) => id);
  const ids = await patchIds(run, [...alike.map(({ commit }) => commit), ...own], false);
  const undone = await patchIds(
    run,
    marked.map(({ id }) => id),
    true,
  );
  const taken = new Map<string, string>();
  for (const { id } of marked) {
    const fate = newest(alike, ids, ids.get(id), undone.get(id));
    if (fate?.reverted || own.slice(0, own.indexOf(id)).some((earlier) => ids.get(earlier) === undone.get(id)))
      continue;
    const witness =
      fate?.commit ??
      alike.find(({ commit, files }) => upstream.has(commit) && keyOf(files) === keyOf(changes.get(id) ?? []));
    taken.set(id, evidence(witness));
  }
  return taken;
}

/** Both sides' commits that git counts as the same change, as `git cherry` does. */
async function sameChange(run: RunRepository, stack: Commit[], tip: string, { base, release }: Span) {
  const args = ["rev-list", "--cherry-mark", "--left-right", "--no-merges", `${release}...${tip}`, "--not", base];
  const lines = (await run.text(args)).split("\n");
  const same = new Set(lines.filter((line) => line.startsWith("=")).map((line) => line.slice(1)));
  // Patches that change nothing are all the same change: git's mark says nothing about them.
  const marked = stack.filter(
    (patch, index) => same.has(patch.id) && (index === 0 || patch.tree !== stack[index - 1]?.tree),
  );
  for (const { id } of marked) same.delete(id);
  return { marked, upstream: same };
}

/** What upstream did last with the change: took it, or reverted it. Commits are newest first. */
function newest(commits: UpstreamCommit[], ids: Map<string, string>, wanted?: string, undone?: string) {
  for (const commit of commits) {
    const id = ids.get(commit.commit);
    if (id && id === wanted) return { commit, reverted: false };
    if (id && id === undone) return { commit, reverted: true };
  }
  return undefined;
}

/** Commit to its patch-id, or to that of its reverse. Commits that change nothing have none. */
async function patchIds(run: RunRepository, commits: string[], reverse: boolean): Promise<Map<string, string>> {
  const ids = new Map<string, string>();
  if (commits.length === 0) return ids;
  const flags = [
    "-r",
    "-p",
    "--binary",
    "--full-index",
    "--no-renames",
    "--no-prefix",
    "--no-ext-diff",
    "--no-textconv",
  ];
  const diff = await run.git(["diff-tree", "--stdin", ...flags, ...(reverse ? ["-R"] : [])], {
    input: `${commits.join("\n")}\n`,
  });
  if (diff.stdout.length === 0) return ids;
  const output = await run.text(["patch-id", "--stable"], { input: diff.stdout });
  for (const line of output.split("\n")) {
    const [id, commit] = line.split(" ");
    if (id && commit) ids.set(commit, id);
  }
  return ids;
}

function keyOf(files: string[]): string {
  return [...files].sort().join("\0");
}

function evidence(witness: UpstreamCommit | undefined): string {
  return witness
    ? `upstream commit ${witness.commit} "${witness.subject}" makes the same change`
    : "upstream has a commit that makes the same change (same patch-id)";
}
