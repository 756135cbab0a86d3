import { execFileSync } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { attemptPath } from "../support/service.ts";
import {
  CLASHING,
  done,
  type ForkWorld,
  follow,
  HARMLESS,
  primed,
  RESOLVED,
  startWorld,
  type World,
  waits,
} from "../support/world.ts";

let world: World;
beforeAll(async () => {
  world = await startWorld(inject("temporalCli"));
});
afterAll(() => world?.close());

async function killAndRestart(): Promise<void> {
  await world.service.kill();
  await world.service.start();
}

const candidates = (fork: ForkWorld) => Object.entries(fork.refs()).filter(([ref]) => ref.includes("candidate"));

// A build that takes a second gives every moment something to be killed in.
const build = { commands: ["sleep 1"] };

test.each([0, 300, 900, 1600])(
  "killed %i ms after a release came in, the service goes on to one candidate",
  async (delay) => {
    const fork = await world.addFork(`killed-${delay}`, { fork: { build } });
    fork.release("v1.1.0", { ...HARMLESS });
    const id = await fork.startByHand("v1.1.0");
    await sleep(delay);
    await killAndRestart();
    await world.service.attempt(id, done);
    expect(candidates(fork)).toHaveLength(1);
  },
);

test("killed while it waits and right after the decision, it loses neither", async () => {
  const fork = await world.addFork("decided");
  fork.release("v1.1.0", { ...CLASHING });
  const id = await fork.startByHand("v1.1.0");
  const stopped = await world.service.attempt(id, waits);
  await killAndRestart();
  expect((await world.service.attempt(id, waits)).intervention).toEqual(stopped.intervention);
  const clone = fork.clone();
  follow(stopped.intervention?.commands ?? [], clone, () => clone.write("app.txt", RESOLVED));
  expect((await world.service.post(`${attemptPath(id)}/resume`)).status).toBe(202);
  await killAndRestart();
  const attempt = await world.service.attempt(id, done);
  expect(attempt.ledger?.[1]?.outcome).toBe("resolved");
  expect(candidates(fork)).toHaveLength(1);
});

test("a release that shows up in a feed while the service is killed, again and again, is taken once", async () => {
  const fork = await world.addFork("fed", { feed: true });
  await primed(world, "fed-releases");
  fork.release("v1.1.0", { ...HARMLESS });
  for (const delay of [0, 150, 400, 800]) {
    await world.service.post("/feed-sources/fed-releases/poll");
    await sleep(delay);
    await killAndRestart();
  }
  await world.service.post("/feed-sources/fed-releases/poll");
  await world.service.attempt("maintain-release/fed/v1.1.0/1", done);
  const { body } = await world.service.get<{ attempts: { fork: string }[] }>("/maintenance-attempts");
  expect(body.attempts.filter((attempt) => attempt.fork === "fed")).toHaveLength(1);
  const events = await world.service.get<{ events: { id: string }[] }>("/flow-events");
  expect(events.body.events.filter(({ id }) => id.includes("fed-releases"))).toHaveLength(1);
  expect(candidates(fork)).toHaveLength(1);
});

test("with its Temporal server killed alone, the service brings it back and goes on", async () => {
  const fork = await world.addFork("serverless", { fork: { build } });
  fork.release("v1.1.0", { ...HARMLESS });
  const id = await fork.startByHand("v1.1.0");
  process.kill(world.service.temporalPid(), "SIGKILL");
  await world.service.attempt(id, done);
  expect(candidates(fork)).toHaveLength(1);
});

test("while Temporal is away a POST answers 503 and has done nothing", async () => {
  const fork = await world.addFork("away");
  fork.release("v1.1.0", { ...HARMLESS });
  process.kill(world.service.temporalPid(), "SIGSTOP");
  const pid = world.service.temporalPid();
  try {
    const answer = await world.service.post<{ error: string }>("/flow-events", {
      type: "upstream.release",
      payload: { fork: "away", tag: "v1.1.0" },
    });
    expect([answer.status, answer.body.error]).toEqual([503, "temporal_unreachable"]);
    expect(Number(answer.headers.get("retry-after"))).toBeGreaterThan(0);
    const events = await world.service.get<{ events: { id: string }[] }>("/flow-events");
    expect(events.body.events.filter(({ id }) => id.includes(":away:"))).toEqual([]);
  } finally {
    process.kill(pid, "SIGCONT");
  }
});

test("an attempt whose workflow an operator terminated is said to have failed, and holds nothing up", async () => {
  const fork = await world.addFork("terminated");
  fork.release("v1.1.0", { ...CLASHING });
  const id = await fork.startByHand("v1.1.0");
  await world.service.attempt(id, waits);
  const address = ["--address", world.service.temporalAddress];
  execFileSync(inject("temporalCli"), [
    "workflow",
    "terminate",
    ...address,
    "--workflow-id",
    "maintain-fork/terminated",
  ]);
  execFileSync(inject("temporalCli"), ["workflow", "terminate", ...address, "--workflow-id", id]);
  expect((await world.service.post(`${attemptPath(id)}/sync`)).status).toBe(202);
  const { status, message } = await world.service.attempt(id, () => true);
  expect([status, message]).toEqual(["failed", expect.stringContaining("terminates")]);

  const event = encodeURIComponent("patch:manual:terminated:v1.1.0:upstream.release");
  await world.service.post(`/flow-events/${event}/retry`);
  await world.service.attempt("maintain-release/terminated/v1.1.0/2", waits);
});
