import { execFileSync } from "node:child_process";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import type { MaintenanceAttempt } from "../../domain/attempt.ts";
import { attemptPath } from "../support/service.ts";
import { CLASHING, done, type ForkWorld, follow, RESOLVED, startWorld, type World, waits } from "../support/world.ts";

let world: World;
beforeAll(async () => {
  world = await startWorld(inject("temporalCli"));
});
afterAll(() => world?.close());

async function conflict(name: string): Promise<{ fork: ForkWorld; stopped: MaintenanceAttempt }> {
  const fork = await world.addFork(name);
  fork.release("v1.1.0", { ...CLASHING });
  const stopped = await world.service.attempt(await fork.startByHand("v1.1.0"), waits);
  return { fork, stopped };
}

function resolve(fork: ForkWorld, stopped: MaintenanceAttempt, content = RESOLVED): void {
  const clone = fork.clone();
  follow(stopped.intervention?.commands ?? [], clone, () => clone.write("app.txt", content));
}

function expectCarried(fork: ForkWorld, attempt: MaintenanceAttempt): void {
  expect(attempt.ledger?.map(({ outcome }) => outcome)).toEqual(["applied", "resolved", "applied"]);
  const text = fork.show("patchmoi/candidate/v1.1.0", "app.txt");
  expect(text).toContain("ZWEI");
  expect(text).toContain("EIGHT");
  expect(Object.keys(fork.refs()).filter((ref) => /patchmoi\/(progress|resolution|conflict)\//.test(ref))).toEqual([]);
}

const post = (attempt: MaintenanceAttempt, decision: string, body = {}) =>
  world.service.post<{ attempt: MaintenanceAttempt; error?: string }>(`${attemptPath(attempt.id)}/${decision}`, body);

test("a conflict stops, tells what to do, and goes on by the REST call", async () => {
  const { fork, stopped } = await conflict("by-rest");
  expect(stopped.status).toBe("needs_intervention");
  expect(stopped.intervention).toMatchObject({ kind: "conflict", files: ["app.txt"] });
  expect(stopped.message).toContain("Shout the second line");
  expect(stopped.message).toContain("Release v1.1.0");
  expect(stopped.ledger?.map(({ outcome }) => outcome)).toEqual(["applied", "conflict", "pending"]);
  expect(Object.keys(fork.refs())).toContain("heads/patchmoi/progress/v1.1.0");

  resolve(fork, stopped);
  const resumed = await post(stopped, "resume", { token: stopped.intervention?.token });
  expect(resumed.status).toBe(202);
  expectCarried(fork, await world.service.attempt(stopped.id, done));
  expect((await post(stopped, "resume")).status).toBe(409);
});

test("it goes on by the Temporal CLI's signal", async () => {
  const { fork, stopped } = await conflict("by-cli");
  resolve(fork, stopped);
  const address = world.service.temporalAddress;
  execFileSync(inject("temporalCli"), [
    "workflow",
    "signal",
    "--address",
    address,
    "--workflow-id",
    stopped.id,
    "--name",
    "resume",
  ]);
  expectCarried(fork, await world.service.attempt(stopped.id, done));
});

test("it goes on by what the Web UI's Send Signal form posts", async () => {
  const { fork, stopped } = await conflict("by-ui");
  resolve(fork, stopped);
  // The form proves itself with the token of a cookie that the page was given.
  const page = await fetch(`${world.service.uiUrl}/api/v1/settings`);
  const csrf = /_csrf=([^;]+)/.exec(page.headers.get("set-cookie") ?? "")?.[1] as string;
  const path = `/api/v1/namespaces/default/workflows/${encodeURIComponent(stopped.id)}/signal/resume`;
  const answer = await fetch(`${world.service.uiUrl}${path}`, {
    method: "POST",
    headers: { "content-type": "application/json", cookie: `_csrf=${csrf}`, "x-csrf-token": csrf },
    body: JSON.stringify({ signalName: "resume", workflowExecution: { workflowId: stopped.id } }),
  });
  expect([answer.status, await answer.text()]).toEqual([200, expect.any(String)]);
  expectCarried(fork, await world.service.attempt(stopped.id, done));
});

test("a bad resolution is refused with the reason, and it goes on waiting for a good one", async () => {
  const { fork, stopped } = await conflict("refused");
  const refusedWith = async (reason: RegExp) => {
    await post(stopped, "resume");
    const attempt = await world.service.attempt(stopped.id, ({ message }) => reason.test(message ?? ""));
    expect(attempt.status).toBe("needs_intervention");
    expect(attempt.intervention?.token).toBe(stopped.intervention?.token);
  };
  await refusedWith(/nothing|not .*pushed/i);

  const clone = fork.clone();
  clone.git("push", "-q", "origin", "+origin/patches:refs/heads/patchmoi/resolution/v1.1.0");
  await refusedWith(/does not build on/);

  clone.git("checkout", "-q", "--detach", "origin/patchmoi/progress/v1.1.0");
  clone.commit("Something else", { files: { "unrelated.txt": "x\n" } });
  clone.git("push", "-q", "origin", "+HEAD:refs/heads/patchmoi/resolution/v1.1.0");
  await refusedWith(/Shout the second line/);

  clone.git("checkout", "-q", "--detach", "origin/patchmoi/conflict/v1.1.0");
  clone.git("push", "-q", "origin", "+HEAD:refs/heads/patchmoi/resolution/v1.1.0");
  await refusedWith(/is the conflict as it is/);

  clone.commit("Say something else", { files: { "unrelated.txt": "x\n" } });
  clone.git("push", "-q", "origin", "+HEAD:refs/heads/patchmoi/resolution/v1.1.0");
  await refusedWith(/marker/);

  resolve(fork, stopped);
  await post(stopped, "resume");
  expectCarried(fork, await world.service.attempt(stopped.id, done));
});

test("a patch can be skipped with token and reason, and only so", async () => {
  const { fork, stopped } = await conflict("skipped");
  expect((await post(stopped, "skip-patch", { reason: "no token" })).status).toBe(400);
  const wrong = await post(stopped, "skip-patch", { token: "another", reason: "x" });
  expect([wrong.status, wrong.body.error]).toEqual([409, "wrong_token"]);
  const right = await post(stopped, "skip-patch", {
    token: stopped.intervention?.token,
    reason: "upstream says zwei now",
  });
  expect(right.status).toBe(202);
  const attempt = await world.service.attempt(stopped.id, done);
  expect(attempt.ledger?.[1]).toMatchObject({
    outcome: "skipped",
    evidence: expect.stringContaining("upstream says zwei now"),
  });
  expect(fork.show("patchmoi/candidate/v1.1.0", "app.txt")).toContain("zwei");
});

test("abort ends it cancelled and takes the hand-off refs away; retry then starts a new attempt", async () => {
  const { fork, stopped } = await conflict("aborted");
  expect((await post(stopped, "abort", { reason: "not this one" })).status).toBe(202);
  const ended = await world.service.attempt(stopped.id, ({ status }) => status === "cancelled");
  expect(ended.message).toContain("not this one");
  expect(ended.intervention).toBeUndefined();
  expect(Object.keys(fork.refs()).filter((ref) => ref.includes("patchmoi"))).toEqual([]);
  const retry = await world.service.post(`/flow-events/${encodeURIComponent(ended.eventId)}/retry`);
  expect(retry.headers.get("location")).toBe(attemptPath("maintain-release/aborted/v1.1.0/2"));
  await world.service.attempt("maintain-release/aborted/v1.1.0/2", waits);
});

test("a second conflict later in the stack waits for its own resolution", async () => {
  const fork = await world.addFork("second");
  fork.release("v1.1.0", { "app.txt": CLASHING["app.txt"].replace("eight", "acht") });
  const first = await world.service.attempt(await fork.startByHand("v1.1.0"), waits);
  resolve(fork, first, RESOLVED.replace("eight", "acht"));
  await post(first, "resume");
  const second = await world.service.attempt(
    first.id,
    (attempt) => waits(attempt) && attempt.intervention?.token !== first.intervention?.token,
  );
  expect(second.message).toContain("Shout the last line");
  expect(second.ledger?.map(({ outcome }) => outcome)).toEqual(["applied", "resolved", "conflict"]);
  expect((await post(second, "resume", { token: first.intervention?.token })).body.error).toBe("wrong_token");
  resolve(fork, second, RESOLVED.replace("eight", "ACHT"));
  await post(second, "resume");
  const attempt = await world.service.attempt(first.id, done);
  expect(attempt.ledger?.map(({ outcome }) => outcome)).toEqual(["applied", "resolved", "resolved"]);
  expect(fork.show("patchmoi/candidate/v1.1.0", "app.txt")).toBe(RESOLVED.replace("eight", "ACHT").trimEnd());
});

test("with every cache deleted while it waits, resume still works", async () => {
  const { fork, stopped } = await conflict("uncached");
  rmSync(join(world.directory, "data/git"), { recursive: true });
  rmSync(join(world.directory, "data/builds"), { recursive: true, force: true });
  resolve(fork, stopped);
  await post(stopped, "resume");
  expectCarried(fork, await world.service.attempt(stopped.id, done));
});
