import { ApplicationFailure, condition, setHandler } from "@temporalio/workflow";
import { type ChannelName, DECISIONS, type DecisionName, ENDED_BY, type Intervention } from "../domain/attempt.ts";
import { type DecisionRequest, decisionSignal, decisionUpdate, giveWay } from "./messages.ts";

/** A decision that ended a wait. `giveWay` comes from maintainFork, `timeout` from the wait's own clock. */
export interface Taken extends DecisionRequest {
  name: DecisionName | "giveWay" | "timeout";
  to?: string;
}

export interface OpenWait {
  kind: Intervention["kind"];
  token: string;
  channels?: ChannelName[];
}

type Refusal = { type: "NotWaiting" | "WrongToken" | "BadDecision"; message: string };

/** Takes decisions in, by signal or update alike, and lets at most one of them end a wait. */
export class Inbox {
  taken: Taken | undefined;
  private wait: OpenWait | undefined;
  private settled = 0;
  private tickets = 0;
  private readonly requests: string[] = [];
  private superseding: string | undefined;
  private aborting = false;
  private readonly on: { refused: (message: string) => void; abort: () => void };

  constructor(on: { refused: (message: string) => void; abort: () => void }) {
    this.on = on;
    for (const name of DECISIONS) {
      setHandler(decisionSignal(name), (sent) => {
        const request = readRequest(sent);
        const refusal = this.refusal(name, request);
        if (refusal) this.on.refused(`signal ${name} was ignored: ${refusal.message}`);
        else this.take({ ...request, name });
      });
      setHandler(
        decisionUpdate(name),
        async (sent) => {
          const ticket = this.take({ ...readRequest(sent), name });
          await condition(() => this.settled >= ticket);
        },
        {
          validator: (sent) => {
            const refusal = this.refusal(name, readRequest(sent));
            if (refusal) throw ApplicationFailure.nonRetryable(refusal.message, refusal.type);
          },
        },
      );
    }
    setHandler(giveWay, ({ to }) => {
      this.superseding = to;
      if (this.wait && !this.taken) this.take({ name: "giveWay", to });
    });
  }

  /** From now on decisions are taken; to be called before anybody outside is told of the wait. */
  open(wait: OpenWait): void {
    // An abort that came while the pass was ending is a decision about this wait.
    if (this.taken?.name !== "abort") this.taken = undefined;
    this.wait = wait;
    if (this.superseding !== undefined && !this.taken) this.take({ name: "giveWay", to: this.superseding });
  }

  /** Resolves when a decision has ended the wait, or `timeout` has when it took longer than `milliseconds`. */
  async decision(milliseconds?: number): Promise<void> {
    const decided = () => this.taken !== undefined;
    if (milliseconds === undefined) await condition(decided);
    else if (!(await condition(decided, milliseconds))) this.take({ name: "timeout" });
    this.wait = undefined;
  }

  /** Marks what has been taken so far; to be handed to `settle` once its effect is recorded. */
  get mark(): number {
    return this.tickets;
  }

  settle(mark: number): void {
    this.settled = Math.max(this.settled, mark);
  }

  private take(taken: Taken): number {
    if (taken.requestId && this.requests.includes(taken.requestId)) return this.settled;
    if (taken.requestId) this.requests.push(taken.requestId);
    this.taken = taken;
    this.tickets += 1;
    if (!this.wait && taken.name === "abort") {
      this.aborting = true;
      this.on.abort();
    }
    return this.tickets;
  }

  private refusal(name: DecisionName, request: DecisionRequest): Refusal | undefined {
    if (request.requestId && this.requests.includes(request.requestId)) return undefined;
    const nothing: Refusal = { type: "NotWaiting", message: "the attempt waits for nothing now" };
    // Who names a wait means that wait, and not what came of it since.
    if (!this.wait) return name === "abort" && !request.token && !this.aborting ? undefined : nothing;
    if (this.taken) return nothing;
    if (request.token !== undefined && request.token !== this.wait.token) {
      return { type: "WrongToken", message: `the attempt waits for something else by now (${this.wait.kind})` };
    }
    if (!ENDED_BY[this.wait.kind].includes(name)) {
      return {
        type: "NotWaiting",
        message: `the attempt waits for ${ENDED_BY[this.wait.kind].join(", ")}, not for ${name}`,
      };
    }
    return incomplete(name, request, this.wait);
  }
}

function incomplete(name: DecisionName, request: DecisionRequest, wait: OpenWait): Refusal | undefined {
  if (name === "skipPatch" && !(request.token && request.reason)) {
    return {
      type: "BadDecision",
      message: `skipPatch needs {"token": "${wait.token}", "reason": "why this patch may go"}`,
    };
  }
  if (name === "promote" && !wait.channels?.includes(request.channel as ChannelName)) {
    const waiting = `promote needs {"channel": …} with one that waits: ${wait.channels?.join(" or ")}`;
    return { type: request.channel ? "NotWaiting" : "BadDecision", message: waiting };
  }
  return undefined;
}

/** Whatever a form or a command line sent, reduced to the text fields we know. */
function readRequest(sent: unknown): DecisionRequest {
  if (typeof sent !== "object" || sent === null) return {};
  const text = (key: string) => {
    const value = (sent as Record<string, unknown>)[key];
    return typeof value === "string" && value !== "" ? value : undefined;
  };
  return {
    token: text("token"),
    by: text("by"),
    reason: text("reason"),
    channel: text("channel") as ChannelName | undefined,
    requestId: text("requestId"),
  };
}
