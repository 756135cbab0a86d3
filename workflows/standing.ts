import {
  CancellationScope,
  getExternalWorkflowHandle,
  isCancellation,
  setCurrentDetails,
  upsertSearchAttributes,
} from "@temporalio/workflow";
import type { AttemptChange, Subject } from "../activities/steps.ts";
import type { AttemptStatus, CandidateRef } from "../domain/attempt.ts";
import { describeAttempt } from "./describe.ts";
import { attemptReport, maintainForkId } from "./messages.ts";
import { PATCH_STATUS, recorder, sinks } from "./options.ts";

/** How an attempt stands, told alike to the records, the search attributes, the Web UI, maintainFork and the sinks. */
export class Standing {
  private readonly warnings = new Map<string, string[]>();
  private status: AttemptStatus = "started";
  private candidateRefs: CandidateRef[] = [];
  private readonly shown: AttemptChange = {};
  private readonly notices: Promise<void>[] = [];
  private readonly subject: Subject;

  constructor(subject: Subject) {
    this.subject = subject;
  }

  /** The last that was said. */
  get message(): string | undefined {
    return this.shown.message;
  }

  /** Replaces what the same step warned of before. */
  warn(step: string, warnings: string[]): void {
    this.warnings.set(step, warnings);
  }

  addWarning(warning: string): void {
    this.warn("afterwards", [...(this.warnings.get("afterwards") ?? []), warning]);
  }

  /** Refs that were pushed; a ref that was known before is replaced. */
  putRefs(refs: CandidateRef[]): void {
    const others = this.candidateRefs.filter((old) => !refs.some((ref) => ref.ref === old.ref));
    this.candidateRefs = [...others, ...refs];
  }

  async show(change: AttemptChange, message: string, closed = false): Promise<void> {
    const { candidateRefs } = this;
    const warnings = [...this.warnings.values()].flat();
    const statusChanged = change.status !== undefined && (change.status !== this.status || closed);
    this.status = change.status ?? this.status;
    const whole = { ...change, message, candidateRefs, warnings };
    Object.assign(this.shown, whole);
    this.describe();
    upsertSearchAttributes([{ key: PATCH_STATUS, value: this.status }]);
    await recorder.recordAttempt({ id: this.subject.attemptId, change: whole });
    if (statusChanged) await this.report({ closed });
  }

  describe(note?: string): void {
    setCurrentDetails(describeAttempt(this.subject, this.shown, note));
  }

  /** maintainFork may have been ended by an operator: then there is nobody to tell, and nothing lost. */
  async report(news: { closed?: boolean; candidate?: boolean }): Promise<void> {
    const { attemptId, fork } = this.subject;
    try {
      const parent = getExternalWorkflowHandle(maintainForkId(fork));
      await parent.signal(attemptReport, { attemptId, status: this.status, closed: false, ...news });
    } catch (error) {
      if (isCancellation(error)) throw error;
    }
  }

  /** Begins to tell the sinks, which hold nothing up. */
  notify(event: "attention" | "candidate" | "promoted", message: string): void {
    const { fork, release } = this.subject;
    const notice = { event, fork, release, message, intervention: this.shown.intervention ?? undefined };
    const sent = CancellationScope.nonCancellable(() => sinks(`tell: ${event}`).notify(notice));
    this.notices.push(sent.catch(() => this.addWarning(`a notification (${event}) could not be sent`)));
  }

  /** What was begun by `notify` is finished, or given up. */
  async noticesSent(): Promise<void> {
    await Promise.all(this.notices);
  }
}
