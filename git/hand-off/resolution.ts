/** Reads what a person pushed back, and takes it where it can be taken. */

import type { Decision } from "../../domain/attempt.ts";
import { resolutionTag } from "../../domain/hand-off.ts";
import { Blocked, short } from "../blocked.ts";
import { describe } from "../carry/stack.ts";
import { Memory } from "../memory/memory.ts";
import type { Engine } from "../process/engine.ts";
import { describeFailure, GitFailure } from "../process/failure.ts";
import { push } from "../publish/push.ts";
import type { Recipe, Stopped } from "../recipe.ts";
import { COMMITTER } from "../repository/commit-object.ts";
import { fetchInputs, withRelease } from "../repository/inputs.ts";
import { handOffRefs } from "../repository/ref-names.ts";
import { listRefs } from "../repository/remote-refs.ts";
import type { RunRepository } from "../repository/run-repository.ts";
import { type Accepted, Judge, type Verdict } from "./judge.ts";
import { fetchPushed, type Pushed } from "./pushed.ts";
import { type ConflictAgain, type StopAgain, stopAgain } from "./stop.ts";

export type Resolution =
  | { kind: "accepted"; decision: Decision /** What a person should know though it was taken. */; warning?: string }
  | { kind: "refused"; reason: string };

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
      const stop = await stopAgain(run, recipe, stopped);
      return new Reading(run, recipe, stopped, stop).read();
    });
  } catch (error) {
    if (error instanceof Blocked) return { kind: "refused", reason: error.message };
    throw error;
  }
}

const NOTHING: Verdict = { refused: "", leftover: true };

class Reading {
  readonly #run: RunRepository;
  readonly #recipe: Recipe;
  readonly #stopped: Stopped;
  readonly #stop: StopAgain;
  readonly #refs: ReturnType<typeof handOffRefs>;

  constructor(run: RunRepository, recipe: Recipe, stopped: Stopped, stop: StopAgain) {
    this.#run = run;
    this.#recipe = recipe;
    this.#stopped = stopped;
    this.#stop = stop;
    this.#refs = handOffRefs(recipe.target.name);
  }

  /** The resolution branch counts first; the conflict branch, where that is absent or a leftover of another stop. */
  async read(): Promise<Resolution> {
    const { progress, resolution, conflict } = this.#refs;
    const pushed = await fetchPushed(this.#run, this.#recipe.fork, [progress, resolution, conflict]);
    const first = await this.#judge(resolution, pushed.get(resolution));
    if ("head" in first) return this.#accept(first);
    const edited = this.#editedConflict(pushed.get(conflict));
    if (!first.leftover) {
      const instead = edited ? `; or delete ${branchOf(resolution)} to have ${branchOf(conflict)} taken` : "";
      return { kind: "refused", reason: `${first.refused}${instead}` };
    }
    const second = await this.#judge(conflict, edited);
    if ("head" in second) return this.#accept(second);
    const reasons = [first.refused, second.refused].filter(Boolean).join("; ");
    return { kind: "refused", reason: reasons || (await this.#nothingPushed(pushed.get(progress))) };
  }

  #editedConflict(pushed: Pushed | undefined): Pushed | undefined {
    const { conflict } = this.#stop;
    const untouched = [conflict?.commit, this.#stopped.conflict];
    return conflict && pushed && !("sha" in pushed && untouched.includes(pushed.sha)) ? pushed : undefined;
  }

  async #judge(ref: string, pushed: Pushed | undefined): Promise<Verdict> {
    if (!pushed) return NOTHING;
    const name = branchOf(ref);
    if ("flaw" in pushed) {
      return {
        refused: `${name} cannot be taken in, because git refuses what is in it (${pushed.flaw}): take that out of all of its commits and push again`,
      };
    }
    const place = { name, progress: branchOf(this.#refs.progress), holdsConflict: ref === this.#refs.conflict };
    return new Judge(this.#run, this.#recipe, this.#stop).judge(place, pushed.sha);
  }

  async #nothingPushed(progress: Pushed | undefined): Promise<string> {
    const [onto, to, conflict] = [this.#refs.progress, this.#refs.resolution, this.#refs.conflict].map(branchOf);
    const tag = resolutionTag(this.#recipe.target.name);
    const tags = await listRefs(this.#run.engine, this.#recipe.fork, [tag], this.#run.signal);
    if (tags.size > 0) return `${to} is a tag: push the fix to the branch ${this.#refs.resolution}`;
    if (progress && "sha" in progress && progress.sha !== this.#stop.progress) {
      return `nothing is read from ${onto}, which somebody pushed to: push ${short(progress.sha)} to ${to}`;
    }
    const other = this.#stop.conflict ? `, or amend ${conflict}` : "";
    return `nothing was pushed yet: commit the fix on top of ${onto} and push it to ${to}${other}`;
  }

  async #accept(accepted: Accepted): Promise<Resolution> {
    const { head, by } = accepted;
    await this.#keep(head.id);
    const { conflict, progress } = this.#stop;
    if (!conflict) return { kind: "accepted", decision: { kind: "fix", onto: progress, commit: head.id } };
    const decision: Decision = { kind: "resolution", patch: conflict.patch.id, commit: head.id };
    // Of a commit that we made of several of theirs, nobody could tell later whose they were.
    if (head.committer.startsWith(COMMITTER)) decision.by = by;
    const warning = await this.#remember(conflict, accepted);
    return { kind: "accepted", decision, ...(warning && { warning }) };
  }

  /** Answers with what went wrong: the resolution counts all the same. */
  async #remember(conflict: ConflictAgain, { own, answer, by }: Accepted): Promise<string | undefined> {
    if (!own || !answer) return undefined;
    const [commit, release] = [own.id, this.#recipe.target.name];
    try {
      await Memory.of(this.#run, this.#recipe.fork).remember(conflict, { tree: answer.tree, commit, by, release });
      return undefined;
    } catch (error) {
      if (!(error instanceof Error) || (error instanceof GitFailure && error.kind === "cancelled")) throw error;
      return `the resolution of ${describe(conflict.patch)} is taken, but the fork does not remember it for the next time: ${error.message}`;
    }
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
