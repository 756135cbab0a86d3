/** Merges by one `git merge-tree --stdin` process for all of them: a process start costs more than most merges. */

import { setTimeout as sleep } from "node:timers/promises";
import { Conversation } from "../process/conversation.ts";
import { commitOf, writeObject } from "../repository/commit-object.ts";
import type { RunRepository } from "../repository/run-repository.ts";
import { endOfAnswer, type Merge, parseMerge } from "./answer.ts";
import type { AttributeView } from "./attributes.ts";
import type { MergeEngine, Question } from "./engines.ts";

/** A git that does not speak by then keeps its answers to itself. */
const FIRST_ANSWER_MS = 10_000;
/** Longer than what a C library keeps back of a pipe's output: 4 KiB with glibc, 1 KiB with musl, 16 KiB on macOS. */
const PAD_BYTES = 20_000;

interface Opening {
  namesBase: boolean;
  view: AttributeView;
  /** A commit that is merged with itself to hear whether git answers. */
  probe: string;
}

export class ConversationEngine implements MergeEngine {
  readonly namesBase: boolean;
  readonly #conversation: Conversation;
  /** A question whose long answer pushes the one before out of git's buffer. */
  readonly #pad: string;
  /** Answers to pads that were not read yet. */
  #padsDue = 0;

  private constructor(conversation: Conversation, namesBase: boolean, pad: string) {
    this.#conversation = conversation;
    this.namesBase = namesBase;
    this.#pad = pad;
  }

  /** Undefined when this git will not answer before its input ends. */
  static async open(run: RunRepository, opening: Opening): Promise<ConversationEngine | undefined> {
    const { cwd, flags, environment } = opening.view;
    const conversation = new Conversation({
      cwd,
      args: [...flags, "merge-tree", "--write-tree", "-z", "--stdin"],
      environment: { ...(await run.engine.environment()), ...environment },
      signal: run.signal,
    });
    run.onClose(() => conversation.close());
    // Since 2.49 git flushes each answer ("merge-tree --stdin: flush stdout to avoid deadlock").
    const pad = (await run.engine.atLeast("2.49")) ? "" : padQuestion(run);
    const engine = new ConversationEngine(conversation, opening.namesBase, pad);
    const first = engine.merge({
      ours: { ref: opening.probe, at: { id: opening.probe, tree: "" } },
      theirs: opening.probe,
    });
    const timeout = new AbortController();
    try {
      const spoke = await Promise.race([
        first.then(() => true),
        sleep(FIRST_ANSWER_MS, false, { signal: timeout.signal }),
      ]);
      if (spoke) return engine;
      first.catch(() => undefined);
      conversation.close();
      return undefined;
    } finally {
      timeout.abort();
    }
  }

  close(): void {
    this.#conversation.close();
  }

  async merge({ base, ours, theirs }: Question): Promise<Merge> {
    const question = `${base ? `${base} -- ` : ""}${ours.ref} ${theirs}\n`;
    const skip = this.#padsDue;
    this.#padsDue = 0;
    let start = 0;
    const text = await this.#conversation.ask(question + this.#pad, (heard) => {
      let at = 0;
      for (let answer = 0; answer <= skip; answer++) {
        start = at;
        const end = endOfAnswer(heard.slice(at));
        if (end === undefined) return undefined;
        at += end;
      }
      return at;
    });
    if (this.#pad) this.#padsDue = 1;
    const answer = text.slice(start);
    return parseMerge(answer.startsWith("1"), answer.slice(2));
  }
}

/** Two commits that conflict in a file with a very long name, which git says several times. */
function padQuestion(run: RunRepository): string {
  const name = "x".repeat(PAD_BYTES / 5);
  const commit = (content: string, parents: string[]) => {
    const blob = Buffer.from(writeObject(run, "blob", Buffer.from(content)), "hex");
    const tree = writeObject(run, "tree", Buffer.concat([Buffer.from(`100644 ${name}\0`), blob]));
    return writeObject(run, "commit", commitOf(tree, parents));
  };
  const base = commit("base\n", []);
  return `${commit("ours\n", [base])} ${commit("theirs\n", [base])}\n`;
}
