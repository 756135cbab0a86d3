/** Merges in one thin repository: patches onto commits, commits with each other, and what a person did in a merge. */

import { type Commit, commitOf, writeObject } from "../repository/commit-object.ts";
import type { RunRepository } from "../repository/run-repository.ts";
import type { Merge } from "./answer.ts";
import type { Scope } from "./attributes.ts";
import { type MergeEngine, openMergeEngine, type Question } from "./engines.ts";

export type { ConflictEntry, Merge } from "./answer.ts";

/** Branches of the thin repository, which label the two sides of a conflict alike on every machine. */
const OURS = "progress";
const THEIRS = "merge";

export class Merger {
  readonly #run: RunRepository;
  readonly #scope?: Scope;
  #attributes: string;
  #engine: MergeEngine;

  private constructor(run: RunRepository, scope: Scope | undefined, attributes: string, engine: MergeEngine) {
    this.#run = run;
    if (scope) this.#scope = scope;
    this.#attributes = attributes;
    this.#engine = engine;
  }

  /** `attributes` is the commit whose .gitattributes count, until others are asked for. */
  static async open(run: RunRepository, attributes: string, scope?: Scope): Promise<Merger> {
    return new Merger(run, scope, attributes, await openMergeEngine(run, attributes, scope));
  }

  /** From now on the .gitattributes of this commit count. */
  async honour(attributes: string): Promise<void> {
    if (attributes === this.#attributes) return;
    this.#engine.close();
    this.#engine = await openMergeEngine(this.#run, attributes, this.#scope);
    this.#attributes = attributes;
  }

  /** Applies what `patch` changes against its first parent to the tree of `onto`. The other side is labelled with the patch's id. */
  async apply(patch: Commit, onto: Pick<Commit, "id" | "tree">): Promise<Merge> {
    const base = patch.parents[0] as string;
    if (this.#engine.namesBase) return this.#engine.merge({ base, ours: this.#ours(onto), theirs: patch.id });
    // The base is what history says, so ours is given a history that says the patch's parent.
    return this.#engine.merge({ ours: this.#ours(this.#commit(onto.tree, [base])), theirs: patch.id });
  }

  /** Merges commits by their own history, as `git merge` does. Of more than two, one after the other. */
  async join(commits: Pick<Commit, "id" | "tree">[]): Promise<Merge> {
    const [first, ...others] = commits as [Pick<Commit, "id" | "tree">, ...Pick<Commit, "id" | "tree">[]];
    let ours = first;
    let merged: Merge | undefined;
    for (const { id } of others) {
      merged = await this.#merge(ours, id);
      if (!merged.clean) return merged;
      ours = this.#commit(merged.tree, [ours.id, id]);
    }
    if (!merged) throw new Error("a merge needs two commits");
    return merged;
  }

  /** Applies what leads from the tree `before` to the tree `after` to the tree `onto`. */
  async transplant(before: string, after: string, onto: string): Promise<Merge> {
    const base = this.#commit(before, []).id;
    return this.#merge(this.#commit(onto, [base]), this.#commit(after, [base]).id);
  }

  async #merge(ours: Pick<Commit, "id" | "tree">, theirs: string): Promise<Merge> {
    this.#run.setBranch(THEIRS, theirs);
    return this.#engine.merge({ ours: this.#ours(ours), theirs: THEIRS });
  }

  #ours(at: Pick<Commit, "id" | "tree">): Question["ours"] {
    this.#run.setBranch(OURS, at.id);
    return { ref: OURS, at };
  }

  #commit(tree: string, parents: string[]): Pick<Commit, "id" | "tree"> {
    return { id: writeObject(this.#run, "commit", commitOf(tree, parents)), tree };
  }
}
