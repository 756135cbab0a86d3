/**
 * One git process that is asked many things, one after the other. simple-git gives a process its whole input at once, so
 * this is the one place that starts git without it.
 */

import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { GitFailure } from "./failure.ts";
import { COMMAND_MARK, INCARNATION, OWNER_MARK } from "./processes.ts";
import { scrub } from "./scrub.ts";

export interface ConversationOptions {
  cwd: string;
  args: string[];
  /** The whole environment: nothing is inherited. */
  environment: Record<string, string>;
  signal?: AbortSignal;
}

/** Where an answer ends in what has been read so far; undefined while it is not whole. */
export type AnswerEnd = (text: string) => number | undefined;

const MOST_WORDS = 10_000;

export class Conversation {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #what: string;
  readonly #signal?: AbortSignal;
  readonly #onAbort = () => this.close();
  /** Read and not yet answered with; bytes as latin1. */
  #heard = "";
  #words = "";
  #ended = false;
  #wake: (() => void) | undefined;

  constructor({ cwd, args, environment, signal }: ConversationOptions) {
    this.#what = `git ${args[0]}`;
    this.#signal = signal;
    const env = { ...environment, [COMMAND_MARK]: "conversation", [OWNER_MARK]: INCARNATION };
    // In a process group of its own, so that it is ended with all that it may start.
    this.#child = spawn("git", args, { cwd, env, stdio: "pipe", detached: true });
    this.#child.stdout.setEncoding("latin1").on("data", (text: string) => {
      this.#heard += text;
      this.#wake?.();
    });
    this.#child.stderr.setEncoding("utf8").on("data", (text: string) => {
      this.#words = (this.#words + text).slice(-MOST_WORDS);
    });
    // Writing to a git that died: its end is what counts, and is told by `close`.
    this.#child.stdin.on("error", () => undefined);
    this.#child.on("error", (error) => this.#end(error.message)).on("close", () => this.#end(""));
    if (signal?.aborted) this.close();
    else signal?.addEventListener("abort", this.#onAbort, { once: true });
  }

  /** Sends the question, and answers with what is heard up to `end`. Throws GitFailure when git ends before. */
  async ask(question: string, end: AnswerEnd): Promise<string> {
    if (!this.#ended) this.#child.stdin.write(question, "latin1");
    for (;;) {
      const at = end(this.#heard);
      if (at !== undefined) {
        const answer = this.#heard.slice(0, at);
        this.#heard = this.#heard.slice(at);
        return answer;
      }
      if (this.#ended) throw this.#failure();
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  close(): void {
    this.#signal?.removeEventListener("abort", this.#onAbort);
    const { pid } = this.#child;
    if (this.#ended || pid === undefined) return;
    try {
      process.kill(-pid, "SIGKILL");
    } catch {
      // It has ended meanwhile.
    }
  }

  #end(words: string): void {
    this.#ended = true;
    this.#words += words;
    this.#signal?.removeEventListener("abort", this.#onAbort);
    this.#wake?.();
  }

  #failure(): GitFailure {
    if (this.#signal?.aborted) return new GitFailure("cancelled", `${this.#what} was ended: the work was cancelled`);
    return new GitFailure("other", `${this.#what} ended without an answer\n${scrub(this.#words.trim(), [])}`);
  }
}
