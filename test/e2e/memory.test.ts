import { rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import type { MaintenanceAttempt } from "../../domain/attempt.ts";
import type { MemoryEntry } from "../../git/index.ts";
import { attemptPath } from "../support/service.ts";
import { CLASHING, done, type ForkWorld, follow, RESOLVED, startWorld, type World, waits } from "../support/world.ts";

let world: World;
beforeAll(async () => {
  world = await startWorld(inject("temporalCli"));
});
afterAll(() => world?.close());

const post = (attempt: MaintenanceAttempt, decision: string, body = {}) =>
  world.service.post(`${attemptPath(attempt.id)}/${decision}`, body);
const retry = (attempt: MaintenanceAttempt) =>
  world.service.post(`/flow-events/${encodeURIComponent(attempt.eventId)}/retry`);
const outcomes = ({ ledger }: MaintenanceAttempt) => ledger?.map(({ outcome }) => outcome);
const settled = (attempt: MaintenanceAttempt) => waits(attempt) || done(attempt);

async function remembered(fork: ForkWorld): Promise<MemoryEntry[]> {
  const { status, body } = await world.service.get<{ resolutions: MemoryEntry[] }>(`/forks/${fork.id}/resolutions`);
  expect(status).toBe(200);
  return body.resolutions;
}

/** A fork on whose v1.1.0 a person resolved the conflict of the second patch; it is not promoted, so v1.2.0 meets it again. */
async function resolvedOnce(name: string, options = {}): Promise<{ fork: ForkWorld; first: MaintenanceAttempt }> {
  const fork = await world.addFork(name, options);
  fork.release("v1.1.0", { ...CLASHING });
  const stopped = await world.service.attempt(await fork.startByHand("v1.1.0"), waits);
  resolve(fork, stopped);
  const token = stopped.intervention?.token;
  await post(stopped, "resume", { token, by: "Pat" });
  return { fork, first: await world.service.attempt(stopped.id, (each) => settled(each) && !isSame(each, token)) };
}

const isSame = ({ intervention }: MaintenanceAttempt, token?: string) => intervention?.token === token;

function resolve(fork: ForkWorld, stopped: MaintenanceAttempt, content = RESOLVED): void {
  const clone = fork.clone();
  follow(stopped.intervention?.commands ?? [], clone, () => clone.write("app.txt", content));
}

async function take(fork: ForkWorld, tag: string): Promise<MaintenanceAttempt> {
  fork.release(tag, { "other.txt": `of ${tag}\n` });
  return await world.service.attempt(await fork.startByHand(tag), settled);
}

const leftOf = (fork: ForkWorld, tag: string) =>
  Object.keys(fork.refs()).filter((ref) => ref.startsWith(`patchmoi/decisions/${tag}/`));

test("a conflict that a person resolved is resolved by itself at the next release, with every cache deleted", async () => {
  const { fork, first } = await resolvedOnce("recalled");
  const [entry, ...others] = await remembered(fork);
  expect(others).toEqual([]);
  expect(entry).toMatchObject({
    key: expect.stringMatching(/^[0-9a-f]{40}$/),
    patch: first.ledger?.[1]?.patch,
    subject: "Shout the second line",
    files: ["app.txt"],
    release: "v1.1.0",
  });

  rmSync(join(world.directory, "data/git"), { recursive: true });
  const second = await take(fork, "v1.2.0");
  expect(outcomes(second)).toEqual(["applied", "resolved", "applied"]);
  expect(second.ledger?.[1]?.evidence).toContain("for v1.1.0");
  expect(second.intervention?.kind).toBe("approval");
  const candidate = "patchmoi/candidate/v1.2.0";
  expect(fork.show(candidate, "app.txt")).toBe(fork.show("patchmoi/candidate/v1.1.0", "app.txt"));
  expect(fork.show(candidate, "other.txt")).toBe("of v1.2.0");

  await post(second, "promote", { channel: "public" });
  await expect.poll(() => leftOf(fork, "v1.2.0"), { timeout: 20_000 }).toEqual([]);
  expect(await remembered(fork)).toEqual([entry]);
});

test("what is forgotten is asked of a person again, and forgetting twice is harmless", async () => {
  const { fork } = await resolvedOnce("forgotten");
  const [entry] = await remembered(fork);
  const path = `/forks/forgotten/resolutions/${entry?.key}`;
  const key = { "idempotency-key": "once" };
  const body = { fork: "forgotten", key: entry?.key, forgotten: true };
  expect(await world.service.delete(path, key)).toMatchObject({ status: 202, body });
  expect(await world.service.delete(path, key)).toMatchObject({ status: 202, body });
  expect(await world.service.delete(path)).toMatchObject({ status: 404, body: { error: "resolution_not_found" } });
  expect(await remembered(fork)).toEqual([]);

  const second = await take(fork, "v1.2.0");
  expect(second.intervention).toMatchObject({ kind: "conflict", files: ["app.txt"] });
  expect(outcomes(second)).toEqual(["applied", "conflict", "pending"]);
});

test("a conflict that differs is asked of a person", async () => {
  const { fork } = await resolvedOnce("differing");
  fork.release("v1.2.0", { "app.txt": CLASHING["app.txt"].replace("zwei", "deux") });
  const second = await world.service.attempt(await fork.startByHand("v1.2.0"), settled);
  expect(second.intervention?.kind).toBe("conflict");
});

test("a second conflict after a remembered one waits on top of it, and a replay needs nobody", async () => {
  const { fork } = await resolvedOnce("further");
  fork.release("v1.2.0", { "app.txt": CLASHING["app.txt"].replace("eight", "acht") });
  const stopped = await world.service.attempt(await fork.startByHand("v1.2.0"), settled);
  expect(outcomes(stopped)).toEqual(["applied", "resolved", "conflict"]);
  expect(fork.show("patchmoi/progress/v1.2.0", "app.txt")).toContain("ZWEI");

  const both = RESOLVED.replace("eight", "ACHT");
  resolve(fork, stopped, both);
  await post(stopped, "resume");
  const attempt = await world.service.attempt(stopped.id, done);
  expect(outcomes(attempt)).toEqual(["applied", "resolved", "resolved"]);
  expect(await remembered(fork)).toHaveLength(2);

  await world.service.post(`/flow-events/${encodeURIComponent(attempt.eventId)}/replay`);
  const replayed = await world.service.attempt("maintain-release/further/v1.2.0/2", settled);
  expect(outcomes(replayed)).toEqual(["applied", "resolved", "resolved"]);
  expect(fork.show("patchmoi/candidate/v1.2.0", "app.txt")).toBe(both.trimEnd());

  // The end of the older one takes away what it kept, which the newer one made just so.
  await world.service.attempt(attempt.id, ({ message }) => /lapsed/.test(message ?? ""));
  rmSync(join(world.directory, "data/git"), { recursive: true });
  await post(replayed, "promote", { channel: "public" });
  await world.service.attempt(replayed.id, ({ message }) => /promoted to public/.test(message ?? ""));
  await expect.poll(() => leftOf(fork, "v1.2.0"), { timeout: 20_000 }).toEqual([]);
});

test("a build that fails on what was remembered names it; forgotten, a retry asks a person afresh", async () => {
  const { fork } = await resolvedOnce("suspect");
  const [entry] = await remembered(fork);
  fork.setFork({ build: { commands: ["grep -q 'zwei!' app.txt"] } });
  const failed = await take(fork, "v1.2.0");
  expect(failed.intervention?.kind).toBe("build");
  expect(failed.message).toContain('"Shout the second line"');
  expect(failed.message).toContain("for v1.1.0");
  expect(failed.message).toContain(`DELETE /forks/suspect/resolutions/${entry?.key}`);
  const review = await world.service.get<unknown>(`${attemptPath(failed.id)}/range-diff`);
  expect(String(review.body)).toContain("Shout the second line");

  const clone = fork.clone();
  follow(failed.intervention?.commands ?? [], clone, () => clone.commit("Say why", { files: { "why.txt": "so\n" } }));
  await post(failed, "resume");
  const stillFailed = await world.service.attempt(
    failed.id,
    (each) => waits(each) && !isSame(each, failed.intervention?.token),
  );
  expect(stillFailed.intervention?.kind).toBe("build");
  expect(stillFailed.message).toContain(`DELETE /forks/suspect/resolutions/${entry?.key}`);

  expect((await world.service.delete(`/forks/suspect/resolutions/${entry?.key}`)).status).toBe(202);
  expect((await retry(failed)).headers.get("location")).toBe(attemptPath(failed.id));
  const stopped = await world.service.attempt(failed.id, ({ intervention }) => intervention?.kind === "conflict");
  expect(outcomes(stopped)).toEqual(["applied", "conflict", "pending"]);
  expect(fork.refs()["heads/patchmoi/progress/v1.2.0"]).toBe(stopped.ledger?.[0]?.commit);

  await post(stopped, "resume");
  await world.service.attempt(failed.id, ({ message }) => /nothing was pushed yet/.test(message ?? ""));
  resolve(fork, stopped, RESOLVED.replace("ZWEI", "zwei!"));
  await post(stopped, "resume");
  const attempt = await world.service.attempt(failed.id, done);
  expect(outcomes(attempt)).toEqual(["applied", "resolved", "applied"]);
  expect(fork.show("patchmoi/candidate/v1.2.0", "app.txt")).toContain("zwei!");
  expect(Object.keys(fork.refs()).filter((ref) => /progress|conflict|resolution\//.test(ref))).toEqual([]);
  await post(attempt, "abort");
  await expect.poll(() => leftOf(fork, "v1.2.0"), { timeout: 20_000 }).toEqual([]);
});

test("a fix that was pushed and not resumed before a newer release came is not lost", async () => {
  const fork = await world.addFork("pushed-too-late");
  fork.release("v1.1.0", { ...CLASHING });
  const first = await world.service.attempt(await fork.startByHand("v1.1.0"), waits);
  resolve(fork, first);
  const second = await take(fork, "v1.2.0");
  await world.service.attempt(first.id, ({ status }) => status === "superseded");
  expect(outcomes(second)).toContain("resolved");
  expect(leftOf(fork, "v1.1.0")).toEqual([]);
});
