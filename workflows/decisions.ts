import type { Decision } from "../domain/attempt.ts";

/** What was decided about an attempt's stack, by people and from memory: with it every step makes the same commits again. */
export class Decisions {
  /** In the order in which they were made: each may build on those before it. */
  list: Decision[] = [];
  /** Commits that the fork keeps for this attempt until it ends, whether or not they still count. */
  readonly kept = new Set<string>();
  /** All that counted when memory was asked again; empty once it has answered. */
  private before: Decision[] = [];

  /** What a person decided. */
  add(decision: Decision): void {
    this.list = [...this.list, decision];
    if (decision.kind !== "skip") this.kept.add(decision.commit);
  }

  /** They were made for other commits. */
  clear(): void {
    this.list = [];
    this.before = [];
  }

  /** Nothing from memory counts any more until a carry takes it from there again. */
  askMemoryAgain(): void {
    if (this.before.length === 0) this.before = this.list;
    this.list = this.list.filter((each) => !isRemembered(each));
  }

  /** Takes what a carry took from memory. Where it was forgotten meanwhile, what people decided on top of it goes with it. */
  remember(remembered: Decision[]): void {
    const gone = this.before.findIndex((each) => isRemembered(each) && !remembered.some((now) => isSame(now, each)));
    if (gone >= 0) this.list = this.before.slice(0, gone).filter((each) => !isRemembered(each));
    this.before = [];
    for (const each of remembered) if (!this.list.some((known) => isSame(known, each))) this.add(each);
  }
}

function isRemembered(decision: Decision): boolean {
  return decision.kind === "resolution" && decision.memory !== undefined;
}

function isSame(one: Decision, other: Decision): boolean {
  return (
    one.kind === "resolution" && other.kind === "resolution" && one.patch === other.patch && one.commit === other.commit
  );
}
