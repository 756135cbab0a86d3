/** Names and shapes that workflows share with the API, the worker and operators. No logic. */

import { defineSignal, defineUpdate } from "@temporalio/workflow";
import type { ChannelName, Operation } from "../domain/attempt.ts";
import type { FlowEvent } from "../domain/events.ts";

export const TASK_QUEUE = "patchmoi";

export const watchFeedId = (sourceId: string) => `watch-feed/${sourceId}`;
export const maintainForkId = (forkId: string) => `maintain-fork/${forkId}`;

/** A release (or pushed commit) of upstream that the fork should take. */
export interface Release {
  /** What refs and ids call it: the tag, or `<branch>-<first 12 of the sha>` for a pushed commit. */
  name: string;
  /** Full ref on upstream: `refs/tags/<tag>` or `refs/heads/<branch>`. */
  ref: string;
  /** The commit to take, for a pushed commit; a tag is resolved when the attempt starts. */
  sha?: string;
}

export interface ReleaseOffer {
  fork: string;
  release: Release;
  event: FlowEvent;
  operation: Operation;
  /** One wish has one id: the same offer twice, by update, signal or redelivery, counts once. */
  requestId: string;
}

export interface OfferAnswer {
  attemptId: string;
  /** True when the offer changed nothing because its attempt was there. */
  idempotent: boolean;
}

export const offerRelease = defineUpdate<OfferAnswer, [ReleaseOffer]>("offerRelease");
export const offerReleaseSignal = defineSignal<[ReleaseOffer]>("offerRelease");

/** Reads an attempt's refs and workflow again and records what is found. Handled by maintainFork, so that ended attempts can be synced. */
export const syncAttempt = defineUpdate<void, [{ attemptId: string }]>("syncAttempt");

/** maintainRelease tells maintainFork how it stands. */
export interface AttemptReport {
  attemptId: string;
  status: import("../domain/attempt.ts").AttemptStatus;
  /** False once nothing will happen any more; a `changed` attempt that waits for approval holds nothing up but is not closed. */
  closed: boolean;
}
export const attemptReport = defineSignal<[AttemptReport]>("attemptReport");

/** maintainFork tells an attempt that a newer release takes its place, or that a newer candidate is there. */
export const giveWay = defineSignal<[{ to: string }]>("giveWay");

/** What a person sends to a waiting attempt; every field is optional, as the Web UI's form and the CLI send it. */
export interface DecisionRequest {
  token?: string;
  by?: string;
  reason?: string;
  channel?: ChannelName;
  requestId?: string;
}
export const DECISIONS = ["resume", "skipPatch", "retry", "abort", "promote"] as const;
export type DecisionName = (typeof DECISIONS)[number];
export const decisionSignal = (name: DecisionName) => defineSignal<[DecisionRequest?]>(name);
/** Same names as the signals; answers when the decision has taken effect. Refused (ApplicationFailure type `NotWaiting`, `WrongToken` or `BadDecision`) before it is accepted. */
export const decisionUpdate = (name: DecisionName) => defineUpdate<void, [DecisionRequest]>(name);

export const pollNow = defineSignal("pollNow");
