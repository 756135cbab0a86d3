import { afterAll, beforeAll, expect, inject, test } from "vitest";
import type { MaintenanceAttempt } from "../../domain/attempt.ts";
import { attemptPath } from "../support/service.ts";
import { done, follow, HARMLESS, startWorld, type World, waits } from "../support/world.ts";

let world: World;
beforeAll(async () => {
  world = await startWorld(inject("temporalCli"), { BUILD_SECRET: "s3cr3t-of-the-build" });
});
afterAll(() => world?.close());

const post = (id: string, decision: string, body = {}) => world.service.post(`${attemptPath(id)}/${decision}`, body);

test("the build runs on the exported tree, and what it names is kept", async () => {
  const commands = [
    "test ! -e .git",
    'test -z "$PATCH_TEMPORAL_CLI"',
    "mkdir -p out && cat app.txt other.txt > out/all.txt",
    "ln -s /etc/passwd out/link.txt",
  ];
  const fork = await world.addFork("builds", { fork: { build: { commands, artifacts: ["out/*.txt"] } } });
  fork.release("v1.1.0", { ...HARMLESS });
  const attempt = await world.service.attempt(await fork.startByHand("v1.1.0"), (each) => done(each) || waits(each));
  expect(attempt.message).toContain("candidate pushed");
  const list = await world.service.get<{ artifacts: { name: string }[] }>(`${attemptPath(attempt.id)}/artifacts`);
  expect(list.body.artifacts.map(({ name }) => name).sort()).toEqual(["build.log", "out/all.txt"]);
  const file = await world.service.get<unknown>(
    `${attemptPath(attempt.id)}/artifacts/${encodeURIComponent("out/all.txt")}`,
  );
  expect(String(file.body)).toContain("another");
});

test("a build that fails waits; mended on the patch branch, retry takes it", async () => {
  const fork = await world.addFork("mended", {
    fork: { build: { commands: ["echo building", "grep -q mended ours.txt"] } },
  });
  fork.release("v1.1.0", { ...HARMLESS });
  const id = await fork.startByHand("v1.1.0");
  const failed = await world.service.attempt(id, waits);
  expect(failed).toMatchObject({ status: "needs_intervention", intervention: { kind: "build" } });
  expect(failed.message).toContain("grep -q mended ours.txt");
  expect(Object.keys(fork.refs()).filter((ref) => ref.includes("candidate"))).toEqual([]);

  fork.repositories.fork.commit("Mend our file", { files: { "ours.txt": "ours, mended\n" } });
  fork.repositories.publish();
  const retry = await world.service.post(`/flow-events/${encodeURIComponent(failed.eventId)}/retry`);
  expect(retry.headers.get("location")).toBe(attemptPath(id));
  const attempt = await world.service.attempt(id, done);
  expect(attempt.ledger?.at(-1)).toMatchObject({ subject: "Mend our file", outcome: "applied" });
});

test("a build that fails can be fixed on top of the carried stack, and resumed", async () => {
  const fork = await world.addFork("fixed", { fork: { build: { commands: ["test -e fix.txt"] } } });
  fork.release("v1.1.0", { ...HARMLESS });
  const id = await fork.startByHand("v1.1.0");
  const failed = await world.service.attempt(id, waits);
  const clone = fork.clone();
  follow(failed.intervention?.commands ?? [], clone, () =>
    clone.commit("Let it build", { files: { "fix.txt": "x\n" } }),
  );
  expect((await post(id, "resume", { token: failed.intervention?.token })).status).toBe(202);
  const attempt = await world.service.attempt(id, done);
  expect(fork.show("patchmoi/candidate/v1.1.0", "fix.txt")).toBe("x");
  expect(attempt.ledger).toHaveLength(3);
});

test("a build sees only the variables that the fork allows, and their values stay out of its log", async () => {
  const build = { commands: ['echo "secret: $BUILD_SECRET"; env | sort', "false"], env: ["BUILD_SECRET"] };
  const fork = await world.addFork("secret", { fork: { build } });
  fork.release("v1.1.0", { ...HARMLESS });
  const failed = await world.service.attempt(await fork.startByHand("v1.1.0"), waits);
  const log = await world.service.get<unknown>(`${attemptPath(failed.id)}/artifacts/build.log`);
  expect(String(log.body)).toContain("secret: ***");
  expect(String(log.body)).not.toContain("DATA_DIR");
  expect(JSON.stringify(failed)).not.toContain("s3cr3t");
});

test("a build has no network unless allowed, a time limit, and leaves no process behind", async () => {
  const reach = `exec 3<>/dev/tcp/127.0.0.1/${new URL(world.service.url).port}`;
  const offline = await world.addFork("offline", { fork: { build: { commands: [`bash -c '${reach}'`] } } });
  offline.release("v1.1.0", { ...HARMLESS });
  const endless = await world.addFork("endless", {
    fork: { build: { commands: ["sleep 1234567 & trap '' TERM; sleep 1234567"], timeoutSeconds: 2 } },
  });
  endless.release("v1.1.0", { ...HARMLESS });
  const [one, two] = await Promise.all([offline.startByHand("v1.1.0"), endless.startByHand("v1.1.0")]);
  const isWarned = (attempt: MaintenanceAttempt) =>
    attempt.warnings?.some((warning) => warning.includes("without a sandbox"));
  const tried = await world.service.attempt(one, (attempt) => waits(attempt) || done(attempt));
  if (!isWarned(tried)) expect(tried.intervention?.kind).toBe("build");
  const ended = await world.service.attempt(two, waits);
  expect(ended.message).toContain("ran out of its 2 seconds");
  const { execFileSync } = await import("node:child_process");
  expect(execFileSync("ps", ["-eo", "args"]).toString()).not.toContain("sleep 1234567");
});

test("a running attempt is aborted by who means it, not by who names a wait that is over", async () => {
  const fork = await world.addFork("running", { fork: { build: { commands: ["sleep 30"] } } });
  fork.release("v1.1.0", { ...HARMLESS });
  const id = await fork.startByHand("v1.1.0");
  await world.service.attempt(id, ({ ledger }) => ledger !== undefined);
  expect((await post(id, "abort", { token: "of a wait that is over" })).status).toBe(409);
  expect((await post(id, "abort", { reason: "too slow" })).status).toBe(202);
  const ended = await world.service.attempt(id, ({ status }) => status === "cancelled");
  expect(ended.message).toBe("too slow");
});
