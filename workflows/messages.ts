/** Names and shapes that workflows share with the API, the worker and operators. No logic. */

import { defineSignal, defineUpdate } from "@temporalio/workflow";
import type { AttemptStatus, ChannelName, DecisionName } from "../domain/attempt.ts";
import type { OfferAnswer, ReleaseOffer } from "../domain/offer.ts";

export type { OfferAnswer, Release, ReleaseOffer } from "../domain/offer.ts";

export const TASK_QUEUE = "patchmoi";

export const watchFeedId = (sourceId: string) => `watch-feed/${sourceId}`;
export const maintainForkId = (forkId: string) => `maintain-fork/${forkId}`;

/** One `maintainFork` a fork, started by whoever needs it first. */
export function startForkOptions(fork: string) {
  return {
    workflowId: maintainForkId(fork),
    taskQueue: TASK_QUEUE,
    args: [{ fork }] as [{ fork: string }],
    workflowIdConflictPolicy: "USE_EXISTING" as const,
    workflowIdReusePolicy: "ALLOW_DUPLICATE" as const,
    staticSummary: `maintains ${fork}`,
  };
}

export const offerRelease = defineUpdate<OfferAnswer, [ReleaseOffer]>("offerRelease");
export const offerReleaseSignal = defineSignal<[ReleaseOffer]>("offerRelease");

/** Reads an attempt's refs and workflow again and records what is found. Handled by maintainFork, so that ended attempts can be synced. */
export const syncAttempt = defineUpdate<void, [{ attemptId: string }]>("syncAttempt");

/** Takes an attempt that waits its turn, and so has no workflow yet, out of the queue; false when it is not in it. */
export const withdraw = defineUpdate<boolean, [{ attemptId: string; reason?: string }]>("withdraw");

/** Has a worker read what the fork remembers of resolved conflicts, and put it where the API finds it. */
export const listResolutions = defineUpdate<void>("listResolutions");

/** False when the fork remembers none of that key. */
export const forgetResolution = defineUpdate<boolean, [{ key: string }]>("forgetResolution");

/** maintainRelease tells maintainFork how it stands. */
export interface AttemptReport {
  attemptId: string;
  status: AttemptStatus;
  /** False once nothing will happen any more; a `changed` attempt that waits for approval holds nothing up but is not closed. */
  closed: boolean;
  /** It has just pushed a candidate: approvals of older ones lapse. */
  candidate?: boolean;
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
export const decisionSignal = (name: DecisionName) => defineSignal<[DecisionRequest?]>(name);
/** Same names as the signals; answers when the decision has taken effect. Refused (ApplicationFailure type `NotWaiting`, `WrongToken` or `BadDecision`) before it is accepted. */
export const decisionUpdate = (name: DecisionName) => defineUpdate<void, [DecisionRequest]>(name);

export const pollNow = defineSignal("pollNow");
