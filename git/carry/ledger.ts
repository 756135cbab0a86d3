/** What became of every patch of the stack: one row each, none missing, none twice. */

import type { LedgerRow } from "../../domain/attempt.ts";
import { Blocked, short } from "../blocked.ts";
import type { Commit } from "../repository/commit-object.ts";
import type { RunRepository } from "../repository/run-repository.ts";
import { describe } from "./stack.ts";

export type Fate = Omit<LedgerRow, "patch" | "subject">;

export class Ledger {
  readonly #stack: Commit[];
  readonly #fates = new Map<string, Fate>();

  constructor(stack: Commit[]) {
    this.#stack = stack;
  }

  set(patch: Commit, fate: Fate): void {
    this.#fates.set(patch.id, fate);
  }

  fate(id: string): Fate | undefined {
    return this.#fates.get(id);
  }

  /** Rows in the order of the stack; what has no fate yet is pending. */
  rows(): LedgerRow[] {
    return this.#stack.map(({ id, subject }) => ({
      patch: id,
      subject: cut(subject),
      ...(this.#fates.get(id) ?? { outcome: "pending" }),
    }));
  }

  /**
   * The rows of a carry that came to its end at `tip`. Every patch must be accounted for, and what counts as carried must
   * be in the history of the tip: else nothing may be published. Throws Blocked.
   */
  async complete(run: RunRepository, release: string, tip: string): Promise<LedgerRow[]> {
    const carried = new Set((await run.text(["rev-list", tip, "--not", release])).split("\n"));
    this.#followSkippedMerges(carried);
    for (const patch of this.#stack) {
      const flaw = flawOf(this.#fates.get(patch.id), carried);
      if (flaw) throw new Blocked(`the ledger is wrong, so nothing is published: ${describe(patch)} ${flaw}`);
    }
    return this.rows();
  }

  /** With a merge that a person skipped, the side that it brought in is gone too. */
  #followSkippedMerges(carried: Set<string>): void {
    const skipped = this.#stack.filter(
      (patch) => patch.parents.length > 1 && this.fate(patch.id)?.outcome === "skipped",
    );
    if (skipped.length === 0) return;
    for (const patch of this.#stack) {
      const { commit } = this.fate(patch.id) ?? {};
      if (!commit || carried.has(commit)) continue;
      const merges = skipped.map((merge) => `${describe(merge)}: ${this.fate(merge.id)?.evidence}`).join("; ");
      this.set(patch, { outcome: "skipped", evidence: `the merge that brings it in was skipped (${merges})` });
    }
  }
}

/** A whole message may stand in one line, and a ledger of many such must still fit where it is sent. */
const LONGEST_SUBJECT = 300;

export function cut(subject: string): string {
  return subject.length > LONGEST_SUBJECT ? `${subject.slice(0, LONGEST_SUBJECT - 1)}…` : subject;
}

const HAVE_COMMIT = ["applied", "resolved"];

function flawOf(fate: Fate | undefined, carried: Set<string>): string | undefined {
  if (!fate) return "has no row";
  const { outcome, commit, evidence } = fate;
  if (HAVE_COMMIT.includes(outcome)) {
    if (!commit) return `is ${outcome} without a commit`;
    return carried.has(commit) ? undefined : `is ${outcome} as ${short(commit)}, which the carried stack does not have`;
  }
  if (outcome !== "dropped" && outcome !== "skipped") return `is still ${outcome}`;
  return evidence ? undefined : `is ${outcome} without evidence`;
}
