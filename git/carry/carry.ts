/** Moves the stack onto the release, in memory. A pure function of the recipe, and of what the fork remembers where that may be used. */

import type { Decision, LedgerRow } from "../../domain/attempt.ts";
import type { SubmoduleConflict } from "../../domain/hand-off.ts";
import { Blocked, type BlockedOutcome } from "../blocked.ts";
import { filesOf } from "../evidence/changes.ts";
import { type Explanation, explainConflict } from "../evidence/explain.ts";
import type { UpstreamCommit } from "../evidence/upstream-history.ts";
import { Memory, type Stop } from "../memory/memory.ts";
import type { ConflictEntry } from "../merge/merger.ts";
import { push } from "../publish/push.ts";
import type { Recipe } from "../recipe.ts";
import { fetchInputs } from "../repository/inputs.ts";
import { madeBy } from "../repository/kept.ts";
import { shownPath } from "../repository/paths.ts";
import { handOffRefs } from "../repository/ref-names.ts";
import { listRefs } from "../repository/remote-refs.ts";
import type { RunRepository } from "../repository/run-repository.ts";
import { reviewCarry } from "../review/review.ts";
import { applyFixes } from "./decisions.ts";
import { cut } from "./ledger.ts";
import { rangeDiffIn } from "./range-diff.ts";
import { Walk, type WalkStop } from "./walk.ts";

export type Carried =
  | {
      kind: "carried";
      tip: string;
      ledger: LedgerRow[];
      /** Resolutions that this carry took from memory; kept on the fork already. */
      remembered: Decision[];
      /** What may be broken though nothing stopped. */
      warnings: string[];
      /** git's range-diff of the old stack against the carried one. */
      rangeDiff: string;
    }
  | Conflict
  | BlockedOutcome;

export interface Conflict {
  kind: "conflict";
  /** What the stopped patch was to be carried onto; the release itself when the first patch stopped. */
  progress: string;
  /** A child of progress with the patch's author and message, and conflict markers in its tree. */
  conflict: string;
  patch: string;
  subject: string;
  files: string[];
  /** Those of the files that are submodules. */
  submodules: SubmoduleConflict[];
  isMerge: boolean;
  /** Of a stopped merge: its further parents, carried. None where all that it merged was left out. */
  others: string[];
  /** Upstream's commits that changed those files: those after which one was gone first, then the others, newest first. */
  upstreamCommits: UpstreamCommit[];
  /** How many are not listed. */
  moreUpstreamCommits: number;
  ledger: LedgerRow[];
  /** Resolutions that this carry took from memory; kept on the fork already. */
  remembered: Decision[];
  /** Upstream has probably, though not provably, taken the patch. */
  proposal?: { drop: true; evidence: string };
}

export type OnProgress = (k: number, n: number, subject: string) => void;

/** A carry as the engine sees it: a stop also with what memory needs to know it again. */
export type Pass =
  | { kind: "carried"; tip: string; ledger: LedgerRow[]; remembered: Decision[]; walk: Walk }
  | (Omit<Conflict, keyof Explanation> & { stop: Stop });

/** As a person sees it: with what the fork remembers, what upstream did, and what may be broken. */
export async function carry(
  run: RunRepository,
  recipe: Recipe,
  onProgress?: OnProgress,
): Promise<Exclude<Carried, BlockedOutcome>> {
  const pass = await carryStack(run, recipe, { memory: Memory.of(run, recipe.fork), onProgress });
  await keepRemembered(run, recipe, pass.remembered);
  const decided = { ...recipe, decisions: [...recipe.decisions, ...pass.remembered] };
  run.keepAs(madeBy(decided, pass.kind === "carried" ? pass.tip : pass.conflict));
  if (pass.kind === "conflict") return explained(run, recipe, pass);
  const { tip, ledger, remembered } = pass;
  const stack = pass.walk.stack.patches;
  const [warnings, rangeDiff] = await Promise.all([
    reviewCarry(run, recipe, { stack, tip, ledger }),
    rangeDiffIn(run, recipe, { tip, ledger }),
  ]);
  return { kind: "carried", tip, ledger, remembered, warnings, rangeDiff };
}

/** What was made from memory must be there on every later day, as what a person pushed must. */
async function keepRemembered(run: RunRepository, recipe: Recipe, remembered: Decision[]): Promise<void> {
  const { accepted } = handOffRefs(recipe.target.name);
  const commits = remembered.flatMap((decision) => (decision.kind === "resolution" ? [decision.commit] : []));
  if (commits.length === 0) return;
  const seen = await listRefs(run.engine, recipe.fork, commits.map(accepted), run.signal);
  const moves = commits.map((to) => ({ ref: accepted(to), from: seen.get(accepted(to)), to }));
  const moved = await push(run, recipe.fork, moves);
  if (moved.length > 0)
    throw new Blocked(`somebody else pushes to the same refs: ${moved.join("; ")}; retry when they are done`);
}

/** Carries in a repository that has the recipe's inputs. Throws Blocked for a decision that does not fit. */
export async function carryStack(
  run: RunRepository,
  recipe: Recipe,
  { memory, onProgress }: { memory?: Memory; onProgress?: OnProgress } = {},
): Promise<Pass> {
  const walk = await Walk.start(run, recipe, memory);
  const { patches } = walk.stack;
  for (const [index, patch] of patches.entries()) {
    onProgress?.(index + 1, patches.length, cut(patch.subject));
    const stop = await walk.step(patch);
    if (!stop) continue;
    await walk.end();
    return conflict(walk, stop);
  }
  await walk.end();
  const top = walk.at(recipe.tip).id;
  const tip = await applyFixes(run, recipe, top);
  const ledger = await walk.ledger.complete(run, recipe.release, tip);
  return { kind: "carried", tip, ledger, remembered: walk.remembered, walk };
}

function conflict(walk: Walk, stop: WalkStop): Pass {
  const { patch, onto, files } = stop;
  const [progress, ...others] = onto.map(({ id }) => id) as [string, ...string[]];
  walk.ledger.set(patch, { outcome: "conflict" });
  return {
    kind: "conflict",
    progress,
    conflict: stop.conflict,
    patch: patch.id,
    subject: cut(patch.subject),
    files: files.map(shownPath),
    submodules: submodulesIn(stop.entries),
    isMerge: patch.parents.length > 1,
    others,
    ledger: walk.ledger.rows(),
    remembered: walk.remembered,
    stop,
  };
}

const SUBMODULE = "160000";

function submodulesIn(entries: ConflictEntry[]): SubmoduleConflict[] {
  const found = entries.filter(({ mode }) => mode === SUBMODULE);
  return [...new Set(found.map(({ path }) => path))].map((path) => {
    const at = (stage: number) => found.find((entry) => entry.path === path && entry.stage === stage)?.oid;
    const [release, patch] = [at(2), at(3)];
    return { path: shownPath(path), ...(release && { release }), ...(patch && { patch }) };
  });
}

/** What upstream did to the files of a stopped patch. */
export async function explained(
  run: RunRepository,
  recipe: Recipe,
  pass: Pass & { kind: "conflict" },
): Promise<Conflict> {
  const { stop, ...conflict } = pass;
  const own = (await filesOf(run, [stop.patch])).get(stop.patch.id) ?? [];
  // Where upstream renamed a file the conflict is under its new name, and upstream's commits under both.
  const files = stop.files.every((file) => own.includes(file)) ? stop.files : [...new Set([...stop.files, ...own])];
  return { ...conflict, ...(await explainConflict(run, recipe, stop.patch, files)) };
}

/** Makes sure that the carried commits are here, with `tip` as what must come out. Throws Blocked when something else does. */
export async function carryAgain(run: RunRepository, recipe: Recipe, tip: string): Promise<void> {
  if (run.has(madeBy(recipe, tip)) && (await run.hasCommit(tip))) return;
  await fetchInputs(run, recipe);
  const carried = await carryStack(run, recipe);
  if (carried.kind === "carried" && carried.tip === tip) return;
  throw new Blocked(
    `the stack no longer carries to ${tip}: the recipe or its decisions are of another attempt; retry starts afresh`,
  );
}
