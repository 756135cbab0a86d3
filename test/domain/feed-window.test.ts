import { expect, test } from "vitest";
import type { FeedSource } from "../../domain/config.ts";
import type { FeedSignal, FeedState } from "../../domain/events.ts";
import { signalKey } from "../../domain/feed-entry.ts";
import { nextState, unseen } from "../../domain/feed-window.ts";

const source = (over: Partial<FeedSource> = {}): FeedSource => ({
  id: "s",
  provider: "github",
  url: "https://example.org/releases.atom",
  event: "release",
  repo: { owner: "o", name: "r", fullName: "o/r", webUrl: "https://example.org" },
  pollIntervalSeconds: 300,
  primeOnly: true,
  ...over,
});

const signal = (n: number, over: Partial<FeedSignal> = {}): FeedSignal => ({
  sourceId: "s",
  provider: "github",
  event: "release",
  entryId: `e${n}`,
  title: `release ${n}`,
  publishedAt: new Date(Date.UTC(2026, 0, 1, 0, n)).toISOString(),
  repo: source().repo,
  tag: `v${n}`,
  raw: {},
  ...over,
});

const state = (over: Partial<FeedState> = {}): FeedState => ({ sourceId: "s", seen: [], primedAt: "x", ...over });
const keys = (...numbers: number[]) => numbers.map((n) => signalKey(signal(n)));
const tags = (signals: FeedSignal[]) => signals.map(({ tag }) => tag);

test("the first reading remembers, or takes all where primeOnly is false", () => {
  const first = unseen([signal(2), signal(1)], undefined, source());
  expect([first.news, tags(first.settled)]).toEqual([[], ["v2", "v1"]]);
  const eager = unseen([signal(2), signal(1)], undefined, source({ primeOnly: false }));
  expect([tags(eager.news), eager.settled]).toEqual([["v1", "v2"], []]);
});

test("a first poll that failed is no first reading", () => {
  expect(unseen([signal(1)], state({ primedAt: undefined, lastError: "x" }), source()).news).toEqual([]);
});

test("the first release of a project that had none is news", () => {
  expect(tags(unseen([signal(1)], state(), source()).news)).toEqual(["v1"]);
});

test("news come oldest first, each once, whatever the feed's order", () => {
  const window = [signal(3), signal(5), signal(4, { entryId: "again" }), signal(4), signal(1)];
  expect(tags(unseen(window, state({ seen: keys(1) }), source()).news)).toEqual(["v3", "v4", "v5"]);
});

test("entries of the same date are taken in reverse of the feed's order", () => {
  const publishedAt = "2026-01-01T00:00:00.000Z";
  const window = [3, 2, 1].map((n) => signal(n, { publishedAt }));
  expect(tags(unseen(window, state({ seen: keys(9) }), source()).news)).toEqual(["v1", "v2", "v3"]);
});

test("edited and republished entries are no news", () => {
  const edited = signal(1, { entryId: "new id", title: "new title", publishedAt: "2027-01-01T00:00:00.000Z" });
  expect(unseen([edited], state({ seen: keys(1) }), source()).news).toEqual([]);
});

test("tells when entries may have been missed", () => {
  expect(unseen([signal(12), signal(11)], state({ seen: keys(1) }), source()).gap).toBe(true);
  expect(unseen([signal(2), signal(1)], state({ seen: keys(1) }), source()).gap).toBe(false);
});

test("a source that is about another repository now is read for the first time", () => {
  const repo = { ...source().repo, fullName: "o/other" };
  expect(unseen([signal(1, { repo })], state({ seen: keys(1) }), source({ repo })).news).toEqual([]);
});

test("state of an older patch.moi: what stands above its newest entry is news", () => {
  const legacy = { sourceId: "s", lastSeenId: "e2" } as FeedState;
  const window = unseen(
    [4, 3, 2, 1].map((n) => signal(n)),
    legacy,
    source(),
  );
  expect([tags(window.news), tags(window.settled)]).toEqual([
    ["v3", "v4"],
    ["v2", "v1"],
  ]);
  expect(unseen([signal(9)], legacy, source()).news).toEqual([]);
});

test("what was not taken stays news; what was taken does not come back", () => {
  const window = [4, 3, 2, 1].map((n) => signal(n));
  const after = nextState(state({ seen: keys(1) }), window, [signal(2), signal(3)]);
  expect(after).toMatchObject({ seen: keys(1, 2, 3), lastSeenId: "e3", primedAt: "x" });
  expect(tags(unseen(window, after, source()).news)).toEqual(["v4"]);
});

test("memory is bounded, and never forgets what the feed still shows", () => {
  let remembered = state();
  const pinned = signal(0, { publishedAt: "2030-01-01T00:00:00.000Z" });
  for (let n = 1; n < 1000; n++) remembered = nextState(remembered, [pinned, signal(n)], [pinned, signal(n)]);
  expect(remembered.seen).toHaveLength(500);
  expect(unseen([pinned, signal(999)], remembered, source()).news).toEqual([]);

  const long = Array.from({ length: 2000 }, (_, n) => signal(n));
  const primed = nextState(state(), long, unseen(long, undefined, source()).settled);
  expect(unseen(long, primed, source()).news).toEqual([]);
});
