/** Moves the stack onto the release, patch by patch, in memory. A pure function of the recipe. */

import type { Decision, LedgerRow } from "../domain/attempt.ts";
import { writeAttributes } from "./attributes.ts";
import { Blocked, type BlockedOutcome } from "./blocked.ts";
import { type Commit, commitLike, readCommit, secondsOf } from "./commit-object.ts";
import { applyFixes, takeResolution } from "./decisions.ts";
import { whyEmpty } from "./emptied.ts";
import { explainConflict } from "./explain.ts";
import { type Merge, Merger } from "./merge-tree.ts";
import type { Recipe } from "./recipe.ts";
import type { RunRepository } from "./run-repository.ts";
import { shownPath } from "./paths.ts";
import { readStack, stackIds } from "./stack.ts";
import { takenByUpstream } from "./taken.ts";
import { filesOf, type UpstreamCommit } from "./upstream-history.ts";

export type Carried =
  | {
      kind: "carried";
      tip: string;
      ledger: LedgerRow[];
      /** Resolutions that this carry took from memory; kept on the fork already. */
      remembered: Decision[];
      /** What may be broken though nothing stopped. */
      warnings: string[];
    }
  | Conflict
  | BlockedOutcome;

export interface Conflict {
  kind: "conflict";
  /** The tip of what was carried so far; the release itself when the first patch stopped. */
  progress: string;
  /** A child of progress with the patch's author and message, and conflict markers in its tree. */
  conflict: string;
  patch: string;
  subject: string;
  files: string[];
  /** Of a stopped merge: its further parents, carried. */
  others: string[];
  /** Upstream's commits that changed those files, newest first. */
  upstreamCommits: UpstreamCommit[];
  ledger: LedgerRow[];
  /** Resolutions that this carry took from memory; kept on the fork already. */
  remembered: Decision[];
  /** Upstream has probably, though not provably, taken the patch. */
  proposal?: { drop: true; evidence: string };
}

export type OnProgress = (k: number, n: number, subject: string) => void;

/** Carries in a repository that has the recipe's inputs. Throws Blocked for a decision that does not fit. */
export async function carryStack(
  run: RunRepository,
  recipe: Recipe,
  onProgress?: OnProgress,
): Promise<Exclude<Carried, BlockedOutcome>> {
  const walk = await Walk.start(run, recipe);
  for (const [index, patch] of walk.stack.entries()) {
    onProgress?.(index + 1, walk.stack.length, patch.subject);
    const conflict = await walk.step(index, patch);
    if (conflict) return conflict;
  }
  const tip = await applyFixes(run, recipe, walk.head);
  return { kind: "carried", tip, ledger: walk.completeLedger(), remembered: [], warnings: [] };
}

class Walk {
  readonly stack: Commit[];
  head: Commit;
  readonly #run: RunRepository;
  readonly #recipe: Recipe;
  readonly #merger: Merger;
  readonly #base: Commit;
  readonly #seconds: string;
  readonly #taken: Map<string, string>;
  readonly #rows: LedgerRow[] = [];
  /** Rows of patches that a resolution brought along. */
  readonly #brought = new Map<string, LedgerRow>();

  private constructor(
    run: RunRepository,
    recipe: Recipe,
    stack: Commit[],
    base: Commit,
    release: Commit,
    merger: Merger,
    taken: Map<string, string>,
  ) {
    this.#run = run;
    this.#recipe = recipe;
    this.stack = stack;
    this.#base = base;
    this.head = release;
    this.#seconds = secondsOf(release.committer);
    this.#merger = merger;
    this.#taken = taken;
  }

  static async start(run: RunRepository, recipe: Recipe): Promise<Walk> {
    const stack = await readStack(run, await stackIds(run, recipe.tip, recipe.base), recipe.base);
    await writeAttributes(run, recipe.release);
    const merger = await Merger.open(run, recipe.release);
    const [base, release] = [await readCommit(run, recipe.base), await readCommit(run, recipe.release)];
    const taken = await takenByUpstream(run, stack, recipe.tip, recipe);
    return new Walk(run, recipe, stack, base, release, merger, taken);
  }

  /** Carries one patch; answers with the conflict it stops at, if it does. */
  async step(index: number, patch: Commit): Promise<Conflict | undefined> {
    const brought = this.#brought.get(patch.id);
    const evidence = this.#taken.get(patch.id);
    if (brought) this.#rows.push(brought);
    else if (evidence) this.#add(patch, { outcome: "dropped", evidence });
    else {
      const merge = await this.#merger.apply(patch, this.head);
      if (!merge.clean) return this.#decide(index, patch, merge);
      await this.#take(index, patch, merge.tree);
    }
    return undefined;
  }

  async #take(index: number, patch: Commit, tree: string): Promise<void> {
    const before = this.stack[index - 1] ?? this.#base;
    // A patch that never changed anything is somebody's note: only one that became empty is dropped.
    if (tree === this.head.tree && patch.tree !== before.tree) {
      this.#add(patch, { outcome: "dropped", evidence: await whyEmpty(this.#run, this.#merger, patch, this.#recipe) });
      return;
    }
    this.head = { ...patch, id: await this.#commit(index, patch, tree), tree, parents: [this.head.id] };
    this.#add(patch, { outcome: "applied", commit: this.head.id });
  }

  async #decide(index: number, patch: Commit, merge: Merge & { clean: false }): Promise<Conflict | undefined> {
    const decision = this.#recipe.decisions.find((each) => each.kind !== "fix" && each.patch === patch.id);
    if (decision?.kind === "skip") {
      const by = decision.by ? ` (${decision.by})` : "";
      this.#add(patch, { outcome: "skipped", evidence: `${decision.reason}${by}` });
      return undefined;
    }
    if (decision?.kind === "resolution") {
      const taken = await takeResolution(this.#run, this.stack.slice(index), this.head, decision);
      this.head = taken.head;
      for (const [id, row] of taken.rows) this.#brought.set(id, row);
      this.#rows.push(this.#brought.get(patch.id) as LedgerRow);
      return undefined;
    }
    return this.#conflict(index, patch, merge);
  }

  async #conflict(index: number, patch: Commit, merge: Merge & { clean: false }): Promise<Conflict> {
    const own = (await filesOf(this.#run, [patch])).get(patch.id) ?? [];
    // Where upstream renamed a file the conflict is under its new name, and upstream's commits under both.
    const files = merge.files.every((file) => own.includes(file))
      ? merge.files
      : [...new Set([...merge.files, ...own])];
    const { upstreamCommits, proposal } = await explainConflict(this.#run, this.#recipe, patch, files);
    const rest = this.stack
      .slice(index + 1)
      .map((each) => this.#brought.get(each.id) ?? row(each, { outcome: "pending" }));
    return {
      kind: "conflict",
      progress: this.head.id,
      conflict: await this.#commit(index, patch, merge.tree),
      patch: patch.id,
      subject: patch.subject,
      files: merge.files.map(shownPath),
      others: [],
      remembered: [],
      upstreamCommits,
      ledger: this.#counted([...this.#rows, row(patch, { outcome: "conflict" }), ...rest]),
      ...(proposal && { proposal }),
    };
  }

  async #commit(index: number, patch: Commit, tree: string): Promise<string> {
    const next = this.stack.slice(index + 1).find(({ id }) => !this.#taken.has(id));
    return this.#merger.commit(commitLike(patch, tree, this.head.id, this.#seconds), tree, next);
  }

  #add(patch: Commit, fate: Omit<LedgerRow, "patch" | "subject">): void {
    this.#rows.push(row(patch, fate));
  }

  completeLedger(): LedgerRow[] {
    return this.#counted(this.#rows);
  }

  /** No patch may be lost, whatever went wrong above: nothing is pushed unless every one is accounted for, in order. */
  #counted(rows: LedgerRow[]): LedgerRow[] {
    const complete = rows.length === this.stack.length && rows.every(({ patch }, at) => patch === this.stack[at]?.id);
    if (!complete) throw new Error(`the ledger has ${rows.length} rows for a stack of ${this.stack.length} patches`);
    return rows;
  }
}

function row({ id, subject }: Commit, fate: Omit<LedgerRow, "patch" | "subject">): LedgerRow {
  return { patch: id, subject, ...fate };
}

/** The carried commits, with `tip` as what must come out. Throws Blocked when something else does. */
export async function carryAgain(run: RunRepository, recipe: Recipe, tip: string): Promise<void> {
  const carried = await carryStack(run, recipe);
  if (carried.kind === "carried" && carried.tip === tip) return;
  throw new Blocked(
    `the stack no longer carries to ${tip}: the recipe or its decisions are of another attempt; retry starts afresh`,
  );
}
