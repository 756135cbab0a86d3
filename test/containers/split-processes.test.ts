import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import type { MaintenanceAttempt } from "../../domain/attempt.ts";
import { type GitServer, startGitServer } from "../../scripts/quickstart/git-server.ts";
import { type ReleaseFeed, startReleaseFeed } from "../../scripts/quickstart/release-feed.ts";
import { startTemporal, type TemporalServer } from "../api/temporal-server.ts";
import { makeUpstreamAndFork, runGit, temporaryDirectory, type UpstreamAndFork } from "../support/repositories.ts";
import { freePort } from "../support/service.ts";
import { type Started, startProcess, until, workerHealth } from "./processes.ts";

const TOKEN = "a-token-of-the-test";
let temporal: TemporalServer;
let repositories: UpstreamAndFork;
let gitServer: GitServer;
let feed: ReleaseFeed;
let api: Started;
let worker: Started;
let env: Record<string, string>;
let url: string;
const { path: directory, remove } = temporaryDirectory("patchmoi-split-");

beforeAll(async () => {
  temporal = await startTemporal(inject("temporalCli"));
  repositories = makeUpstreamAndFork({ "app.txt": "one\ntwo\n" });
  repositories.fork.commit("Add our own file", { files: { "ours.txt": "ours\n" } });
  repositories.publish();
  gitServer = await startGitServer({ root: repositories.served, token: "fork-secret" });
  feed = await startReleaseFeed({ owner: "acme", name: "app" });
  writeFileSync(join(directory, "feed-sources.json"), JSON.stringify(config()));
  const port = await freePort();
  url = `http://127.0.0.1:${port}`;
  env = {
    TEMPORAL_ADDRESS: temporal.address,
    DATA_DIR: join(directory, "data"),
    FEED_SOURCES_PATH: join(directory, "feed-sources.json"),
    PATCH_ALLOW_PRIVATE_NETWORK: "true",
    // As in the container: open to others, and so with a token.
    HOST: "0.0.0.0",
    PORT: String(port),
    PATCH_ADMIN_TOKEN: TOKEN,
    FORK_TOKEN: "fork-secret",
  };
});

afterAll(async () => {
  await Promise.all([api?.stop(), worker?.stop()]);
  await Promise.all([feed?.close(), gitServer?.close(), temporal?.close()]);
  repositories?.remove();
  remove();
});

/** The fork asks for its token. Upstream is read without one, so it cannot be on the same server: it is a path. */
function config() {
  return {
    sources: [
      {
        id: "app-releases",
        provider: "github",
        url: feed.url,
        event: "release",
        repo: { owner: "acme", name: "app", fullName: "acme/app", webUrl: feed.webUrl },
        target: { mode: "workspace_flow", eventType: "upstream.release", fork: "acme-app" },
      },
    ],
    forks: [
      {
        id: "acme-app",
        upstream: { url: repositories.upstreamUrl },
        fork: { url: `${gitServer.url}/fork.git`, tokenEnv: "FORK_TOKEN" },
        patchBranch: "patches",
        build: { commands: ["grep ours ours.txt"] },
      },
    ],
  };
}

const call = async (method: string, path: string) => {
  const answer = await fetch(`${url}${path}`, { method, headers: { Authorization: `Bearer ${TOKEN}` } });
  return { status: answer.status, body: (await answer.json()) as { attempts?: MaintenanceAttempt[]; detail?: string } };
};

function publish(tag: string): void {
  repositories.upstream.commit(`Release ${tag}`, { files: { "app.txt": `one\ntwo\n${tag}\n` } });
  repositories.upstream.tag(tag);
  repositories.publish();
  feed.publish({ tag, title: `The ${tag}`, updated: new Date() });
}

const startWorker = () => startProcess("worker/main.js", directory, { ...env, PATCH_ALLOW_LOCAL_REPOS: "true" });

async function carried(tag: string): Promise<MaintenanceAttempt> {
  await call("POST", "/feed-sources/app-releases/poll");
  return await until(`${tag} is carried`, async () => {
    const { body } = await call("GET", "/maintenance-attempts");
    return body.attempts?.find(({ upstreamTag, status }) => upstreamTag === tag && status === "changed");
  });
}

test("the API alone answers, and says that no worker polls", async () => {
  api = startProcess("api/main.js", directory, env);
  await until("the API answers", async () => (await fetch(`${url}/healthz`)).ok || undefined);
  expect((await fetch(`${url}/maintenance-attempts`)).status).toBe(401);
  const { status, body } = await call("GET", "/readyz");
  expect(status).toBe(503);
  expect(body.detail).toContain("start:worker");
  expect(workerHealth(env)).toMatchObject({ status: 1, stderr: expect.stringContaining("no worker") });
});

test("with a worker beside it a release is carried and pushed, with the fork's token", async () => {
  feed.publish({ tag: "v1.0.0", title: "The first", updated: new Date("2026-01-01") });
  worker = startWorker();
  await until("a worker polls", async () => (await call("GET", "/readyz")).status === 200 || undefined);
  expect(workerHealth(env)).toMatchObject({ status: 0, stderr: "" });
  await until("the feed is primed", async () => {
    const { body } = await call("GET", "/feed-sources");
    return (body as { sources: { lastPoll: string | null }[] }).sources[0]?.lastPoll ?? undefined;
  });
  publish("v1.1.0");
  const attempt = await carried("v1.1.0");
  expect(attempt.ledger).toMatchObject([{ subject: "Add our own file", outcome: "applied" }]);
  const candidate = runGit(repositories.forkUrl, ["rev-parse", "refs/heads/patchmoi/candidate/v1.1.0"]);
  expect(attempt.candidateRefs).toMatchObject([{ sha: candidate }]);
});

test("a worker that is gone is replaced by another one, which carries the next release", async () => {
  await worker.kill();
  worker = startWorker();
  publish("v1.2.0");
  expect((await carried("v1.2.0")).id).toBe("maintain-release/acme-app/v1.2.0/1");
});

test("both end in order when they are told to, and no secret is in their logs", async () => {
  expect(await worker.stop()).toBe(0);
  expect(await api.stop()).toBe(0);
  for (const log of [api.log(), worker.log()]) expect(log).not.toMatch(/fork-secret|a-token-of-the-test/);
});
