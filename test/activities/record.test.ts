import { MockActivityEnvironment } from "@temporalio/testing";
import { expect, onTestFinished, test } from "vitest";
import { gitActivities } from "../../activities/git.ts";
import { changeAttempt, recordActivities, tellProgress } from "../../activities/record.ts";
import type { CandidateRef, Intervention, MaintenanceAttempt } from "../../domain/attempt.ts";
import { feedSourcesFile } from "../../domain/config.ts";
import { openFileRecords } from "../../records/files.ts";
import { scene } from "../git/scene.ts";
import { attempt, flowEvent } from "../records/samples.ts";
import { temporaryDirectory } from "../support/repositories.ts";

/** Records that two openers share, as two processes do. */
async function given(...attempts: MaintenanceAttempt[]) {
  const directory = temporaryDirectory();
  const open = () => openFileRecords({ directory: directory.path, warn: (message) => expect.fail(message) });
  const [records, others] = [await open(), await open()];
  onTestFinished(async () => {
    await Promise.all([records.close(), others.close()]);
    directory.remove();
  });
  for (const each of attempts) await records.attempts.append(each);
  return { records, others };
}

const { id } = attempt(1);
const config = () => feedSourcesFile.parse({ sources: [] });

test("of two changes at once none is lost, by one process or by two", async () => {
  const { records, others } = await given(attempt(1));
  for (let round = 0; round < 20; round++) {
    await Promise.all([
      changeAttempt(records, id, { message: `message ${round}` }),
      changeAttempt(records, id, { error: `error ${round}` }),
      changeAttempt(others, id, { upstreamSha: `sha ${round}` }),
    ]);
    expect(await records.attempts.get(id)).toMatchObject({
      message: `message ${round}`,
      error: `error ${round}`,
      upstreamSha: `sha ${round}`,
    });
  }
});

test("a change may be made of the latest record, and an unknown attempt is left unknown", async () => {
  const { records, others } = await given(attempt(1));
  const warn = (warning: string) => (latest: MaintenanceAttempt) => ({
    warnings: [...(latest.warnings ?? []), warning],
  });
  const all = Array.from({ length: 20 }, (_, n) => `warning ${n}`);
  await Promise.all(all.map((each, n) => changeAttempt(n % 2 ? records : others, id, warn(each))));
  expect((await records.attempts.get(id))?.warnings?.toSorted()).toEqual(all.toSorted());
  await changeAttempt(records, "maintain-release/none/v1/1", { message: "never" });
  expect((await records.attempts.list()).items).toHaveLength(1);
});

test("an attempt that ends has a time of completion, and one that goes on has none", async () => {
  const { records } = await given(attempt(1));
  await changeAttempt(records, id, {
    status: "changed",
    intervention: { kind: "approval", token: "t", commands: [], message: "?" },
  });
  const first = (await records.attempts.get(id))?.completedAt;
  expect(first).toBeDefined();
  await changeAttempt(records, id, { intervention: null });
  expect(await records.attempts.get(id)).not.toHaveProperty("intervention");
  expect((await records.attempts.get(id))?.completedAt).toBe(first);
  await changeAttempt(records, id, { status: "started" });
  expect(await records.attempts.get(id)).not.toHaveProperty("completedAt");
});

test("opening an attempt again, also at the same time as its first step, leaves what is known of it", async () => {
  const { records, others } = await given();
  const opening = {
    attemptId: id,
    fork: "tool",
    release: { name: "v1", ref: "refs/tags/v1" },
    event: flowEvent(1),
    operation: "dispatch" as const,
  };
  const [one, other] = [recordActivities({ config, records }), recordActivities({ config, records: others })];
  await one.openAttempt(opening);
  await Promise.all([
    one.recordAttempt({ id, change: { status: "blocked", message: "the fork cannot be reached" } }),
    other.openAttempt(opening),
    one.openAttempt(opening),
  ]);
  expect(await others.attempts.get(id)).toMatchObject({ status: "blocked", message: "the fork cannot be reached" });
});

test("progress is said of a running attempt only: how it stopped or ended stands", async () => {
  const { records, others } = await given(
    attempt(1, { status: "started", message: "starting" }),
    attempt(2, { status: "needs_intervention", message: "a conflict" }),
    attempt(3, { status: "changed", message: "candidate pushed" }),
  );
  for (const n of [1, 2, 3]) await tellProgress(n === 1 ? records : others, attempt(n).id, "patch 2 of 3: Ours");
  await tellProgress(records, "unknown", "patch 2 of 3: Ours");
  const messages = await Promise.all([1, 2, 3].map(async (n) => (await records.attempts.get(attempt(n).id))?.message));
  expect(messages).toEqual(["patch 2 of 3: Ours", "a conflict", "candidate pushed"]);
  expect(await others.attempts.get("unknown")).toBeUndefined();
});

test("an attempt that is recalled is open while it runs or waits for anybody, approval included", async () => {
  const approval: Intervention = { kind: "approval", token: "t", commands: [], message: "waits for promote" };
  const { records } = await given(
    attempt(1, { status: "changed" }),
    attempt(2, { status: "changed", intervention: approval }),
    attempt(3, { status: "completed" }),
    attempt(4, { status: "cancelled" }),
    attempt(5, { status: "needs_intervention", intervention: { ...approval, kind: "conflict" } }),
    attempt(6, { status: "started" }),
    attempt(7, { status: "started", fork: "another" }),
  );
  const { known } = await recordActivities({ config, records }).recallFork({ fork: "tool" });
  expect(known.map(({ name, closed }) => [name, closed])).toEqual([
    ["v1", true],
    ["v2", false],
    ["v3", true],
    ["v4", true],
    ["v5", false],
    ["v6", false],
  ]);
});

test("reading the refs again keeps what a promotion recorded meanwhile", async () => {
  const at = scene();
  at.publish();
  const sha = at.forkRef("refs/heads/patches") as string;
  const ref = (name: string, is: string): CandidateRef => ({
    kind: "branch",
    ref: `refs/heads/${name}`,
    sha: is,
    pushed: true,
  });
  const gone = "0".repeat(40);
  const before = [ref("patches", sha), ref("removed", sha), ref("main", gone)];
  const { records } = await given(attempt(1, { candidateRefs: before }));
  const moved = [...before.slice(0, 2), ref("main", sha), ref("acme-next", sha)];
  const git = {
    ...at.git,
    listRefs: async (...asked: Parameters<typeof at.git.listRefs>) => {
      const found = await at.git.listRefs(...asked);
      await changeAttempt(records, id, { candidateRefs: moved, message: "promoted" });
      return found;
    },
  };
  const forks = [{ id: "tool", upstream: { url: at.upstreamUrl }, fork: { url: at.forkUrl }, patchBranch: "patches" }];
  const { readRefs } = gitActivities({
    config: () => feedSourcesFile.parse({ sources: [], forks }),
    secret: () => undefined,
    git,
    records,
  });
  await new MockActivityEnvironment().run(readRefs, { fork: "tool", attemptId: id });
  const { candidateRefs, message } = (await records.attempts.get(id)) ?? {};
  expect(message).toBe("promoted");
  expect(candidateRefs?.map((each) => [each.ref, each.pushed])).toEqual([
    ["refs/heads/patches", true],
    ["refs/heads/removed", false],
    ["refs/heads/main", true],
    ["refs/heads/acme-next", true],
  ]);
});
