/** The ways to merge in memory, or nearly so. Which one is used depends on how old git is; the results are the same. */

import type { Commit } from "../repository/commit-object.ts";
import type { RunRepository } from "../repository/run-repository.ts";
import type { Merge } from "./answer.ts";
import { type Scope, viewAttributes } from "./attributes.ts";
import { CheckoutEngine } from "./by-checkout.ts";
import { ConversationEngine } from "./by-conversation.ts";
import { ProcessEngine } from "./by-process.ts";

export interface Question {
  /** The commit or tree to compare with; only where `namesBase`. Otherwise the merge base is what history says. */
  base?: string;
  /** As written here they label the sides of a conflict; `at` is where the ref stands. */
  ours: { ref: string; at: Pick<Commit, "id" | "tree"> };
  theirs: string;
}

export interface MergeEngine {
  /** Whether a question may name its base, and trees instead of commits. */
  readonly namesBase: boolean;
  merge(question: Question): Promise<Merge>;
  close(): void;
}

/** `conversation` needs git 2.39, `process` 2.38, `checkout` works with every git that this project supports. */
export type Merging = "conversation" | "process" | "checkout";

/** `attributes` is the commit whose .gitattributes count; `scope` says which of them can matter. */
export async function openMergeEngine(run: RunRepository, attributes: string, scope?: Scope): Promise<MergeEngine> {
  const { engine } = run;
  const merging = engine.options.merging ?? (await bestMerging(run));
  // A checkout has them.
  if (merging === "checkout") return CheckoutEngine.open(run);
  const view = await viewAttributes(run, attributes, scope);
  const namesBase = await engine.atLeast("2.45");
  const conversation =
    merging === "conversation" && (await ConversationEngine.open(run, { namesBase, view, probe: attributes }));
  return conversation || new ProcessEngine(run, namesBase, view);
}

async function bestMerging({ engine }: RunRepository): Promise<Merging> {
  if (await engine.atLeast("2.39")) return "conversation";
  return (await engine.atLeast("2.38")) ? "process" : "checkout";
}
