/** Applies what people decided about a stopped carry. */

import type { Decision } from "../../domain/attempt.ts";
import { Blocked, short } from "../blocked.ts";
import { accountFor } from "../hand-off/accounts.ts";
import { commitsOnTop } from "../hand-off/on-top.ts";
import type { Recipe } from "../recipe.ts";
import { COMMITTER, type Commit } from "../repository/commit-object.ts";
import type { RunRepository } from "../repository/run-repository.ts";
import type { Fate } from "./ledger.ts";
import { describe } from "./stack.ts";

type Head = Pick<Commit, "id" | "tree">;

export interface Taken {
  head: Head;
  /** Of the stopped patch, and of the later ones that the person carried too. */
  rows: Map<string, Fate>;
}

/** The stopped patch and those that follow it in a line: what a person may carry along with it. */
export function lineFrom(stack: Commit[], stopped: Commit): Commit[] {
  const line = [stopped];
  for (const patch of stack) {
    if (patch.parents.length === 1 && patch.parents[0] === line.at(-1)?.id) line.push(patch);
  }
  return line;
}

/**
 * `left` is the stopped patch and those that follow it in a line; `head` is the progress that the person had to build on; `others` are
 * the further carried parents of a stopped merge. Throws Blocked when the commit cannot be had, or was made for something else.
 */
export async function takeResolution(
  run: RunRepository,
  left: Commit[],
  head: Head,
  others: string[],
  decision: Decision & { kind: "resolution" },
): Promise<Taken> {
  const stopped = left[0] as Commit;
  const what = `the resolution of ${describe(stopped)}`;
  const commits = await readOnTop(run, [head.id, ...others], decision.commit, what);
  const top = commits.at(-1) ?? { ...stopped, ...head };
  const accounts = accountsOn(commits, left, others);
  const own = accounts.get(stopped.id) ?? top;
  const source = sourceOf(decision, top);
  const trees = new Map([[head.id, head.tree], ...commits.map(({ id, tree }) => [id, tree] as const)]);
  const resolved = (commit: Commit, more = ""): Fate => {
    const nothing = commit.tree === trees.get(commit.parents[0] ?? "") ? ", which leaves nothing of it" : "";
    return { outcome: "resolved", commit: commit.id, evidence: `${source}${nothing}${more}` };
  };
  const rows = new Map([...accounts].map(([id, commit]) => [id, resolved(commit)]));
  const counted = new Set([own, ...accounts.values()]);
  rows.set(stopped.id, resolved(own, withMore(commits.filter((commit) => !counted.has(commit)))));
  return { head: { id: top.id, tree: top.tree }, rows };
}

/** As accountFor, with the stopped patch first; a merge is accounted for by a merge of the same, whatever it is called. */
export function accountsOn(commits: Commit[], left: Commit[], others: string[]): Map<string, Commit> {
  const [stopped, ...later] = left as [Commit, ...Commit[]];
  const plain = commits.filter(({ parents }) => parents.length === 1);
  if (others.length === 0) return accountFor(plain, later, stopped);
  const accounts = accountFor(plain, later);
  const merge = mergeOf(commits, others);
  if (merge) accounts.set(stopped.id, merge);
  return accounts;
}

/** The merge that brings in exactly these. */
export function mergeOf(commits: Commit[], others: string[]): Commit | undefined {
  return commits.find(({ parents }) => parents.slice(1).join() === others.join());
}

function sourceOf({ commit, by, memory }: Decision & { kind: "resolution" }, top: Commit): string {
  if (memory) return `as ${by ?? "a person"} resolved it before (remembered as ${memory}), in ${commit}`;
  return `${by ?? nameOf(top)} resolved it in ${commit}`;
}

/** Who committed it. A forge that commits for people names them as the author; a commit that we made tells only of us. */
export function nameOf({ author, committer }: Commit): string {
  const who = /<no-?reply@/i.test(committer) ? author : committer;
  return committer.startsWith(COMMITTER) ? "a person" : Buffer.from(who.replace(/ <.*$/s, ""), "latin1").toString();
}

const MOST_TOLD = 5;

function withMore(more: Commit[]): string {
  if (more.length === 0) return "";
  const told = more.slice(0, MOST_TOLD).map(describe).join(", ");
  return `; with it came ${told}${more.length > MOST_TOLD ? ` and ${more.length - MOST_TOLD} more` : ""}`;
}

/** The tip after the commits that people put on top to let the build pass. */
export async function applyFixes(run: RunRepository, { decisions }: Recipe, carried: string): Promise<string> {
  let tip = carried;
  for (const decision of decisions) {
    if (decision.kind !== "fix") continue;
    if (decision.onto !== tip) {
      throw new Blocked(
        `the fix ${short(decision.commit)} was made for ${short(decision.onto)}, but the stack carries to ${short(tip)} now; retry starts afresh`,
      );
    }
    await readOnTop(run, [tip], decision.commit, "the fix");
    tip = decision.commit;
  }
  return tip;
}

async function readOnTop(run: RunRepository, below: string[], top: string, what: string): Promise<Commit[]> {
  if (!(await run.hasCommit(top))) {
    throw new Blocked(
      `${what} (${short(top)}) is not to be had from the fork any more: push it again, or retry to start afresh`,
    );
  }
  for (const id of below) {
    if (await run.isAncestor(id, top)) continue;
    throw new Blocked(`${what} (${short(top)}) does not build on ${short(id)}; retry starts afresh`);
  }
  return commitsOnTop(run, below, top);
}
