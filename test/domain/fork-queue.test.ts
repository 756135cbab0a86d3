import { expect, test } from "vitest";
import type { AttemptStatus, Operation } from "../../domain/attempt.ts";
import {
  type ForkState,
  lapsing,
  noteStatus,
  planOffer,
  remember,
  rememberAnswer,
  waitingHolder,
} from "../../domain/fork-queue.ts";
import type { ReleaseOffer } from "../../domain/offer.ts";

const offer = (operation: Operation, name = "v1", eventId = "patch:feed:1"): ReleaseOffer => ({
  fork: "acme",
  release: { name, ref: `refs/tags/${name}` },
  event: { id: eventId, type: "upstream.release", source: "patch", receivedAt: "2026-01-01T00:00:00Z", payload: {} },
  operation,
  requestId: `request-${operation}-${eventId}`,
});

const empty = (): ForkState => ({ fork: "acme", known: [], queue: [], answered: [] });

function after(status: AttemptStatus, closed = true): ForkState {
  const state = empty();
  remember(state, { name: "v1", n: 3, attemptId: "a/3", eventId: "patch:feed:1", status, closed });
  return state;
}

test("the first offer of a release opens its first attempt", () => {
  expect(planOffer(empty(), offer("dispatch"))).toEqual({ kind: "open", n: 1 });
});

test("a request that was answered gets the same answer again", () => {
  const state = after("failed");
  const answer = { attemptId: "a/3", idempotent: false };
  rememberAnswer(state, "request-retry-patch:feed:1", answer);
  expect(planOffer(state, offer("retry"))).toEqual({ kind: "answer", answer });
});

const left = { kind: "answer", answer: { attemptId: "a/3", idempotent: true } };
const opened = { kind: "open", n: 4 };
const retried = { kind: "retry", attemptId: "a/3" };

test.each<[AttemptStatus, unknown, unknown, unknown]>([
  // status, the same event dispatched again, retry, replay
  ["started", left, left, opened],
  ["needs_intervention", left, retried, opened],
  ["blocked", left, retried, opened],
  ["changed", left, left, opened],
  ["completed", left, left, opened],
  ["skipped", left, left, opened],
  ["failed", left, opened, opened],
  ["superseded", left, opened, opened],
  ["cancelled", left, opened, opened],
])("after an attempt that is %s", (status, dispatched, onRetry, onReplay) => {
  expect(planOffer(after(status), offer("dispatch"))).toEqual(dispatched);
  expect(planOffer(after(status), offer("retry"))).toEqual(onRetry);
  expect(planOffer(after(status), offer("replay"))).toEqual(onReplay);
});

test("another event for a release that failed, or was skipped, is a new wish; for one that is done it is not", () => {
  expect(planOffer(after("failed"), offer("dispatch", "v1", "patch:manual:1"))).toEqual(opened);
  expect(planOffer(after("skipped"), offer("dispatch", "v1", "patch:manual:1"))).toEqual(opened);
  expect(planOffer(after("changed"), offer("dispatch", "v1", "patch:manual:1"))).toEqual(left);
});

test("an attempt holds the fork while it runs or waits, not while its candidate waits for approval", () => {
  const state = after("started", false);
  state.open = "a/3";
  noteStatus(state, "a/3", "needs_intervention", false);
  expect(waitingHolder(state)?.attemptId).toBe("a/3");
  noteStatus(state, "a/3", "changed", false);
  expect(state.open).toBeUndefined();
  expect(waitingHolder(state)).toBeUndefined();
});

test("a newer candidate makes every older approval lapse, and nothing that is queued or runs", () => {
  const state = after("changed", false);
  remember(state, { name: "v2", n: 1, attemptId: "b/1", eventId: "e2", status: "changed", closed: false });
  remember(state, { name: "v3", n: 1, attemptId: "c/1", eventId: "e3", status: "started", closed: false });
  remember(state, { name: "v4", n: 1, attemptId: "d/1", eventId: "e4", status: "started", closed: false });
  state.open = "c/1";
  state.queue = [
    { attemptId: "d/1", release: { name: "v4", ref: "refs/tags/v4" }, eventId: "e4", operation: "dispatch" },
  ];
  expect(lapsing(state, "b/1").map(({ attemptId }) => attemptId)).toEqual(["a/3"]);
});

test("a replay stands beside the attempt that it replays, which still holds the fork, and is the latest from then on", () => {
  const state = after("needs_intervention", false);
  state.open = "a/3";
  remember(state, { name: "v1", n: 4, attemptId: "a/4", eventId: "patch:feed:1", status: "started", closed: false });
  expect(waitingHolder(state)?.attemptId).toBe("a/3");
  expect(planOffer(state, offer("replay"))).toEqual({ kind: "open", n: 5 });
  noteStatus(state, "a/3", "superseded", true);
  expect(planOffer(state, offer("retry"))).toEqual({ kind: "answer", answer: { attemptId: "a/4", idempotent: true } });
});

test("what is remembered is bounded and keeps the newest", () => {
  const state = empty();
  for (let n = 0; n < 500; n++) {
    remember(state, { name: `v${n}`, n: 1, attemptId: `${n}`, eventId: `${n}`, status: "changed", closed: true });
    rememberAnswer(state, `${n}`, { attemptId: `${n}`, idempotent: false });
  }
  expect(state.known.length).toBe(200);
  expect(state.known.at(-1)?.name).toBe("v499");
  expect(state.answered.length).toBe(200);
});
