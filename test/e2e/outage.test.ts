import { execFileSync } from "node:child_process";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { attemptPath } from "../support/service.ts";
import { CLASHING, done, type ForkWorld, HARMLESS, startWorld, type World, waits } from "../support/world.ts";

let world: World;
beforeAll(async () => {
  world = await startWorld(inject("temporalCli"));
});
afterAll(() => world?.close());

const candidates = (fork: ForkWorld) => Object.entries(fork.refs()).filter(([ref]) => ref.includes("candidate"));

// A build that takes a second gives every moment something to be killed in.
const build = { commands: ["sleep 1"] };

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
