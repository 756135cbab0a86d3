/** The order in which a fork takes releases: what maintainFork remembers and how it decides. Pure, and safe in a workflow. */

import { type AttemptStatus, isOpen, isWaiting, type Operation } from "./attempt.ts";
import type { OfferAnswer, Release, ReleaseOffer } from "./offer.ts";

export interface QueuedAttempt {
  attemptId: string;
  release: Release;
  eventId: string;
  operation: Operation;
}

/** One attempt; of one release the latest stands last. */
export interface KnownAttempt {
  name: string;
  n: number;
  attemptId: string;
  eventId: string;
  status: AttemptStatus;
  /** Nothing will happen to it any more; a `changed` attempt that waits for approval is not closed. */
  closed: boolean;
}

export interface ForkState {
  fork: string;
  /** The latest opened last, bounded. */
  known: KnownAttempt[];
  queue: QueuedAttempt[];
  /** The attempt that holds the fork: it runs, or waits for a person. */
  open?: string;
  /** Answers already given, by request id, bounded. */
  answered: { requestId: string; answer: OfferAnswer }[];
}

const REMEMBERED = 200;

export type OfferPlan =
  | { kind: "answer"; answer: OfferAnswer }
  /** The attempt that waits takes its failed step again. */
  | { kind: "retry"; attemptId: string }
  | { kind: "open"; n: number };

/** What an offer leads to, by CONTRACT.md's words on dispatch, retry and replay. */
export function planOffer(state: ForkState, offer: ReleaseOffer): OfferPlan {
  const before = state.answered.find(({ requestId }) => requestId === offer.requestId);
  if (before) return { kind: "answer", answer: before.answer };
  const known = state.known.findLast(({ name }) => name === offer.release.name);
  if (!known) return { kind: "open", n: 1 };
  const another: OfferPlan = { kind: "open", n: known.n + 1 };
  if (offer.operation === "replay") return another;
  if (offer.operation === "retry" && isWaiting(known.status)) return { kind: "retry", attemptId: known.attemptId };
  const leave: OfferPlan = { kind: "answer", answer: { attemptId: known.attemptId, idempotent: true } };
  if (isOpen(known.status) || known.status === "changed" || known.status === "completed") return leave;
  if (offer.operation === "retry") return known.status === "skipped" ? leave : another;
  return known.eventId === offer.event.id ? leave : another;
}

export function remember(state: ForkState, attempt: KnownAttempt): void {
  const all = [...state.known, attempt];
  state.known = all.filter(({ closed }, index) => !closed || index >= all.length - REMEMBERED);
}

export function rememberAnswer(state: ForkState, requestId: string, answer: OfferAnswer): void {
  state.answered = [...state.answered, { requestId, answer }].slice(-REMEMBERED);
}

/** Takes in how an attempt stands, and whether it still holds the fork. */
export function noteStatus(state: ForkState, attemptId: string, status: AttemptStatus, closed: boolean): void {
  state.known = state.known.map((known) => (known.attemptId === attemptId ? { ...known, status, closed } : known));
  if (state.open === attemptId && (closed || !isOpen(status))) state.open = undefined;
}

/** Attempts whose candidate waits for approval and lapses once `newer` has one. */
export function lapsing(state: ForkState, newer: string): KnownAttempt[] {
  return state.known.filter(
    (known) =>
      !known.closed && known.attemptId !== newer && known.attemptId !== state.open && !isQueued(state, known.attemptId),
  );
}

/** The attempt that holds the fork, when it waits for a person. */
export function waitingHolder(state: ForkState): KnownAttempt | undefined {
  return state.known.find((known) => known.attemptId === state.open && isWaiting(known.status));
}

/** It waits its turn, and has no workflow yet. */
export function isQueued(state: ForkState, attemptId: string): boolean {
  return state.queue.some((queued) => queued.attemptId === attemptId);
}
