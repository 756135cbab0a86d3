/** What the steps of an attempt take and give: plain values that travel through workflow history. No secrets, no URLs of remotes. */

import type {
  CandidateRef,
  ChannelName,
  Decision,
  Intervention,
  MaintenanceAttempt,
  Operation,
} from "../domain/attempt.ts";
import type { FeedSignal, FeedState, FlowEvent } from "../domain/events.ts";
import type { Release, ReleaseOffer } from "../domain/offer.ts";

export interface Subject {
  attemptId: string;
  fork: string;
  release: Release;
  operation: Operation;
}

/** Full ids of the commits that the attempt works with, whatever moves meanwhile. */
export interface Pinned {
  release: string;
  tip: string;
  base: string;
}

/** Enough to make the attempt's commits again on any machine, together with the fork's entry in the config. */
export interface Work {
  attemptId: string;
  fork: string;
  release: Release;
  pinned: Pinned;
  decisions: Decision[];
}

/** Something outside is wrong. `transient`: worth trying again by itself. */
export interface Blocked {
  kind: "blocked";
  reason: string;
  transient?: boolean;
  commands?: string[];
}

export type Prepared =
  | { kind: "carry"; pinned: Pinned; patches: number; warnings?: string[] }
  | { kind: "nothing"; reason: string }
  | { kind: "skipped"; reason: string }
  | Blocked;

/** The carry, the look at its warnings or the build stopped; a person can go on from `stopped.progress`. */
export interface HandOver extends Pick<Intervention, "message" | "commands" | "files" | "proposal"> {
  stopped: { progress: string; conflict?: string; patch?: string };
}

/** What is optional is absent in histories from before there was such a thing. */
export interface CarriedStack {
  kind: "carried";
  tip: string;
  /** Resolutions that this carry took from memory. */
  remembered?: Decision[];
  /** What may be broken though nothing stopped. */
  warnings?: string[];
  /** Set where the fork wants a person to look at the warnings first. */
  stop?: HandOver;
  /** False where the fork has no build: then none has to be begun to find that out. */
  builds?: boolean;
}

export type Carry = CarriedStack | ({ kind: "conflict"; remembered?: Decision[] } & HandOver) | Blocked;

export type Built =
  | ({ kind: "failed" } & HandOver & { warnings: string[] })
  | { kind: "passed"; warnings: string[] }
  | Blocked;

/** `nothing`: no resolution was pushed and none is needed to go on. */
export type Taking =
  | { kind: "accepted"; decision: Decision; warning?: string }
  | { kind: "refused"; reason: string }
  | { kind: "nothing" }
  | Blocked;

export interface CandidatePushed {
  kind: "pushed";
  tip: string;
  refs: CandidateRef[];
  channels: { auto: ChannelName[]; manual: ChannelName[] };
  message: string;
}

export interface Promoted {
  kind: "promoted";
  refs: CandidateRef[];
}

/** `null` removes. */
export type AttemptChange = Partial<Omit<MaintenanceAttempt, "id" | "intervention">> & {
  intervention?: Intervention | null;
};

/** What one poll found, oldest first; `state` is committed after all of it was handed on. */
export interface Polled {
  signals: FeedSignal[];
  state: FeedState;
}

/** What is to be done about a feed signal. */
export type TakenSignal =
  | { kind: "maintain"; offer: ReleaseOffer }
  | { kind: "backend"; event: FlowEvent }
  | { kind: "none"; reason: string };
