import { Client } from "@temporalio/client";
import { TestWorkflowEnvironment } from "@temporalio/testing";
import { Worker } from "@temporalio/worker";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { findSandbox } from "../../activities/build/sandbox.ts";
import { createActivities } from "../../activities/index.ts";
import { type FeedSourcesFile, parseConfig } from "../../domain/config.ts";
import { openGit } from "../../git/index.ts";
import { openFileRecords } from "../../records/files.ts";
import type { Records } from "../../records/records.ts";
import { startGitServer } from "../../scripts/quickstart/git-server.ts";
import { workflowBundlePath } from "../../worker/bundle.ts";
import { SEARCH_ATTRIBUTES } from "../../worker/embedded/index.ts";
import { maintainForkId, offerRelease, TASK_QUEUE } from "../../workflows/messages.ts";
import { makeUpstreamAndFork, temporaryDirectory } from "../support/repositories.ts";
import { freePort } from "../support/service.ts";

/** Real git, real records and real activities on a server whose clock can be turned: what takes hours elsewhere is quick here. */
let environment: TestWorkflowEnvironment;
let worker: Worker;
let running: Promise<void>;
let records: Records;
let config: FeedSourcesFile;
const directory = temporaryDirectory();

beforeAll(async () => {
  const path = inject("temporalTestServer");
  environment = await TestWorkflowEnvironment.createTimeSkipping({
    server: { executable: { type: "existing-path", path } },
  });
  await environment.connection.operatorService.addSearchAttributes({
    namespace: environment.namespace,
    searchAttributes: Object.fromEntries(SEARCH_ATTRIBUTES.map((name) => [name, 2])),
  });
  records = await openFileRecords({ directory: `${directory.path}/data`, warn: () => {} });
  const client = new Client({ connection: environment.connection, namespace: environment.namespace });
  const options = { allowPrivateNetwork: true, allowLocalRepos: true };
  worker = await Worker.create({
    connection: environment.nativeConnection,
    namespace: environment.namespace,
    taskQueue: TASK_QUEUE,
    workflowBundle: { codePath: workflowBundlePath },
    activities: createActivities({
      ...options,
      records,
      config: () => config,
      secret: () => undefined,
      git: openGit({
        ...options,
        directory: `${directory.path}/git`,
        environment: { PATH: process.env.PATH as string },
      }),
      client: () => client,
      sandbox: await findSandbox(),
      directory: `${directory.path}/builds`,
      hidden: [],
      programPath: process.env.PATH as string,
      discord: { enabled: false, notifyEvents: [] },
    }),
  });
  running = worker.run();
});

afterAll(async () => {
  worker.shutdown();
  await running;
  await environment.teardown();
  await records.close();
  directory.remove();
});

test("an attempt that the network stopped is tried again by itself, and goes through once the remote is back", async () => {
  const repositories = makeUpstreamAndFork();
  repositories.fork.commit("Our patch", { files: { "ours.txt": "ours\n" } });
  repositories.upstream.commit("More", { files: { "more.txt": "more\n" } });
  repositories.upstream.tag("v1.1.0");
  repositories.publish();
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const fork = {
    id: "lost",
    upstream: { url: `${url}/upstream.git` },
    fork: { url: `${url}/fork.git` },
    patchBranch: "patches",
  };
  const parsed = parseConfig(JSON.stringify({ sources: [], forks: [fork] }));
  if (!parsed.ok) throw new Error(parsed.errors.join());
  config = parsed.value;

  const { workflow } = environment.client;
  const event = {
    id: "patch:manual:lost:v1.1.0:x",
    type: "x",
    source: "patch" as const,
    receivedAt: "2026-01-01T00:00:00Z",
    payload: {},
  };
  const offer = {
    fork: "lost",
    release: { name: "v1.1.0", ref: "refs/tags/v1.1.0" },
    event,
    operation: "dispatch" as const,
    requestId: "1",
  };
  const handle = await workflow.start("maintainFork", {
    workflowId: maintainForkId("lost"),
    taskQueue: TASK_QUEUE,
    args: [{ fork: "lost" }],
  });
  const { attemptId } = await handle.executeUpdate(offerRelease, { args: [offer] });
  const status = async () => (await records.attempts.get(attemptId))?.status;

  await environment.sleep("3 minutes");
  await expect.poll(status, { timeout: 20_000 }).toBe("blocked");
  const { message } = (await records.attempts.get(attemptId)) ?? {};
  expect(message).toContain(`127.0.0.1:${port}`);
  expect(message).toContain("tried again in 10 minutes");

  const server = await startGitServer({ root: repositories.served, port });
  await environment.sleep("11 minutes");
  await expect.poll(status, { timeout: 20_000 }).toBe("changed");
  await server.close();
  repositories.remove();
});
