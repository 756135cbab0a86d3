import { afterAll, beforeAll, expect, inject, test } from "vitest";
import type { MaintenanceAttempt } from "../../domain/attempt.ts";
import type { Dispatch, FlowEvent } from "../../domain/events.ts";
import { attemptPath } from "../support/service.ts";
import { CLASHING, done, HARMLESS, startWorld, type World, waits } from "../support/world.ts";

interface Dispatched {
  event: FlowEvent;
  record: Dispatch;
  idempotent?: boolean;
}

let world: World;
beforeAll(async () => {
  world = await startWorld(inject("temporalCli"));
});
afterAll(() => world.close());

const start = (fork: string, tag: string) =>
  world.service.post<Dispatched>("/flow-events", { type: "upstream.release", payload: { fork, tag } });
const again = (event: FlowEvent, what: "retry" | "replay", headers: Record<string, string> = {}) =>
  world.service.post<Dispatched>(`/flow-events/${encodeURIComponent(event.id)}/${what}`, {}, headers);

test("is ready", async () => {
  expect(await world.service.get("/readyz")).toMatchObject({ status: 200, body: { status: "ready" } });
});

test("starts by hand, and tells what retry and replay did", async () => {
  const fork = await world.addFork("plain", {
    fork: { build: { commands: ["echo built > out.txt"], artifacts: ["out.txt"], sandbox: "none" } },
  });
  fork.release("v1.1.0", { ...HARMLESS });
  const id = "maintain-release/plain/v1.1.0/1";
  const first = await start("plain", "v1.1.0");
  expect(first.status).toBe(202);
  expect(first.headers.get("location")).toBe(attemptPath(id));
  expect(first.body.record).toMatchObject({
    operation: "dispatch",
    status: "dispatched",
    runIds: [id],
    delivered: "update",
  });
  expect(first.body).not.toHaveProperty("idempotent");
  expect(first.body.record).not.toHaveProperty("idempotent");
  const { event } = first.body;

  const second = await start("plain", "v1.1.0");
  expect(second.body).toMatchObject({ event, idempotent: true, record: { runIds: [id], idempotent: true } });
  await world.service.attempt(id, done);

  const retry = await again(event, "retry");
  expect(retry.body.record).toMatchObject({ operation: "retry", runIds: [id], idempotent: true });
  const replays = await Promise.all([1, 2].map(() => again(event, "replay", { "idempotency-key": "one wish" })));
  const [replay] = replays;
  expect(replays.map(({ body }) => body)).toEqual([replay?.body, replay?.body]);
  expect(replay?.body.record).toMatchObject({ operation: "replay", runIds: ["maintain-release/plain/v1.1.0/2"] });
  expect(replay?.headers.get("location")).toBe(attemptPath("maintain-release/plain/v1.1.0/2"));
  await world.service.attempt("maintain-release/plain/v1.1.0/2", done);
  const listed = await world.service.get<{ attempts: MaintenanceAttempt[] }>(
    `/maintenance-attempts?eventId=${encodeURIComponent(event.id)}`,
  );
  expect(listed.body.attempts.map(({ operation }) => operation)).toEqual(["replay", "dispatch"]);
  const shown = await world.service.get<{ dispatches: Dispatch[] }>(`/flow-events/${encodeURIComponent(event.id)}`);
  expect(shown.body.dispatches.map(({ operation }) => operation)).toEqual(["replay", "retry", "dispatch", "dispatch"]);

  expect(await world.service.get(`${attemptPath(id)}/range-diff`)).toMatchObject({
    status: 200,
    body: expect.stringContaining("="),
  });
  const { body } = await world.service.get<{ artifacts: { name: string }[] }>(`${attemptPath(id)}/artifacts`);
  expect(body.artifacts.map(({ name }) => name).sort()).toEqual(["build.log", "out.txt"]);
  expect(
    (await fetch(`${world.service.url}${attemptPath(id)}/artifacts/out.txt`).then((file) => file.text())).trim(),
  ).toBe("built");
  const synced = await world.service.post<{ attempt: MaintenanceAttempt }>(`${attemptPath(id)}/sync`);
  expect(synced).toMatchObject({ status: 202, body: { attempt: { id, status: "changed" } } });
});

test("lists what a fork remembers, and forgets only what is there", async () => {
  await world.addFork("blank");
  expect(await world.service.get("/forks/blank/resolutions")).toMatchObject({ status: 200, body: { resolutions: [] } });
  const remove = () => world.service.delete("/forks/blank/resolutions/a1b2", { "idempotency-key": "forget it" });
  expect(await remove()).toMatchObject({ status: 404, body: { error: "resolution_not_found" } });
  expect(await remove()).toMatchObject({ status: 404, body: { error: "resolution_not_found" } });

  const key = "a1".repeat(20);
  await world.addFork("away", { fork: { fork: { url: "file:///nowhere/fork.git" } } });
  for (const answer of [
    await world.service.get("/forks/away/resolutions"),
    await world.service.delete(`/forks/away/resolutions/${key}`),
  ])
    expect(answer).toMatchObject({ status: 502, body: { error: "fork_unreadable" } });
});

test("decides about an attempt that waits, once a key", async () => {
  const fork = await world.addFork("stopped");
  fork.release("v1.1.0", { ...CLASHING });
  const { event, record } = (await start("stopped", "v1.1.0")).body;
  const id = record.runIds?.[0] as string;
  const waiting = await world.service.attempt(id, waits);
  const decide = (what: string, body: object, headers = {}) =>
    world.service.post<{ attempt?: MaintenanceAttempt; error?: string }>(`${attemptPath(id)}/${what}`, body, headers);

  expect(await decide("promote", { channel: "public" })).toMatchObject({ status: 409, body: { error: "not_waiting" } });
  expect(await decide("resume", { token: "other" })).toMatchObject({ status: 409, body: { error: "wrong_token" } });
  const retried = await again(event, "retry");
  expect(retried.body.record).toMatchObject({ operation: "retry", runIds: [id] });
  expect(retried.body.record).not.toHaveProperty("idempotent");
  const stoppedAgain = await world.service.attempt(
    id,
    (attempt) => waits(attempt) && attempt.intervention?.token !== waiting.intervention?.token,
  );

  const abort = { token: stoppedAgain.intervention?.token, reason: "not wanted" };
  const aborted = await decide("abort", abort, { "idempotency-key": "stop it" });
  expect(aborted).toMatchObject({ status: 202, body: { attempt: { id } } });
  await world.service.attempt(id, ({ status }) => status === "cancelled");
  expect((await decide("abort", abort, { "idempotency-key": "stop it" })).body).toEqual(aborted.body);
  expect(await decide("abort", {})).toMatchObject({ status: 409, body: { error: "not_waiting" } });
  expect((await again(event, "retry")).headers.get("location")).toBe(attemptPath("maintain-release/stopped/v1.1.0/2"));
  await world.service.attempt("maintain-release/stopped/v1.1.0/2", waits);
  await world.service.post(`${attemptPath("maintain-release/stopped/v1.1.0/2")}/abort`);
});
