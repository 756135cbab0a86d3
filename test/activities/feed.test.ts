import { createHash } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ApplicationFailure } from "@temporalio/activity";
import { MockActivityEnvironment } from "@temporalio/testing";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { feedActivities } from "../../activities/feed.ts";
import type { Polled } from "../../activities/steps.ts";
import { type FeedSourcesFile, feedSourcesFile } from "../../domain/config.ts";
import type { FeedSignal } from "../../domain/events.ts";
import { openFileRecords } from "../../records/files.ts";
import type { Records } from "../../records/records.ts";
import { listen } from "../../scripts/quickstart/listen.ts";
import { type ReleaseFeed, startReleaseFeed } from "../../scripts/quickstart/release-feed.ts";

let directory: string;
let records: Records;
let feed: ReleaseFeed;
let config: FeedSourcesFile;
let clock: Date;
let extra: { close(): Promise<void> } | undefined;

const repo = { owner: "notch", name: "notch", fullName: "notch/notch", webUrl: "https://example.org" };
const target = { mode: "workspace_flow", eventType: "upstream.release", fork: "acme" };

function configure(over: object = {}): void {
  config = feedSourcesFile.parse({
    sources: [{ id: "notch", provider: "github", url: feed.url, event: "release", repo, target, ...over }],
    forks: [{ id: "acme", upstream: { url: "https://u" }, fork: { url: "https://f" }, patchBranch: "acme" }],
  });
}

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "patchmoi-feed-"));
  records = await openFileRecords({ directory, warn: () => {} });
  feed = await startReleaseFeed();
  clock = new Date("2026-06-01T00:00:00Z");
  configure();
});

afterEach(async () => {
  await feed.close();
  await extra?.close();
  extra = undefined;
  await records.close();
  await rm(directory, { recursive: true, force: true });
});

const activities = () => feedActivities({ config: () => config, records, allowPrivateNetwork: true, now: () => clock });

const publish = (tag: string, day: number) =>
  feed.publish({ tag, title: `Release ${tag}`, updated: new Date(Date.UTC(2026, 4, day)) });

/** As a worker runs it. */
const poll = () => new MockActivityEnvironment().run(activities().pollFeed, { sourceId: "notch" }) as Promise<Polled>;

async function failureOf(polling: Promise<unknown>): Promise<ApplicationFailure> {
  const error = await polling.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof ApplicationFailure) return error;
  throw new Error(`expected a failure, got ${error}`);
}

describe("pollFeed", () => {
  test("primes, waits at the source's pace, and then tells what is new", async () => {
    publish("v1.0.0", 1);
    const primed = await failureOf(poll());
    expect(primed).toMatchObject({
      type: "NothingNew",
      category: "BENIGN",
      nonRetryable: false,
      nextRetryDelay: 300_000,
    });
    expect(await records.feedStates.get("notch")).toEqual({
      sourceId: "notch",
      urlHash: createHash("sha256").update(feed.url).digest("hex"),
      etag: expect.stringMatching(/^W\//),
      seen: ["release:notch/notch:v1.0.0"],
      lastSeenId: "tag:github.com,2008:Repository/41881900/v1.0.0",
      primedAt: "2026-06-01T00:00:00.000Z",
      lastCheckedAt: "2026-06-01T00:00:00.000Z",
      nextPollAt: "2026-06-01T00:05:00.000Z",
    });

    clock = new Date("2026-06-01T00:05:00Z");
    expect(await failureOf(poll())).toMatchObject({ type: "NothingNew" });
    expect(await records.feedStates.get("notch")).toMatchObject({ lastCheckedAt: "2026-06-01T00:05:00.000Z" });

    publish("v1.2.0", 3);
    publish("v1.1.0", 2);
    const { signals, state } = await poll();
    expect(signals.map(({ tag, title }) => [tag, title])).toEqual([
      ["v1.1.0", "Release v1.1.0"],
      ["v1.2.0", "Release v1.2.0"],
    ]);
    expect(await records.feedStates.get("notch")).not.toMatchObject({ seen: state.seen });
    expect((await poll()).signals, "a poll whose result was lost is done again").toEqual(signals);

    await activities().commitFeed({ state });
    expect(await failureOf(poll())).toMatchObject({ type: "NothingNew" });
  });

  test("takes what it finds at first where primeOnly is false", async () => {
    configure({ primeOnly: false });
    publish("v1.0.0", 1);
    expect((await poll()).signals).toHaveLength(1);
  });

  test("the first release of a project without any is news", async () => {
    await failureOf(poll());
    publish("v0.1.0", 1);
    expect((await poll()).signals.map(({ tag }) => tag)).toEqual(["v0.1.0"]);
  });

  test("failures are remembered, back off to an hour, and heal", async () => {
    configure({ url: `${feed.url}.gone` });
    const delays: unknown[] = [];
    for (let count = 0; count < 6; count++) delays.push((await failureOf(poll())).nextRetryDelay);
    expect(delays).toEqual([300, 600, 1200, 2400, 3600, 3600].map((seconds) => seconds * 1000));
    expect(await records.feedStates.get("notch")).toMatchObject({
      lastError: expect.stringContaining("HTTP 404"),
      seen: [],
    });

    configure();
    publish("v1.0.0", 1);
    expect(await failureOf(poll())).toMatchObject({ type: "NothingNew", nextRetryDelay: 300_000 });
    expect(await records.feedStates.get("notch")).not.toHaveProperty("lastError");
  });

  test("a server's Retry-After counts where it is longer", async () => {
    const busy = await listen(createServer((_, response) => response.writeHead(503, { "Retry-After": "5000" }).end()));
    extra = busy;
    configure({ url: `http://127.0.0.1:${busy.port}/` });
    expect(await failureOf(poll())).toMatchObject({
      type: "PollFailed",
      category: "BENIGN",
      nextRetryDelay: 5_000_000,
    });
  });

  test("more news than an answer holds come over several polls, none lost", async () => {
    const count = 250;
    const items = Array.from({ length: count }, (_, n) => ({
      id: `i${n}`,
      url: `https://example.org/releases/tag/v0.${n}`,
      title: `v0.${n}`,
      date_published: new Date(Date.UTC(2026, 0, 1, 0, n)).toISOString(),
    }));
    const body = JSON.stringify({ version: "https://jsonfeed.org/version/1.1", title: "x", items: items.reverse() });
    const long = await listen(
      createServer((request, response) => {
        if (request.headers["if-none-match"] === '"1"') return response.writeHead(304).end();
        return response.writeHead(200, { ETag: '"1"' }).end(body);
      }),
    );
    extra = long;
    configure({ url: `http://127.0.0.1:${long.port}/feed.json`, primeOnly: false });
    const tags: unknown[] = [];
    for (const expected of [100, 100, 50]) {
      const { signals, state } = await poll();
      expect(signals).toHaveLength(expected);
      tags.push(...signals.map(({ tag }) => tag));
      await activities().commitFeed({ state });
    }
    expect(tags).toEqual(Array.from({ length: count }, (_, n) => `v0.${n}`));
    expect(await failureOf(poll())).toMatchObject({ type: "NothingNew" });
  });

  test("an answer keeps far below the limit of Temporal's payloads", async () => {
    configure({ primeOnly: false, target: { ...target, payload: { note: "x".repeat(20_000) } } });
    for (let n = 1; n <= 10; n++) publish(`v${n}`, n);
    const polled = await poll();
    expect(polled.signals).toHaveLength(10);
    expect(JSON.stringify(polled).length).toBeLessThan(400_000);
    configure({ primeOnly: false, target: { ...target, payload: { note: "x".repeat(60_000) } } });
    expect((await poll()).signals).toHaveLength(4);
  });

  test("a feed of something else says so", async () => {
    configure({ event: "push" });
    publish("v1.0.0", 1);
    await failureOf(poll());
    expect(await records.feedStates.get("notch")).toMatchObject({
      lastError: 'none of 1 entries is a push: "Release v1.0.0" names no full commit id in its link or id',
    });
  });

  test("the config is read afresh, and a source that is gone ends the watching", async () => {
    config = { sources: [], forks: [] };
    const polling = activities().pollFeed({ sourceId: "notch" });
    expect(await failureOf(polling)).toMatchObject({ type: "SourceGone", nonRetryable: true });
  });
});

describe("takeSignal", () => {
  const signal = (tag: string, over: Partial<FeedSignal> = {}): FeedSignal => ({
    sourceId: "notch",
    provider: "github",
    event: "release",
    entryId: `e:${tag}`,
    title: tag,
    publishedAt: "2026-05-01T00:00:00.000Z",
    repo,
    tag,
    ref: `refs/tags/${tag}`,
    raw: {},
    ...over,
  });
  const take = (each: FeedSignal) => activities().takeSignal({ sourceId: "notch", signal: each });
  const events = async () => (await records.flowEvents.list()).items;

  test("records signal and event once, however often it is done", async () => {
    const first = await take(signal("v1.1.0"));
    clock = new Date("2026-06-02T00:00:00Z");
    expect(await take(signal("v1.1.0"))).toEqual(first);
    const [event, ...others] = await events();
    expect(others).toEqual([]);
    expect(event?.receivedAt).toBe("2026-06-01T00:00:00.000Z");
    expect(first).toEqual({
      kind: "maintain",
      offer: {
        fork: "acme",
        release: { name: "v1.1.0", ref: "refs/tags/v1.1.0" },
        event,
        operation: "dispatch",
        requestId: "patch:notch:e:v1.1.0:upstream.release",
      },
    });
    expect((await records.feedSignals.list()).items).toEqual([signal("v1.1.0")]);
  });

  test("the same release under another entry id is the same event", async () => {
    const first = await take(signal("v1.1.0"));
    expect(await take(signal("v1.1.0", { entryId: "republished" }))).toEqual(first);
    expect(await events()).toHaveLength(1);
    expect((await records.feedSignals.list()).items).toHaveLength(2);
  });

  test("another release under the same entry id is another event", async () => {
    await take(signal("v1.1.0", { entryId: "latest" }));
    const second = await take(signal("v1.2.0", { entryId: "latest" }));
    expect(await take(signal("v1.2.0", { entryId: "latest" }))).toEqual(second);
    expect((await events()).map(({ payload }) => payload.tag)).toEqual(["v1.2.0", "v1.1.0"]);
  });

  test("what a fork does not want is a signal and no more", async () => {
    expect(await take(signal("v2.0.0-rc.1"))).toEqual({
      kind: "none",
      reason: "v2.0.0-rc.1 is a prerelease, which fork acme does not take",
    });
    expect([await events(), (await records.feedSignals.list()).items.length]).toEqual([[], 1]);
  });

  test("without a fork there is an event for the backend; fork_sync leaves a job", async () => {
    configure({ target: { mode: "flow_dispatch", eventType: "up" } });
    expect(await take(signal("v1"))).toMatchObject({ kind: "backend", event: { type: "up" } });
    configure({ target: { mode: "fork_sync", provider: "gitea", repoFullName: "me/r", branch: "main" } });
    for (let n = 0; n < 2; n++) expect(await take(signal("v2"))).toMatchObject({ kind: "none" });
    expect((await records.feedJobs.list()).items).toMatchObject([{ branch: "main", upstreamRef: "refs/tags/v2" }]);
  });
});
