import {
  ActivityFailure,
  ApplicationFailure,
  CancellationScope,
  isCancellation,
  patched,
  uuid4,
} from "@temporalio/workflow";
import type {
  AttemptChange,
  Blocked,
  CandidatePushed,
  CarriedStack,
  Carry,
  HandOver,
  Prepared,
  Subject,
  Taking,
  Work,
} from "../activities/steps.ts";
import type { AttemptStatus, CandidateRef, ChannelName, Decision, Intervention, Operation } from "../domain/attempt.ts";
import { withToken } from "../domain/hand-off.ts";
import { Decisions } from "./decisions.ts";
import { Inbox, type Taken } from "./inbox.ts";
import type { Release } from "./messages.ts";
import { git } from "./options.ts";
import { Standing } from "./standing.ts";

export interface AttemptInput {
  attemptId: string;
  fork: string;
  release: Release;
  eventId: string;
  operation: Operation;
}

/** What stands at the end of a pass: the attempt is over, or somebody must decide. */
export type Stop =
  | { end: AttemptStatus; message: string }
  | {
      wait: Omit<Intervention, "token">;
      /** Set once the wait is open; a stop that is stayed in keeps it. */
      token?: string;
      handedOver?: HandOver["stopped"];
      /** Milliseconds after which the wait ends by itself. */
      retryAfter?: number;
      /** Why the last decision could not be taken. */
      refusal?: string;
    };
type Waiting = Extract<Stop, { wait: unknown }>;

export type TakeResolution = (summary: string, stopped: HandOver["stopped"]) => Promise<Taking>;

const FIRST_RETRY = 10 * 60_000;
const LAST_RETRY = 6 * 3_600_000;

export function openAttempt(input: AttemptInput): Attempt {
  return new Attempt(input);
}

/** What one attempt knows between its steps, and its waits. The decisions of the runbook are in maintain-release.ts. */
export class Attempt {
  readonly subject: Subject;
  plan: Prepared | undefined;
  carried: Carry | undefined;
  /** The tip that the build passed on. */
  built: string | undefined;
  candidate: { sha: string; channels: CandidatePushed["channels"] } | undefined;

  private pinned: Work["pinned"] | undefined;
  private readonly decisions = new Decisions();
  /** The tip and the warnings that a person accepted together: no other tip passes by that word, nor do other warnings. */
  private acceptedWarnings: string | undefined;
  /** Channel to the candidate that a person approved for it: no other may be promoted by that word. */
  private readonly approved = new Map<ChannelName, string>();
  private readonly promoted = new Map<ChannelName, string>();
  private handedOff = false;
  private retries = 0;
  private scope = new CancellationScope();
  private readonly inbox: Inbox;
  private readonly standing: Standing;

  constructor(input: AttemptInput) {
    const { attemptId, fork, release, operation } = input;
    this.subject = { attemptId, fork, release, operation };
    this.standing = new Standing(this.subject);
    this.inbox = new Inbox({ refused: (message) => this.standing.describe(message), abort: () => this.scope.cancel() });
  }

  get taken(): Taken | undefined {
    return this.inbox.taken;
  }

  /** What every activity after `prepare` needs to make the same commits again. */
  get work(): Work {
    const { attemptId, fork, release } = this.subject;
    return { attemptId, fork, release, pinned: this.pinned as Work["pinned"], decisions: this.decisions.list };
  }

  /** Passes and decisions in turn until the attempt is over; then cleans up and says so. */
  async untilEnded(
    pass: (attempt: Attempt) => Promise<Stop>,
    decide: (attempt: Attempt, stop: Waiting) => Promise<Stop | undefined>,
  ): Promise<AttemptStatus> {
    try {
      await this.show({ status: "started" }, "starting");
      let stop = await this.scope.run(() => pass(this));
      while ("wait" in stop) {
        const waiting = stop;
        await this.waitFor(waiting);
        this.scope = new CancellationScope();
        stop = await this.scope.run(async () => (await decide(this, waiting)) ?? (await this.goOn(pass)));
      }
      return await this.end(stop.end, stop.message);
    } catch (error) {
      if (!isCancellation(error)) throw error;
      const aborted = this.taken?.name === "abort";
      const message = (aborted && this.taken?.reason) || "cancelled by a person";
      await CancellationScope.nonCancellable(() => this.end("cancelled", message));
      if (aborted) return "cancelled";
      throw error;
    }
  }

  /** Runs a step; what still fails after its retries is a reason to wait, not to fail. */
  async step<T>(name: string, run: (summary: string) => Promise<T>): Promise<T | Blocked> {
    try {
      return await run(`${name} (${this.subject.release.name})`);
    } catch (error) {
      if (!(error instanceof ActivityFailure) || isCancellation(error)) throw error;
      const cause = error.cause instanceof ApplicationFailure ? error.cause : error;
      // What was refused for good, such as a remote or a token, is refused again until a person changes it.
      const transient = !(cause instanceof ApplicationFailure && cause.nonRetryable);
      return { kind: "blocked", reason: `${name}: ${cause.message}`, transient };
    }
  }

  /** Takes the plan's commits; decisions made for other commits do not count for these. */
  startFrom(plan: Extract<Prepared, { kind: "carry" }>): void {
    const { release, tip, base } = plan.pinned;
    const before = this.pinned;
    if (before && (before.release !== release || before.tip !== tip || before.base !== base)) this.decisions.clear();
    this.pinned = plan.pinned;
    this.warn("prepare", plan.warnings ?? []);
  }

  /** What a carry took from memory counts from here on, as if it had been decided for this attempt. */
  takeUp(carried: Exclude<Carry, Blocked>): void {
    this.decisions.remember(carried.remembered ?? []);
    this.warn("carry", (carried.kind === "carried" && carried.warnings) || []);
  }

  /** Replaces the warnings that the same step gave before. */
  warn(step: "prepare" | "carry" | "build", warnings: string[]): void {
    this.standing.warn(step, warnings);
  }

  accepts(carried: CarriedStack): boolean {
    return this.acceptedWarnings === warningsOf(carried);
  }

  blocked(because: Blocked): Stop {
    this.retries = because.transient ? this.retries + 1 : 0;
    const retryAfter = because.transient ? Math.min(FIRST_RETRY * 2 ** (this.retries - 1), LAST_RETRY) : undefined;
    const minutes = Math.round((retryAfter ?? 0) / 60_000);
    const again = retryAfter ? `\nIt is tried again in ${minutes} minutes, or when you retry.` : "";
    const message = `${because.reason}${again}`;
    return { wait: { kind: "blocked", message, commands: because.commands ?? [] }, retryAfter };
  }

  /** Pushes what was carried so far, so that a person can go on from it. */
  async handOver(kind: "conflict" | "build" | "warnings", stop: HandOver): Promise<Stop> {
    this.handedOff = true;
    const pushed = await this.step("push the progress", (summary) =>
      git(summary).pushHandOff({ ...this.work, stopped: stop.stopped }),
    );
    if (pushed.kind === "blocked") return this.blocked(pushed);
    const { message, commands, files, proposal, stopped } = stop;
    return { wait: { kind, message, commands, files, proposal, patch: stopped.patch }, handedOver: stopped };
  }

  async takeResolution(stop: Waiting, take: TakeResolution): Promise<Stop | undefined> {
    const stopped = stop.handedOver as HandOver["stopped"];
    const taking = await this.step("take the resolution", (summary) => take(summary, stopped));
    if (taking.kind === "accepted") {
      if (taking.warning) this.standing.addWarning(taking.warning);
      return this.decided({ ...taking.decision, by: this.taken?.by ?? taking.decision.by });
    }
    if (taking.kind !== "nothing") return { ...stop, refusal: taking.reason };
    return stop.wait.kind === "warnings" ? this.acceptWarnings() : this.takeAfresh();
  }

  /** A fix that was pushed and not yet resumed would go with the hand-off refs: the fork remembers it for whoever meets the conflict next. */
  async rememberPushed(stop: Waiting, take: TakeResolution): Promise<void> {
    const stopped = stop.handedOver;
    if (stop.wait.kind !== "conflict" || !stopped || !patched("what was pushed is remembered")) return;
    const taking = await this.step("remember what was pushed", (summary) => take(summary, stopped));
    if (taking.kind === "accepted") this.decisions.add(taking.decision);
  }

  /** Remembers the decision; the next pass carries again with it. */
  decided(decision: Decision): undefined {
    this.decisions.add(decision);
    this.carried = undefined;
  }

  /** The next pass reads config, patch branch and memory again. */
  takeAfresh(): undefined {
    this.decisions.askMemoryAgain();
    this.plan = undefined;
    this.carried = undefined;
  }

  approve(channel: ChannelName): undefined {
    if (this.candidate) this.approved.set(channel, this.candidate.sha);
  }

  gaveWay(to: string | undefined): Stop {
    if (this.candidate) return { end: "changed", message: `its approval lapsed: it gave way to ${to}` };
    return { end: "superseded", message: `superseded by ${to}` };
  }

  /** `changed` is said with what is asked next, or at the end, so that nobody sees one without the other. */
  async candidateReady(pushed: CandidatePushed): Promise<void> {
    this.candidate = { sha: pushed.tip, channels: pushed.channels };
    this.standing.putRefs(pushed.refs);
    await this.takeHandOffBack({ keepDecisions: true });
    await this.show({}, pushed.message);
    await this.standing.report({ candidate: true });
    this.standing.notify("candidate", pushed.message);
  }

  /** Channels that are to be promoted on this pass, and are not yet at this candidate. */
  channelsToPromote(): ChannelName[] {
    const { sha, channels } = this.candidate ?? {};
    const isWanted = (name: ChannelName) => channels?.auto.includes(name) || this.approved.get(name) === sha;
    return (["internal", "public"] as const).filter((name) => isWanted(name) && !this.isPromoted(name));
  }

  async promotedTo(channel: ChannelName, refs: CandidateRef[]): Promise<void> {
    this.promoted.set(channel, this.candidate?.sha as string);
    this.standing.putRefs(refs);
    const message = `promoted to ${channel}: ${refs.map(({ ref }) => ref).join(", ")}`;
    await this.show({}, message);
    this.standing.notify("promoted", message);
  }

  awaitApproval(): Stop {
    const channels = (this.candidate?.channels.manual ?? []).filter((name) => !this.isPromoted(name));
    const message = this.standing.message ?? "the candidate is pushed";
    if (channels.length === 0) return { end: "changed", message };
    return {
      wait: {
        kind: "approval",
        channels,
        commands: [],
        message: `${message}; waits for promote (${channels.join(", ")})`,
      },
    };
  }

  private isPromoted(channel: ChannelName): boolean {
    return this.promoted.get(channel) === this.candidate?.sha;
  }

  /** The next pass goes on with what is carried; the fork may have been given a build meanwhile. */
  private acceptWarnings(): undefined {
    if (this.carried?.kind !== "carried") return;
    this.acceptedWarnings = warningsOf(this.carried);
    this.carried = { ...this.carried, builds: true };
  }

  private async waitFor(stop: Waiting): Promise<void> {
    const sameWait = stop.token !== undefined;
    stop.token ??= uuid4();
    const { kind, channels } = stop.wait;
    const message = stop.refusal ? `${stop.refusal}\n\n${stop.wait.message}` : stop.wait.message;
    const status = kind === "approval" ? "changed" : kind === "blocked" ? "blocked" : "needs_intervention";
    this.inbox.open({ kind, token: stop.token, channels });
    const commands = withToken(stop.wait.commands, stop.token);
    await this.show({ status, intervention: { ...stop.wait, commands, message, token: stop.token } }, message);
    if (kind !== "approval" && !sameWait) this.standing.notify("attention", message);
    await this.inbox.decision(stop.retryAfter);
  }

  private async goOn(pass: (attempt: Attempt) => Promise<Stop>): Promise<Stop> {
    const status = this.taken?.name === "promote" ? "changed" : "started";
    await this.show({ status, intervention: null }, `going on after ${this.taken?.name}`);
    return await pass(this);
  }

  /**
   * What was handed over belongs to the open attempt: by now it is in the candidate, or given up. The places are shared by all
   * attempts of a release, so they are cleared once, and of decisions only our own go.
   */
  private async takeHandOffBack({ keepDecisions }: { keepDecisions: boolean }): Promise<void> {
    const places = this.handedOff;
    const decisions = keepDecisions ? [] : [...this.decisions.kept];
    if (!places && decisions.length === 0) return;
    const { fork, release } = this.subject;
    const left = await this.step(
      "remove hand-off refs",
      async (summary) => void (await git(summary).clearHandOff({ fork, name: release.name, places, decisions })),
    );
    if (left) this.standing.addWarning(`hand-off refs were left on the fork: ${left.reason}`);
    else this.handedOff = false;
  }

  private async end(status: AttemptStatus, message: string): Promise<AttemptStatus> {
    await this.takeHandOffBack({ keepDecisions: false });
    await this.standing.noticesSent();
    await this.show({ status, intervention: null }, message, true);
    return status;
  }

  /** Whoever made the decision that led here has their answer once it is recorded; at the end, everybody has. */
  private async show(change: AttemptChange, message: string, closed = false): Promise<void> {
    const { mark } = this.inbox;
    await this.standing.show(change, message, closed);
    this.inbox.settle(closed ? Number.POSITIVE_INFINITY : mark);
  }
}

function warningsOf({ tip, warnings = [] }: CarriedStack): string {
  return [tip, ...warnings].join("\n");
}
