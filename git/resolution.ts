/** Reads what a person pushed back, and judges whether it can be taken. */

import type { Decision } from "../domain/attempt.ts";
import { Blocked, short } from "./blocked.ts";
import { carryStack } from "./carry.ts";
import { type Commit, commitLike, readCommit, readCommits, secondsOf, writeObject } from "./commit-object.ts";
import { standsFor } from "./decisions.ts";
import type { Engine } from "./engine.ts";
import { describeFailure, GitFailure } from "./failure.ts";
import { fetchInputs, withRelease } from "./inputs.ts";
import { filesWithMarkers } from "./markers.ts";
import { push } from "./push.ts";
import type { Recipe, Stopped } from "./recipe.ts";
import { handOffRefs } from "./ref-names.ts";
import { listRefs } from "./remote-refs.ts";
import type { RunRepository } from "./run-repository.ts";
import { describe } from "./stack.ts";

export type Resolution = { kind: "accepted"; decision: Decision } | { kind: "refused"; reason: string };

/** A verdict on one ref: the commit to take, or why not. A leftover is of another stop and says nothing about this one. */
type Verdict = { commit: string } | { refused: string; leftover?: true };

const branchOf = (ref: string) => ref.slice("refs/heads/".length);

export async function readResolution(
  engine: Engine,
  recipe: Recipe,
  stopped: Stopped,
  signal?: AbortSignal,
): Promise<Resolution> {
  try {
    return await withRelease(engine, recipe, signal, async (run) => {
      await fetchInputs(run, recipe);
      return new Judge(run, recipe, stopped).judge();
    });
  } catch (error) {
    if (error instanceof Blocked) return { kind: "refused", reason: error.message };
    throw error;
  }
}

class Judge {
  readonly #run: RunRepository;
  readonly #recipe: Recipe;
  readonly #stopped: Stopped;
  readonly #refs: ReturnType<typeof handOffRefs>;

  constructor(run: RunRepository, recipe: Recipe, stopped: Stopped) {
    this.#run = run;
    this.#recipe = recipe;
    this.#stopped = stopped;
    this.#refs = handOffRefs(recipe.target.name);
  }

  async judge(): Promise<Resolution> {
    const { resolution, conflict } = this.#refs;
    await this.#recompute();
    const refs = await listRefs(this.#run.engine, this.#recipe.fork, [resolution, conflict], this.#run.signal);
    await this.#run.fetch(this.#recipe.fork, [...refs.keys()]);
    const pushed = refs.get(resolution);
    const edited = refs.get(conflict);
    const first: Verdict = pushed ? await this.#judgePushed(pushed) : { refused: "", leftover: true };
    if ("commit" in first) return this.#accept(first.commit);
    if (!first.leftover) return { kind: "refused", reason: first.refused };
    const isEdited = this.#stopped.conflict && edited && edited !== this.#stopped.conflict;
    const second: Verdict = isEdited ? await this.#judgeEdited(edited) : { refused: "", leftover: true };
    if ("commit" in second) return this.#accept(second.commit);
    const reasons = [first.refused, second.refused].filter(Boolean).join("; ");
    return { kind: "refused", reason: reasons || this.#nothingPushed() };
  }

  /** The progress must be here to judge against it; making it again also shows that the stop is still the same. */
  async #recompute(): Promise<void> {
    const { progress, conflict, patch } = this.#stopped;
    const again = await carryStack(this.#run, this.#recipe);
    const same =
      again.kind === "conflict"
        ? again.progress === progress && again.patch === patch
        : again.tip === progress && !patch;
    if (!same)
      throw new Blocked(
        "the carry does not stop where this wait began: a decision was taken meanwhile; retry to carry on",
      );
    if (again.kind === "conflict" && conflict && again.conflict !== conflict) {
      throw new Blocked("the conflict is not the one that this wait began with; retry to start afresh");
    }
  }

  #nothingPushed(): string {
    const { resolution, conflict, progress } = this.#refs;
    const other = this.#stopped.conflict ? `, or amend ${branchOf(conflict)}` : "";
    return `nothing was pushed yet: commit the fix on top of ${branchOf(progress)} and push it to ${branchOf(resolution)}${other}`;
  }

  async #judgePushed(head: string): Promise<Verdict> {
    const name = branchOf(this.#refs.resolution);
    const { progress, patch } = this.#stopped;
    if (head === progress) {
      return {
        refused: `${name} is the progress itself: commit the fix on top of it and push again; if nothing should be left of the patch, leave it out with skip-patch`,
        leftover: true,
      };
    }
    const own = await this.#commitsOnTop(name, head);
    if ("refused" in own) return own;
    const flaw = (await this.#mergesIn(name, own.commits)) ?? (await this.#markersIn(name, head));
    if (flaw) return { refused: flaw };
    const missing = patch ? await this.#isMissing(name, patch, own.commits) : undefined;
    return missing ? { refused: missing } : { commit: head };
  }

  /** Further commits on the conflict commit become one with it: what has markers must not stay in the history. */
  async #judgeEdited(head: string): Promise<Verdict> {
    const name = branchOf(this.#refs.conflict);
    const { progress, conflict, patch } = this.#stopped as Required<Stopped>;
    if (head === progress)
      return { refused: `${name} is the progress itself: the stopped patch is missing from it`, leftover: true };
    const own = await this.#commitsOnTop(name, head);
    if ("refused" in own) return own;
    const flaw = (await this.#mergesIn(name, own.commits)) ?? (await this.#markersIn(name, head));
    if (flaw) return { refused: flaw };
    if (!own.commits.some(({ id }) => id === conflict)) {
      const missing = await this.#isMissing(name, patch, own.commits);
      return missing ? { refused: missing } : { commit: head };
    }
    const [original, edited] = (await readCommits(this.#run, [patch, head])) as [Commit, Commit];
    const release = await readCommit(this.#run, this.#recipe.release);
    const raw = commitLike(original, edited.tree, [progress], secondsOf(release.committer));
    return { commit: writeObject(this.#run, "commit", raw) };
  }

  async #commitsOnTop(
    name: string,
    head: string,
  ): Promise<{ commits: Commit[] } | { refused: string; leftover: true }> {
    const { progress } = this.#stopped;
    if (!(await this.#run.isAncestor(progress, head))) {
      const onto = branchOf(this.#refs.progress);
      return {
        refused: `${name} (${short(head)}) does not build on ${onto} (${short(progress)}): start from ${onto}, make the fix there and push it to ${name} with --force-with-lease`,
        leftover: true,
      };
    }
    const ids = (await this.#run.text(["rev-list", "--reverse", "--topo-order", head, `^${progress}`])).split("\n");
    return { commits: await readCommits(this.#run, ids) };
  }

  async #mergesIn(name: string, commits: Commit[]): Promise<string | undefined> {
    const merge = commits.find(({ parents }) => parents.length > 1);
    return (
      merge &&
      `${name} holds the merge ${describe(merge)}: a stack has none; put the fix on top of ${branchOf(this.#refs.progress)} as plain commits and push again`
    );
  }

  async #markersIn(name: string, head: string): Promise<string | undefined> {
    const files = await filesWithMarkers(this.#run, this.#stopped.progress, head, this.#recipe);
    if (files.length === 0) return undefined;
    const list = files.slice(0, 5).join(", ") + (files.length > 5 ? ` and ${files.length - 5} more` : "");
    return `${name} still has conflict markers in ${list}: resolve them, commit and push again`;
  }

  async #isMissing(name: string, patch: string, commits: Commit[]): Promise<string | undefined> {
    const original = await readCommit(this.#run, patch);
    if (standsFor(commits, original)) return undefined;
    return `the stopped patch ${describe(original)} is missing from ${name}: cherry-pick it (git cherry-pick -x ${patch}) and push again, or skip it with a reason`;
  }

  async #accept(commit: string): Promise<Resolution> {
    await this.#keep(commit);
    const { patch, progress } = this.#stopped;
    const decision: Decision = patch ? { kind: "resolution", patch, commit } : { kind: "fix", onto: progress, commit };
    return { kind: "accepted", decision };
  }

  /** What was accepted must be there on every later day, whatever the person pushes to their refs meanwhile. */
  async #keep(commit: string): Promise<void> {
    const ref = this.#refs.accepted(commit);
    const there = await listRefs(this.#run.engine, this.#recipe.fork, [ref], this.#run.signal);
    if (there.get(ref) === commit) return;
    const moved = await push(this.#run, this.#recipe.fork, [{ ref, to: commit }]);
    if (moved.length > 0) {
      throw new GitFailure("refused", describeFailure("refused", `keeping the resolution as ${ref}`, moved.join("\n")));
    }
  }
}
