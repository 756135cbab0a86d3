/** Goes through the stack, patch by patch, and builds each again on what its parents were carried to. */

import type { Decision } from "../../domain/attempt.ts";
import { filesOf } from "../evidence/changes.ts";
import { type Emptied, type Step, whatEmptied } from "../evidence/emptied.ts";
import { evidenceOfEmptied } from "../evidence/emptied-evidence.ts";
import { takenByUpstream } from "../evidence/taken.ts";
import { historyOf } from "../evidence/upstream-history.ts";
import { Memory, type Stop } from "../memory/memory.ts";
import { isAttributesFile } from "../merge/attributes.ts";
import { mergeAgain } from "../merge/merge-again.ts";
import { type Merge, Merger } from "../merge/merger.ts";
import type { Recipe } from "../recipe.ts";
import { type Commit, commitLike, readCommit, secondsOf, writeObject } from "../repository/commit-object.ts";
import type { RunRepository } from "../repository/run-repository.ts";
import { lineFrom, takeResolution } from "./decisions.ts";
import { type Fate, Ledger } from "./ledger.ts";
import { readStack, type Stack, stackIds } from "./stack.ts";

/** Where a patch was carried to, or where the next one goes when it was left out. */
export type Head = Pick<Commit, "id" | "tree">;
type Decided = Decision & { kind: "resolution" | "skip" };

/** A patch that somebody must decide about. */
export interface WalkStop extends Stop {
  /** What it was to be carried onto; of a merge, all of its carried parents. */
  onto: [Head, ...Head[]];
  /** With the patch's author and message on `onto`, and conflict markers in its tree. */
  conflict: string;
}

export class Walk {
  readonly stack: Stack;
  readonly ledger: Ledger;
  /** Decisions that were taken from memory on the way. */
  readonly remembered: Decision[] = [];
  readonly #run: RunRepository;
  readonly #recipe: Recipe;
  readonly #merger: Merger;
  readonly #release: Commit;
  readonly #taken: Map<string, string>;
  readonly #memory?: Memory;
  readonly #patches: Map<string, Commit>;
  readonly #files: Map<string, string[]>;
  readonly #heads = new Map<string, Head>();
  /** Dropped, and not told yet by what. */
  readonly #emptied: Emptied[] = [];
  /** Carried commit to the one at or below it that changed .gitattributes last. */
  readonly #attributes = new Map<string, string>();
  /** Fates of patches that a resolution brought along. */
  readonly #brought = new Map<string, Fate>();

  private constructor(
    from: { run: RunRepository; recipe: Recipe; memory?: Memory | undefined },
    found: { stack: Stack; files: Map<string, string[]>; merger: Merger; release: Commit; taken: Map<string, string> },
  ) {
    this.#run = from.run;
    this.#recipe = from.recipe;
    if (from.memory) this.#memory = from.memory;
    this.stack = found.stack;
    this.#patches = new Map(found.stack.patches.map((patch) => [patch.id, patch]));
    this.ledger = new Ledger(found.stack.patches);
    this.#merger = found.merger;
    this.#release = found.release;
    this.#files = found.files;
    this.#taken = found.taken;
    for (const patch of found.stack.patches) {
      const evidence = found.taken.get(patch.id);
      if (evidence) this.ledger.set(patch, { outcome: "dropped", evidence });
    }
  }

  static async start(run: RunRepository, recipe: Recipe, memory?: Memory): Promise<Walk> {
    const { tip, base, release } = recipe;
    const stack = await readStack(run, await stackIds(run, tip, [base, release]), release);
    const files = await filesOf(run, stack.patches);
    const scope = { base, files: [...new Set([...files.values()].flat())] };
    const [merger, onto] = await Promise.all([
      Merger.open(run, release, scope),
      readCommit(run, release),
      historyOf(run, recipe),
    ]);
    const taken = await takenByUpstream(run, merger, stack.patches, recipe);
    return new Walk({ run, recipe, memory }, { stack, files, merger, release: onto, taken });
  }

  /** Where a commit of the stack, or what is under it, was carried to. */
  at(id: string): Head {
    return this.#heads.get(id) ?? this.#release;
  }

  /** Completes the evidence in the ledger, for all patches at once; to be called when the walk is over. */
  async end(): Promise<void> {
    const emptied = this.#emptied.splice(0);
    const evidence = await evidenceOfEmptied(this.#run, this.#recipe, emptied);
    for (const { patch } of emptied) this.ledger.set(patch, { outcome: "dropped", evidence: evidence.get(patch.id) });
  }

  /** Carries one patch, whose parents have been carried; answers with the stop, if there is one. */
  async step(patch: Commit): Promise<WalkStop | undefined> {
    const brought = this.#brought.get(patch.id);
    const evidence = this.#taken.get(patch.id);
    if (brought) this.#put(patch, this.at(patch.parents[0] as string), brought);
    else if (evidence) this.#put(patch, this.at(patch.parents[0] as string), { outcome: "dropped", evidence });
    else if (patch.parents.length > 1) return this.#stepMerge(patch);
    else return this.#stepPatch(patch);
    return undefined;
  }

  async #stepPatch(patch: Commit): Promise<WalkStop | undefined> {
    const parent = patch.parents[0] as string;
    const onto = this.at(parent);
    await this.#merger.honour(this.#attributesAt(onto));
    const merge = await this.#merger.apply(patch, onto);
    if (!merge.clean) return this.#decide(patch, [onto], merge);
    // A patch that never changed anything is somebody's note: only one that became empty is dropped.
    if (merge.tree === onto.tree && patch.tree !== this.#original(parent).tree) {
      const emptied = await whatEmptied(this.#run, this.#merger, patch, this.#recipe, this.#below(patch));
      // Nobody has its change: what is not known to be in vain stays in the stack, without effect.
      if (emptied) this.#emptied.push(emptied);
      if (emptied) this.#put(patch, onto, { outcome: "dropped" });
      else this.#apply(patch, [onto], merge.tree);
    } else this.#apply(patch, [onto], merge.tree);
    return undefined;
  }

  async #stepMerge(patch: Commit): Promise<WalkStop | undefined> {
    const parents = patch.parents.map((parent) => this.#original(parent));
    const sides = patch.parents.map((parent) => ({ ...this.at(parent), inherited: this.#isLeftOut(parent) }));
    await this.#merger.honour(this.#attributesAt(this.at(patch.parents[0] as string)));
    const { onto, outcome } = await mergeAgain(this.#run, this.#merger, patch, parents, sides);
    if (outcome.clean) {
      if (onto.length > 1 || outcome.tree !== onto[0].tree) this.#apply(patch, onto, outcome.tree);
      else {
        const evidence = "it became empty: a side of it was left out whole, so nothing is left to merge";
        this.#put(patch, onto[0], { outcome: "dropped", evidence });
      }
      return undefined;
    }
    return this.#decide(patch, onto, outcome);
  }

  #isLeftOut(id: string): boolean {
    const fate = this.#heads.has(id) ? this.ledger.fate(id) : undefined;
    return fate !== undefined && fate.commit === undefined;
  }

  async #decide(
    patch: Commit,
    onto: [Head, ...Head[]],
    merge: Merge & { clean: false },
  ): Promise<WalkStop | undefined> {
    const stop = { patch, tree: merge.tree, entries: merge.entries, files: merge.files };
    const decision = (await this.#decisionOn(stop, onto)) ?? (await this.#recall(stop, onto));
    if (decision?.kind === "skip") {
      const by = decision.by ? ` (${decision.by})` : "";
      this.#put(patch, onto[0], { outcome: "skipped", evidence: `${decision.reason}${by}` });
      return undefined;
    }
    if (decision) {
      const others = onto.slice(1).map(({ id }) => id);
      const line = lineFrom(this.stack.patches, patch);
      const taken = await takeResolution(this.#run, line, onto[0], others, decision);
      for (const each of line) this.#bring(each, taken.rows.get(each.id));
      this.#heads.set(patch.id, taken.head);
      // What else a person changed is not known.
      this.#attributes.set(taken.head.id, taken.head.id);
      return undefined;
    }
    return { ...stop, onto, conflict: this.#commit(patch, onto, merge.tree) };
  }

  async #decisionOn(stop: Stop, onto: [Head, ...Head[]]): Promise<Decided | undefined> {
    const decisions = this.#recipe.decisions.filter((each) => each.kind !== "fix") as Decided[];
    const decision = decisions.find(({ patch }) => patch === stop.patch.id);
    // What was made from memory can be made again, should somebody have deleted the ref that keeps it.
    if (decision?.kind === "resolution" && decision.memory && !(await this.#run.hasCommit(decision.commit))) {
      await this.#remake(stop, onto, Memory.of(this.#run, this.#recipe.fork));
    }
    return decision;
  }

  async #recall(stop: Stop, onto: [Head, ...Head[]]): Promise<Decided | undefined> {
    const made = this.#memory && (await this.#remake(stop, onto, this.#memory));
    if (made) this.remembered.push(made);
    return made;
  }

  async #remake(stop: Stop, onto: [Head, ...Head[]], memory: Memory): Promise<Decided | undefined> {
    const found = await memory.recall(stop);
    if (!found) return undefined;
    const commit = this.#commit(stop.patch, onto, found.tree);
    return { kind: "resolution", patch: stop.patch.id, commit, by: found.by, memory: found.key };
  }

  /** The patches under one, the nearest first, with where they were carried to. */
  #below(patch: Commit): Step[] {
    const steps: Step[] = [];
    for (let each = this.#under(patch); each; each = this.#under(each)) {
      steps.push({ patch: each, head: this.at(each.id) });
    }
    return steps;
  }

  #under(patch: Commit): Commit | undefined {
    return this.#patches.get(patch.parents[0] as string);
  }

  #original(id: string): Commit {
    return (this.#patches.get(id) ?? this.stack.under.get(id)) as Commit;
  }

  #apply(patch: Commit, onto: [Head, ...Head[]], tree: string): void {
    const id = this.#commit(patch, onto, tree);
    const isNew = this.#files.get(patch.id)?.some(isAttributesFile);
    this.#attributes.set(id, isNew ? id : this.#attributesAt(onto[0]));
    this.#put(patch, { id, tree }, { outcome: "applied", commit: id });
  }

  #attributesAt(head: Head): string {
    return this.#attributes.get(head.id) ?? this.#release.id;
  }

  #commit(patch: Commit, onto: Head[], tree: string): string {
    const parents = onto.map(({ id }) => id);
    return writeObject(this.#run, "commit", commitLike(patch, tree, parents, secondsOf(this.#release.committer)));
  }

  #bring(patch: Commit, fate: Fate | undefined): void {
    if (!fate) return;
    this.#brought.set(patch.id, fate);
    this.ledger.set(patch, fate);
  }

  #put(patch: Commit, head: Head, fate: Fate): void {
    this.#heads.set(patch.id, head);
    this.ledger.set(patch, fate);
  }
}
