import { createHash, randomUUID } from "node:crypto";
import type { Request } from "express";
import type { Act, Answer } from "./answers.ts";
import { invalidRequest, Problem } from "./problems.ts";

/** Names what a POST or a DELETE wants done. */
export interface Wish {
  requestId: string;
  /** Whether the client chose the name, and may send the same wish again. */
  keyed: boolean;
}

interface Given {
  requestId: string;
  answer: Promise<Answer>;
}

const REMEMBERED = 1000;

/**
 * `Idempotency-Key`: the same request under the same key does its work once and is answered alike. Answers are remembered by
 * this process; after a restart the request id, which Temporal and the records keep, still makes the effect count once.
 */
export class IdempotentAnswers {
  readonly #given = new Map<string, Given>();

  async once(request: Request, act: Act): Promise<Answer> {
    const key = request.get("Idempotency-Key");
    if (key === undefined) return await act(request, { requestId: randomUUID(), keyed: false });
    if (!/^[\x20-\x7e]{1,255}$/.test(key)) {
      throw invalidRequest(["Idempotency-Key: must be 1 to 255 printable ASCII characters"]);
    }
    const scope = digest(`${request.method} ${request.path}\n${key}`);
    const requestId = digest(`${scope}\n${JSON.stringify(request.body ?? null)}`);
    const before = this.#given.get(scope);
    if (before && before.requestId !== requestId) {
      throw new Problem(
        422,
        "idempotency_key_reused",
        "This Idempotency-Key came with another body before: use a new key for a new request.",
      );
    }
    if (before) return await before.answer;
    const answer = act(request, { requestId, keyed: true });
    this.#remember(scope, { requestId, answer });
    return await answer;
  }

  /** What failed may be tried again under its key. */
  #remember(scope: string, given: Given): void {
    this.#given.set(scope, given);
    const [oldest] = this.#given.keys();
    if (oldest !== undefined && this.#given.size > REMEMBERED) this.#given.delete(oldest);
    const forget = () => {
      if (this.#given.get(scope) === given) this.#given.delete(scope);
    };
    given.answer.then(({ status }) => status >= 300 && forget(), forget);
  }
}

function digest(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
