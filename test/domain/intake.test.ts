import { expect, test } from "vitest";
import { feedSourcesFile } from "../../domain/config.ts";
import type { FeedSignal } from "../../domain/events.ts";
import { decide } from "../../domain/intake.ts";

const repo = { owner: "o", name: "r", fullName: "o/r", webUrl: "https://example.org/o/r" };
const NOW = "2026-05-02T00:00:00.000Z";

const release = (tag: string): FeedSignal => ({
  sourceId: "src",
  provider: "github",
  event: "release",
  entryId: `tag:github.com,2008:Repository/1/${tag}`,
  title: "The release",
  url: `https://example.org/o/r/releases/tag/${tag}`,
  publishedAt: "2026-05-01T00:00:00.000Z",
  repo,
  tag,
  ref: `refs/tags/${tag}`,
  raw: {},
});

const sha = "0123456789abcdef0123456789abcdef01234567";
const push: FeedSignal = {
  ...release("x"),
  event: "push",
  tag: undefined,
  ref: "refs/heads/dev/main",
  sha,
  entryId: sha,
};

function given(target: object | undefined, signal: FeedSignal, releases?: object) {
  const { sources, forks } = feedSourcesFile.parse({
    sources: [{ id: "src", provider: "github", url: "https://example.org/x", event: signal.event, repo, target }],
    forks: [{ id: "f", upstream: { url: "https://u" }, fork: { url: "https://f" }, patchBranch: "p", releases }],
  });
  const [source] = sources;
  if (!source) throw new Error("no source");
  const fork = target && "fork" in target ? forks[0] : undefined;
  return decide(signal, source, fork, NOW);
}

const toFork = { mode: "workspace_flow", eventType: "upstream.release", fork: "f" };

test("a release for a fork becomes an event and an offer", () => {
  const event = {
    id: "patch:src:tag:github.com,2008:Repository/1/v1.1.0:upstream.release",
    type: "upstream.release",
    source: "patch",
    occurredAt: "2026-05-01T00:00:00.000Z",
    receivedAt: NOW,
    payload: {
      fork: "f",
      tag: "v1.1.0",
      ref: "refs/tags/v1.1.0",
      title: "The release",
      url: "https://example.org/o/r/releases/tag/v1.1.0",
      repo: "o/r",
    },
  };
  const release1 = { name: "v1.1.0", ref: "refs/tags/v1.1.0" };
  expect(given(toFork, release("v1.1.0"))).toEqual({
    event,
    action: {
      kind: "maintain",
      offer: { fork: "f", release: release1, event, operation: "dispatch", requestId: event.id },
    },
  });
});

test("the target's payload is merged last, and changes what is told, not what is taken", () => {
  const { event, action } = given({ ...toFork, payload: { tag: "other", extra: 1 } }, release("v1"));
  expect(event?.payload).toMatchObject({ tag: "other", extra: 1, repo: "o/r" });
  expect(action).toMatchObject({ offer: { release: { name: "v1" } } });
});

test("a pushed commit is named by branch and commit", () => {
  expect(given(toFork, push).action).toMatchObject({
    kind: "maintain",
    offer: { release: { name: "dev/main-0123456789ab", ref: "refs/heads/dev/main", sha } },
  });
  expect(given(toFork, { ...push, ref: undefined }).action).toEqual({
    kind: "record-only",
    reason: "the branch is not known: set repo.defaultBranch of source src",
  });
});

test("releases that the fork does not want are recorded with the reason, and make no event", () => {
  expect(given(toFork, release("v2.0.0-rc.1"))).toEqual({
    action: { kind: "record-only", reason: "v2.0.0-rc.1 is a prerelease, which fork f does not take" },
  });
  expect(given(toFork, release("v2.0.0-rc.1"), { prereleases: true }).action.kind).toBe("maintain");
  expect(given(toFork, release("lib-v1"), { tags: "v*" })).toEqual({
    action: { kind: "record-only", reason: 'lib-v1 does not match releases.tags "v*" of fork f' },
  });
});

test("without a fork the event goes to the workspace backend", () => {
  const { event, action } = given({ mode: "flow_dispatch", eventType: "up", dispatchUrl: "https://b" }, release("v1"));
  expect(event).toMatchObject({ type: "up", payload: { tag: "v1" } });
  expect(event?.payload).not.toHaveProperty("fork");
  expect(action).toEqual({ kind: "backend", event });
});

test("fork_sync leaves a job in the shape that its consumers read", () => {
  const target = { mode: "fork_sync", provider: "gitea", repoFullName: "me/r", branch: "main" };
  const { job, event, action } = given(target, push);
  expect(job).toEqual({
    id: `patch:src:${sha}:fork_sync`,
    kind: "fork_sync",
    sourceId: "src",
    provider: "gitea",
    upstreamRepoFullName: "o/r",
    targetRepoFullName: "me/r",
    branch: "main",
    upstreamRef: "refs/heads/dev/main",
    upstreamSha: sha,
    entryId: sha,
    url: push.url,
    createdAt: NOW,
  });
  expect([event, action.kind]).toEqual([undefined, "record-only"]);
});

test("notify_only, and no target at all, leave nothing but the signal", () => {
  for (const target of [{ mode: "notify_only" }, undefined]) {
    expect(Object.keys(given(target, release("v1")))).toEqual(["action"]);
  }
});
