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
