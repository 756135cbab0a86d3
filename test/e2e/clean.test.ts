import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Client, Connection } from "@temporalio/client";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import type { MaintenanceAttempt } from "../../domain/attempt.ts";
import type { Dispatch, FlowEvent } from "../../domain/events.ts";
import { attemptPath } from "../support/service.ts";
import { done, HARMLESS, primed, startWorld, type World } from "../support/world.ts";

let world: World;
beforeAll(async () => {
  world = await startWorld(inject("temporalCli"));
});
afterAll(() => world?.close());

async function poll(source: string): Promise<void> {
  expect((await world.service.post(`/feed-sources/${source}/poll`)).status).toBe(202);
}

test("a release in the feed becomes a candidate, exactly once", async () => {
  const fork = await world.addFork("clean", { feed: true, fork: { candidate: { tag: "candidate-{tag}" } } });
  await primed(world, "clean-releases");
  const sha = fork.release("v1.1.0", { ...HARMLESS });
  await poll("clean-releases");
  const attempt = await world.service.someAttempt(({ fork: id, status }) => id === "clean" && status === "changed");

  expect(attempt).toMatchObject({
    id: "maintain-release/clean/v1.1.0/1",
    eventType: "upstream.release",
    operation: "dispatch",
    upstreamTag: "v1.1.0",
    upstreamSha: sha,
    intervention: { kind: "approval", channels: ["public"] },
  });
  expect(attempt.ledger?.map(({ subject, outcome }) => [subject, outcome])).toEqual([
    ["Add our own file", "applied"],
    ["Shout the second line", "applied"],
    ["Shout the last line", "applied"],
  ]);
  const refs = fork.refs();
  expect(refs["heads/patchmoi/candidate/v1.1.0"]).toBe(attempt.ledger?.[2]?.commit);
  expect(refs["tags/candidate-v1.1.0"]).toBeDefined();
  expect(fork.show("patchmoi/candidate/v1.1.0", "app.txt")).toContain("TWO");
  expect(fork.show("patchmoi/candidate/v1.1.0", "other.txt")).toBe("another");
  expect(attempt.candidateRefs.map(({ kind, ref, pushed }) => [kind, ref, pushed])).toEqual([
    ["branch", "refs/heads/patchmoi/candidate/v1.1.0", true],
    ["tag", "refs/tags/candidate-v1.1.0", true],
  ]);

  for (let again = 0; again < 3; again++) await poll("clean-releases");
  const { body } = await world.service.get<{ events: FlowEvent[] }>("/flow-events");
  expect(body.events.filter(({ id }) => id.startsWith("patch:clean-releases:"))).toHaveLength(1);
  const dispatches = await world.service.get<{ dispatches: Dispatch[] }>(
    `/workspace-dispatches?eventId=${encodeURIComponent(attempt.eventId)}`,
  );
  expect(dispatches.body.dispatches).toMatchObject([
    { operation: "dispatch", target: "local", status: "dispatched", runIds: [attempt.id] },
  ]);
  const lines = readFileSync(join(world.directory, "data/feed-events.jsonl"), "utf8").trim().split("\n");
  expect(lines.map((line) => JSON.parse(line)).filter(({ sourceId }) => sourceId === "clean-releases")).toMatchObject([
    { tag: "v1.1.0", title: "Release number 1", ref: "refs/tags/v1.1.0" },
  ]);
});

/** Events of a workflow's history, from its start to now. */
async function eventsOf(id: string): Promise<number> {
  const connection = await Connection.connect({ address: world.service.temporalAddress });
  const { events } = await new Client({ connection }).workflow.getHandle(id).fetchHistory();
  await connection.close();
  return events?.length ?? 0;
}

test("the history of an attempt up to its candidate is short, also with a long stack and a build", async () => {
  const build = { commands: ["true"] };
  const lengths = [3, 60];
  const counts = lengths.map(async (patches) => {
    const fork = await world.addFork(`stack-of-${patches}`, { fork: { build } });
    for (let n = 3; n < patches; n++)
      fork.repositories.fork.commit(`Patch ${n}`, { files: { [`${n}.txt`]: "ours\n" } });
    fork.release("v1.1.0", { ...HARMLESS });
    const attempt = await world.service.attempt(await fork.startByHand("v1.1.0"), done);
    expect(attempt.ledger).toHaveLength(patches);
    return await eventsOf(attempt.id);
  });
  for (const count of await Promise.all(counts)) expect(count).toBeLessThanOrEqual(60);
});

test("while a step takes long, the attempt says how far it is", async () => {
  const fork = await world.addFork("slow", { fork: { build: { commands: ["true", "sleep 9"] } } });
  fork.release("v1.1.0", { ...HARMLESS });
  const id = await fork.startByHand("v1.1.0");
  const running = await world.service.attempt(id, ({ message }) => message === "build 2 of 2: sleep 9");
  expect(running.status).toBe("started");
  expect((await world.service.attempt(id, done)).message).toContain("candidate pushed");
});

test("the range-diff is served, and replay gives the same commits under a new attempt", async () => {
  const fork = await world.addFork("again");
  fork.release("v1.1.0", { ...HARMLESS });
  const first = await world.service.attempt(await fork.startByHand("v1.1.0"), done);
  const review = await world.service.get<unknown>(`${attemptPath(first.id)}/range-diff`);
  expect(review.status).toBe(200);
  expect(review.headers.get("content-type")).toContain("text/plain");
  expect(String(review.body)).toContain("Shout the second line");

  const before = fork.refs();
  const replay = await world.service.post<{ record: Dispatch }>(
    `/flow-events/${encodeURIComponent(first.eventId)}/replay`,
  );
  expect(replay.status).toBe(202);
  const second = "maintain-release/again/v1.1.0/2";
  expect(replay.headers.get("location")).toBe(attemptPath(second));
  expect(replay.body.record).toMatchObject({ operation: "replay", runIds: [second] });
  await world.service.attempt(second, done);
  expect(fork.refs()).toEqual(before);
});

test("what upstream took is dropped with its evidence; a release that the stack sits on needs nothing", async () => {
  const fork = await world.addFork("taken");
  const taken = fork.release("v1.1.0", { "app.txt": fork.show("patches~1", "app.txt") + "\n" });
  const attempt = await world.service.attempt(await fork.startByHand("v1.1.0"), done);
  expect(attempt.ledger?.map(({ outcome }) => outcome)).toEqual(["applied", "dropped", "applied"]);
  expect(attempt.ledger?.[1]?.evidence).toContain(taken.slice(0, 7));

  const older = await world.service.attempt(await fork.startByHand("v1.0.0"), ({ status }) => status !== "started");
  expect(older).toMatchObject({ status: "completed", candidateRefs: [] });
});

test("a tag that upstream does not have is blocked, and taken when it is there on retry", async () => {
  const fork = await world.addFork("early");
  const id = await fork.startByHand("v1.1.0");
  const blocked = await world.service.attempt(id, ({ status }) => status === "blocked");
  expect(blocked.intervention).toMatchObject({ kind: "blocked" });
  expect(blocked.message).toContain("v1.1.0");

  fork.release("v1.1.0", { ...HARMLESS });
  const retry = await world.service.post<{ record: Dispatch }>(
    `/flow-events/${encodeURIComponent(blocked.eventId)}/retry`,
  );
  expect([retry.status, retry.headers.get("location")]).toEqual([202, attemptPath(id)]);
  expect(retry.body.record.idempotent).toBeUndefined();
  await world.service.attempt(id, done);
  const again = await world.service.post<{ record: Dispatch }>(
    `/flow-events/${encodeURIComponent(blocked.eventId)}/retry`,
  );
  expect(again.body.record).toMatchObject({ idempotent: true, runIds: [id] });
});

test("the same wish twice is one: by Idempotency-Key, and by being the same release", async () => {
  const fork = await world.addFork("twice");
  fork.release("v1.1.0", { ...HARMLESS });
  const id = await fork.startByHand("v1.1.0");
  const again = await world.service.post<{ record: Dispatch; idempotent?: boolean }>("/flow-events", {
    type: "upstream.release",
    payload: { fork: "twice", tag: "v1.1.0" },
  });
  expect(again.body.record).toMatchObject({ idempotent: true, runIds: [id] });
  const first = await world.service.attempt(id, done);

  const key = { "Idempotency-Key": "once" };
  const path = `/flow-events/${encodeURIComponent(first.eventId)}/replay`;
  const replays = await Promise.all([1, 2, 3].map(() => world.service.post(path, {}, key)));
  expect(new Set(replays.map(({ headers }) => headers.get("location"))).size).toBe(1);
  const { body } = await world.service.get<{ attempts: MaintenanceAttempt[] }>(
    `/maintenance-attempts?eventId=${encodeURIComponent(first.eventId)}`,
  );
  expect(body.attempts).toHaveLength(2);
});

test("a remote that is refused blocks until a person changes it, and is not tried again by itself", async () => {
  const fork = await world.addFork("local", { fork: { fork: { url: "file:///nowhere/fork.git" } } });
  fork.release("v1.1.0", { ...HARMLESS });
  const blocked = await world.service.attempt(await fork.startByHand("v1.1.0"), ({ status }) => status === "blocked");
  expect(blocked.message).toContain("PATCH_ALLOW_LOCAL_REPOS");
  expect(blocked.message).not.toContain("tried again");
});
