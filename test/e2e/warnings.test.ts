import { afterAll, beforeAll, expect, inject, test } from "vitest";
import type { MaintenanceAttempt } from "../../domain/attempt.ts";
import { attemptPath } from "../support/service.ts";
import { CLASHING, done, type ForkWorld, follow, RESOLVED, startWorld, type World, waits } from "../support/world.ts";

let world: World;
beforeAll(async () => {
  world = await startWorld(inject("temporalCli"));
});
afterAll(() => world?.close());

/** What upstream adds beside the line that clashes, and a careless resolution loses. */
const LOST = "close(the_door);";
const UPSTREAM = { "app.txt": CLASHING["app.txt"].replace("zwei", `zwei\n${LOST}`) };

const post = (attempt: MaintenanceAttempt, decision: string, body = {}) =>
  world.service.post<{ error?: string }>(`${attemptPath(attempt.id)}/${decision}`, body);
const settled = (attempt: MaintenanceAttempt) => waits(attempt) || done(attempt);

function pushed(fork: ForkWorld, attempt: MaintenanceAttempt, fix: (clone: ReturnType<ForkWorld["clone"]>) => void) {
  const clone = fork.clone();
  follow(attempt.intervention?.commands ?? [], clone, () => fix(clone));
}

/** The next thing that the attempt waits for, or its end. */
async function next(before: MaintenanceAttempt): Promise<MaintenanceAttempt> {
  const isNew = ({ intervention }: MaintenanceAttempt) => intervention?.token !== before.intervention?.token;
  return await world.service.attempt(before.id, (attempt) => settled(attempt) && isNew(attempt));
}

/** Carried after a resolution that loses a line of upstream's. */
async function careless(
  name: string,
  options: Record<string, unknown>,
): Promise<{ fork: ForkWorld; attempt: MaintenanceAttempt }> {
  const fork = await world.addFork(name, { fork: options });
  fork.release("v1.1.0", { ...UPSTREAM });
  const stopped = await world.service.attempt(await fork.startByHand("v1.1.0"), waits);
  pushed(fork, stopped, (clone) => clone.write("app.txt", RESOLVED));
  await post(stopped, "resume");
  return { fork, attempt: await next(stopped) };
}

test("a fork that does not stop on warnings shows them, beside those of its build, and goes on", async () => {
  const build = { commands: ["true"], sandbox: "none" };
  const { fork, attempt } = await careless("warned", { build });
  expect(attempt.status).toBe("changed");
  expect(attempt.warnings).toEqual([expect.stringContaining("app.txt"), expect.stringContaining("without a sandbox")]);
  expect(fork.show("patchmoi/candidate/v1.1.0", "app.txt")).not.toContain(LOST);
});

test("a fork that stops on them waits before the build, and goes on when a person accepts exactly these", async () => {
  const { fork, attempt: warned } = await careless("stopping", { stopOnWarnings: true, build: { commands: ["true"] } });
  expect(warned).toMatchObject({ status: "needs_intervention", intervention: { kind: "warnings" } });
  expect(warned.warnings).toEqual([expect.stringContaining("app.txt")]);
  expect(warned.message).toContain(warned.warnings?.[0]);
  expect(warned.ledger?.map(({ outcome }) => outcome)).toEqual(["applied", "resolved", "applied"]);
  const artifacts = await world.service.get<{ artifacts: unknown[] }>(`${attemptPath(warned.id)}/artifacts`);
  expect(artifacts.body.artifacts).toEqual([]);
  const review = await world.service.get<unknown>(`${attemptPath(warned.id)}/range-diff`);
  expect(String(review.body)).toContain("Shout the second line");
  expect(Object.keys(fork.refs())).toContain("heads/patchmoi/progress/v1.1.0");

  const skip = await post(warned, "skip-patch", { token: warned.intervention?.token, reason: "no" });
  expect([skip.status, skip.body.error]).toEqual([409, "not_waiting"]);
  expect((await post(warned, "resume", { token: warned.intervention?.token })).status).toBe(202);
  const attempt = await next(warned);
  expect(attempt).toMatchObject({ status: "changed", intervention: { kind: "approval" }, warnings: warned.warnings });
  expect(Object.keys(fork.refs()).filter((ref) => /progress|resolution\/|conflict/.test(ref))).toEqual([]);

  fork.release("v1.2.0", { "other.txt": "another\n" });
  const again = await world.service.attempt(await fork.startByHand("v1.2.0"), settled);
  expect(again.intervention?.kind).toBe("warnings");
});

test("commits that are pushed onto warnings are taken, and what is carried then is looked at anew", async () => {
  const { fork, attempt: warned } = await careless("mending", { stopOnWarnings: true });
  pushed(fork, warned, (clone) => clone.commit("Say why", { files: { "why.txt": "so\n" } }));
  await post(warned, "resume");
  const still = await next(warned);
  expect(still.intervention?.kind).toBe("warnings");

  const mended = RESOLVED.replace("ZWEI", `zwei\n${LOST}\nZWEI`).replace("eight", "EIGHT");
  pushed(fork, still, (clone) => clone.commit("Close the door", { files: { "app.txt": mended } }));
  await post(still, "resume");
  const attempt = await next(still);
  expect(attempt.status).toBe("changed");
  expect(attempt.warnings).toEqual([]);
  expect(fork.show("patchmoi/candidate/v1.1.0", "app.txt")).toBe(mended.trimEnd());
  expect(fork.show("patchmoi/candidate/v1.1.0", "why.txt")).toBe("so");
});

test("retry looks again, and with the fork's word changed goes on; abort ends it", async () => {
  const { fork, attempt: warned } = await careless("reconsidered", { stopOnWarnings: true });
  const path = `/flow-events/${encodeURIComponent(warned.eventId)}/retry`;
  // The fork's workflow may hear of the wait a moment after the record shows it, and leaves alone what still runs for it.
  const retry = async () => {
    const left = async () =>
      (await world.service.post<{ record: { idempotent?: boolean } }>(path)).body.record.idempotent;
    await expect.poll(left, { timeout: 20_000 }).not.toBe(true);
  };
  await retry();
  const still = await next(warned);
  expect(still.intervention?.kind).toBe("warnings");
  fork.setFork({ stopOnWarnings: false });
  await retry();
  const attempt = await next(still);
  expect(attempt).toMatchObject({ status: "changed", warnings: warned.warnings });

  const { attempt: other } = await careless("unwanted", { stopOnWarnings: true });
  expect((await post(other, "abort")).status).toBe(202);
  await world.service.attempt(other.id, ({ status }) => status === "cancelled");
});
