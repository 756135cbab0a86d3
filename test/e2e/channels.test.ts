import { rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { attemptPath } from "../support/service.ts";
import { CLASHING, done, follow, HARMLESS, RESOLVED, startWorld, type World, waits } from "../support/world.ts";

let world: World;
beforeAll(async () => {
  world = await startWorld(inject("temporalCli"));
});
afterAll(() => world?.close());

const CHANNELS = {
  internal: { branch: "internal", promote: "auto" },
  public: { branch: "stable", tag: "acme-{tag}", promote: "manual" },
};
const promote = (id: string, body: object) =>
  world.service.post<{ error?: string }>(`${attemptPath(id)}/promote`, body);

test("internal moves by itself; public waits, then moves its branch, its tag and the patch branch", async () => {
  const fork = await world.addFork("promoted", { fork: { channels: CHANNELS } });
  const stack = fork.refs()["heads/patches"];
  fork.release("v1.1.0", { ...HARMLESS });
  const id = await fork.startByHand("v1.1.0");
  const waiting = await world.service.attempt(id, ({ intervention }) => intervention?.kind === "approval");
  const candidate = fork.refs()["heads/patchmoi/candidate/v1.1.0"];
  expect(fork.refs()).toMatchObject({ "heads/internal": candidate, "heads/patches": stack });
  expect(waiting).toMatchObject({ status: "changed", intervention: { channels: ["public"] } });

  expect((await promote(id, { channel: "nightly" })).status).toBe(400);
  expect((await promote(id, { channel: "internal" })).status).toBe(409);
  expect((await promote(id, { channel: "public", token: "another" })).body.error).toBe("wrong_token");
  expect((await promote(id, { channel: "public", token: waiting.intervention?.token })).status).toBe(202);
  const attempt = await world.service.attempt(
    id,
    ({ intervention, message }) => !intervention && /promoted to public/.test(message ?? ""),
  );
  expect(attempt.status).toBe("changed");
  expect(fork.refs()).toMatchObject({ "heads/stable": candidate, "heads/patches": candidate });
  expect(fork.refs()["tags/acme-v1.1.0"]).toBeDefined();

  fork.release("v1.2.0", { "other.txt": "yet another\n" });
  const next = await world.service.attempt(
    await fork.startByHand("v1.2.0"),
    ({ intervention }) => intervention?.kind === "approval",
  );
  expect(next.ledger?.map(({ outcome }) => outcome)).toEqual(["applied", "applied", "applied"]);
  expect(fork.refs()["heads/internal"]).toBe(fork.refs()["heads/patchmoi/candidate/v1.2.0"]);
});

test("promotion never goes over somebody else's commit on the channel's branch", async () => {
  const fork = await world.addFork("foreign", { fork: { channels: CHANNELS } });
  const clone = fork.clone();
  clone.git("checkout", "-q", "-b", "internal", "origin/patches");
  const foreign = clone.commit("Somebody else's work", { files: { "theirs.txt": "x\n" } });
  clone.git("push", "-q", "origin", "internal");
  fork.release("v1.1.0", { ...HARMLESS });
  const id = await fork.startByHand("v1.1.0");
  const blocked = await world.service.attempt(id, ({ status }) => status === "blocked");
  expect(blocked.message).toContain("internal");
  expect(blocked.message).toContain(foreign.slice(0, 7));
  expect(fork.refs()["heads/internal"]).toBe(foreign);

  clone.git("push", "-q", "origin", ":internal");
  await world.service.post(`/flow-events/${encodeURIComponent(blocked.eventId)}/retry`);
  await world.service.attempt(id, ({ intervention }) => intervention?.kind === "approval");
  expect(fork.refs()["heads/internal"]).toBe(fork.refs()["heads/patchmoi/candidate/v1.1.0"]);
});

test("a resolution outlives its hand-off refs, for a retry after a refused promotion, with every cache deleted", async () => {
  const fork = await world.addFork("resolved", { fork: { channels: CHANNELS } });
  const clone = fork.clone();
  clone.git("checkout", "-q", "-b", "internal", "origin/patches");
  clone.commit("Somebody else's work", { files: { "theirs.txt": "x\n" } });
  clone.git("push", "-q", "origin", "internal");
  fork.release("v1.1.0", { ...CLASHING });
  const id = await fork.startByHand("v1.1.0");
  const stopped = await world.service.attempt(id, waits);
  const person = fork.clone();
  follow(stopped.intervention?.commands ?? [], person, () => person.write("app.txt", RESOLVED));
  await world.service.post(`${attemptPath(id)}/resume`);
  const blocked = await world.service.attempt(id, ({ status }) => status === "blocked");
  const candidate = fork.refs()["heads/patchmoi/candidate/v1.1.0"];

  rmSync(join(world.directory, "data/git"), { recursive: true });
  clone.git("push", "-q", "origin", ":internal");
  await world.service.post(`/flow-events/${encodeURIComponent(blocked.eventId)}/retry`);
  const attempt = await world.service.attempt(id, ({ intervention }) => intervention?.kind === "approval");
  expect(attempt.ledger?.[1]?.outcome).toBe("resolved");
  expect(fork.refs()["heads/internal"]).toBe(candidate);
  expect(Object.keys(fork.refs()).filter((ref) => ref.startsWith("heads/patchmoi/"))).toEqual([
    "heads/patchmoi/candidate/v1.1.0",
  ]);
  await promote(id, { channel: "public" });
  const kept = () => Object.keys(fork.refs()).filter((ref) => ref.includes("decisions"));
  await expect.poll(kept, { timeout: 20_000 }).toEqual([]);
});

test("a patch branch that moved meanwhile is not promoted over; retry carries what is there now", async () => {
  const fork = await world.addFork("moved");
  fork.release("v1.1.0", { ...HARMLESS });
  const id = await fork.startByHand("v1.1.0");
  await world.service.attempt(id, done);
  const moved = fork.repositories.fork.commit("One more patch", { files: { "more.txt": "more\n" } });
  fork.repositories.publish();
  // A work tree publishes its branches only: the candidate branch is still there.
  expect((await promote(id, { channel: "public" })).status).toBe(202);
  const blocked = await world.service.attempt(id, ({ status }) => status === "blocked");
  expect(blocked.message).toMatch(/patches.*moved/);
  expect(fork.refs()["heads/patches"]).toBe(moved);

  await world.service.post(`/flow-events/${encodeURIComponent(blocked.eventId)}/retry`);
  const again = await world.service.attempt(id, ({ status, ledger }) => status === "changed" && ledger?.length === 4);
  expect(fork.refs()["heads/patchmoi/candidate/v1.1.0.2"]).toBeDefined();
  // What was approved was the candidate before: this one waits for its own approval.
  expect(again.intervention).toMatchObject({ kind: "approval", channels: ["public"] });
  expect(fork.refs()["heads/patches"]).toBe(moved);
});

test("a waiting attempt gives way to a newer release, not to an older one; its hand-off refs go", async () => {
  const fork = await world.addFork("superseded");
  fork.release("v1.1.0", { ...CLASHING });
  const first = await fork.startByHand("v1.1.0");
  await world.service.attempt(first, waits);
  fork.release("v1.2.0", {
    "app.txt": fork.show("patches", "app.txt").replace("TWO", "two").replace("EIGHT", "eight") + "\n",
  });
  const second = await fork.startByHand("v1.2.0");
  const gone = await world.service.attempt(first, ({ status }) => status === "superseded");
  expect(gone.message).toContain(second);
  expect(gone.intervention).toBeUndefined();
  await world.service.attempt(second, done);
  expect(Object.keys(fork.refs()).filter((ref) => /progress|conflict/.test(ref))).toEqual([]);
});

test("with onNewerRelease `queue` the newer release waits its turn", async () => {
  const fork = await world.addFork("queued", { fork: { onNewerRelease: "queue" } });
  fork.release("v1.1.0", { ...CLASHING });
  const first = await fork.startByHand("v1.1.0");
  const stopped = await world.service.attempt(first, waits);
  fork.release("v1.2.0", { ...HARMLESS });
  const second = await fork.startByHand("v1.2.0");
  await new Promise((resolve) => setTimeout(resolve, 1500));
  expect((await world.service.attempt(first, () => true)).status).toBe("needs_intervention");
  expect(await world.service.attempt(second, () => true)).toMatchObject({
    status: "started",
    message: "waits its turn",
  });
  fork.release("v1.3.0", { "other.txt": "three\n" });
  const third = await fork.startByHand("v1.3.0");
  expect((await world.service.post(`${attemptPath(third)}/abort`, { reason: "not needed" })).status).toBe(202);
  expect(await world.service.attempt(third, () => true)).toMatchObject({ status: "cancelled", message: "not needed" });
  await world.service.post(`${attemptPath(first)}/abort`, { token: stopped.intervention?.token });
  await world.service.attempt(second, waits);
});

test("an older approval lapses when a newer candidate is there", async () => {
  const fork = await world.addFork("lapsing");
  fork.release("v1.1.0", { ...HARMLESS });
  const first = await fork.startByHand("v1.1.0");
  await world.service.attempt(first, done);
  fork.release("v1.2.0", { "other.txt": "yet another\n" });
  const second = await fork.startByHand("v1.2.0");
  await world.service.attempt(second, done);
  const lapsed = await world.service.attempt(first, ({ intervention }) => !intervention);
  expect(lapsed).toMatchObject({ status: "changed", message: expect.stringContaining("lapsed") });
  expect((await promote(first, { channel: "public" })).status).toBe(409);
});

test("a replay takes the place of its waiting attempt; ending an older attempt leaves the hand-off of a newer one alone", async () => {
  const fork = await world.addFork("replayed");
  fork.release("v1.1.0", { ...CLASHING });
  const first = await fork.startByHand("v1.1.0");
  const stopped = await world.service.attempt(first, waits);
  const replay = () => world.service.post(`/flow-events/${encodeURIComponent(stopped.eventId)}/replay`);
  await replay();
  await world.service.attempt(first, ({ status }) => status === "superseded");
  const second = "maintain-release/replayed/v1.1.0/2";
  const again = await world.service.attempt(second, waits);
  const person = fork.clone();
  follow(again.intervention?.commands ?? [], person, () => person.write("app.txt", RESOLVED));
  await world.service.post(`${attemptPath(second)}/resume`);
  await world.service.attempt(second, done);
  const { body } = await world.service.get<{ resolutions: { key: string }[] }>("/forks/replayed/resolutions");
  await world.service.delete(`/forks/replayed/resolutions/${body.resolutions[0]?.key}`);

  await replay();
  const third = "maintain-release/replayed/v1.1.0/3";
  const waiting = await world.service.attempt(third, waits);
  follow(waiting.intervention?.commands ?? [], person, () => person.write("app.txt", RESOLVED));
  await world.service.post(`${attemptPath(second)}/abort`);
  await world.service.attempt(second, ({ status }) => status === "cancelled");
  await world.service.post(`${attemptPath(third)}/resume`);
  const attempt = await world.service.attempt(third, done);
  expect(attempt.ledger?.[1]).toMatchObject({ outcome: "resolved", evidence: expect.stringContaining("Pat Person") });
});

test("a channel's tag follows the candidate's number when a replay carries another stack", async () => {
  const fork = await world.addFork("numbered", {
    fork: { channels: { internal: { tag: "int-{tag}", promote: "auto" } } },
  });
  fork.release("v1.1.0", { ...HARMLESS });
  const first = await world.service.attempt(await fork.startByHand("v1.1.0"), done);
  fork.repositories.fork.commit("One more patch", { files: { "more.txt": "more\n" } });
  fork.repositories.publish();
  await world.service.post(`/flow-events/${encodeURIComponent(first.eventId)}/replay`);
  await world.service.attempt("maintain-release/numbered/v1.1.0/2", done);
  const tags = Object.keys(fork.refs()).filter((ref) => ref.startsWith("tags/int-"));
  expect(tags.sort()).toEqual(["tags/int-v1.1.0", "tags/int-v1.1.0.2"]);
});

test("a stack that upstream took whole ends well: the candidate is the release itself", async () => {
  const fork = await world.addFork("whole");
  const [app, ours] = [`${fork.show("patches", "app.txt")}\n`, `${fork.show("patches", "ours.txt")}\n`];
  fork.repositories.upstream.commit("Take one", { files: { "ours.txt": ours } });
  fork.repositories.upstream.commit("Take two", { files: { "app.txt": app.replace("EIGHT", "eight") } });
  const sha = fork.release("v1.1.0", { "app.txt": app });
  const attempt = await world.service.attempt(await fork.startByHand("v1.1.0"), (each) => done(each) || waits(each));
  expect(attempt).toMatchObject({ status: "changed", candidateRefs: [{ sha }] });
  expect(attempt.ledger?.map(({ outcome }) => outcome)).toEqual(["dropped", "dropped", "dropped"]);
});
