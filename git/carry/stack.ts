/** The stack: the ordered commits of a branch that upstream does not have. */

import { Blocked, short } from "../blocked.ts";
import { type Commit, readCommits } from "../repository/commit-object.ts";
import type { RunRepository } from "../repository/run-repository.ts";

/** More is a branch whose history has nothing to do with upstream's, not a stack. */
const MOST_PATCHES = 5_000;

export interface Stack {
  /** Oldest first: every patch after its parents. */
  patches: Commit[];
  /** The commit under the line of first parents that ends at the tip. */
  base: string;
  /** Parents that are no patches: the base and, of topics that began elsewhere, other commits of upstream. */
  under: Map<string, Commit>;
}

/** The commits of `tip` that none of `without` nor, when none is given, any ref of upstream has, parents first. */
export async function stackIds(run: RunRepository, tip: string, without: string[]): Promise<string[]> {
  const limit = `--max-count=${MOST_PATCHES + 1}`;
  const not = without.length > 0 ? without : ["--alternate-refs"];
  const text = await run.text(["rev-list", "--topo-order", limit, tip, "--not", ...not]);
  const ids = text.split("\n").filter(Boolean);
  if (ids.length > MOST_PATCHES) {
    throw new Blocked(
      `the patch branch has more than ${MOST_PATCHES} commits that upstream does not have: check that upstream.url names the repository it was forked from, or set stackBase`,
    );
  }
  return ids.reverse();
}

/** Reads the patches, of which there must be some, and makes sure that they can be carried to `release`. Throws Blocked. */
export async function readStack(run: RunRepository, ids: string[], release: string): Promise<Stack> {
  const patches = await readCommits(run, ids);
  const root = patches.find(({ parents }) => parents.length === 0);
  if (root) {
    throw new Blocked(
      `the patch branch holds ${describe(root)}, which has no history in common with upstream: check that upstream.url names the repository it was forked from, or set stackBase`,
    );
  }
  const own = new Map(patches.map((patch) => [patch.id, patch]));
  let base = ids.at(-1) as string;
  for (let patch = own.get(base); patch; patch = own.get(base)) base = patch.parents[0] as string;
  const outside = (patch: Commit) => patch.parents.filter((parent) => !own.has(parent));
  refuse(
    patches.filter((patch) => patch.parents.length > 1 && outside(patch).some((parent) => parent !== base)),
    "merges of upstream, which cannot be carried",
  );
  const under = await readCommits(run, [...new Set([base, ...patches.flatMap(outside)])]);
  const strange = under.length > 1 ? await beside(run, under, [base, release]) : new Set();
  refuse(
    patches.filter((patch) => outside(patch).some((parent) => strange.has(parent))),
    "patches that begin at a commit which neither the base of the stack nor the release has",
  );
  return { patches, base, under: new Map(under.map((commit) => [commit.id, commit])) };
}

/** Those of `commits` that none of `tips` has. */
async function beside(run: RunRepository, commits: Commit[], tips: string[]): Promise<Set<string>> {
  const ids = commits.map(({ id }) => id);
  const text = await run.text(["rev-list", ...ids, "--not", ...tips]);
  const found = new Set(text.split("\n"));
  return new Set(ids.filter((id) => found.has(id)));
}

function refuse(patches: Commit[], what: string): void {
  if (patches.length === 0) return;
  const shown = patches.slice(0, 5).map(describe).join(", ");
  const more = patches.length > 5 ? ` and ${patches.length - 5} more` : "";
  throw new Blocked(
    `the stack contains ${what}: ${shown}${more}; rebase the patch branch onto the upstream release it sits on, without them, and retry`,
  );
}

export function describe(commit: Commit): string {
  return `${short(commit.id)} "${commit.subject}"`;
}
