import { execFileSync } from "node:child_process";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import type { Decision } from "../../domain/attempt.ts";
import { makeUpstreamAndFork } from "../support/repositories.ts";
import { refusalOf, row } from "./hand-off-table.ts";
import { lines } from "./scene.ts";
import { aStop, CONFLICT, FILES, fivePatches, PROGRESS, push, RESOLUTION, Stop } from "./stopped.ts";

const stop = aStop(fivePatches);
const fixed = { "a.txt": lines({ 10: "two and theirs" }) };
const ref = (name: string) => stop().show("for-each-ref", "--format=%(objectname)", `refs/heads/${name}`);

function picked(files: Record<string, string> = fixed, at = stop()) {
  const person = at.person();
  at.pick(person, files);
  return person;
}

test(row("push-again"), async () => {
  const person = stop().person(CONFLICT);
  person.commit("Fix it, not quite", { files: { "two.txt": "2\n" } });
  expect(await stop().refusal(person, CONFLICT)).toMatch(refusalOf("markers"));
  person.commit("Fix it", { files: fixed });
  expect((await stop().taken(person, CONFLICT)).file("two.txt")).toBe("2\n");
  stop().reset();
  expect(await stop().refusal(stop().person("patches"))).toMatch(refusalOf("not-on-progress"));
  expect((await stop().taken(picked())).kind).toBe("resolution");
});

test(row("push-later"), async () => {
  const first = picked();
  const { kind, patch, commit } = await stop().taken(first);
  push(picked({ "a.txt": lines({ 10: "better" }) }), RESOLUTION);
  const decisions: Decision[] = [{ kind, patch, commit }];
  const carried = await stop().git.carry({ ...stop().recipe, decisions });
  expect(carried).toMatchObject({ kind: "conflict", subject: "Four" });
  expect(carried.kind === "conflict" && carried.ledger[1]?.commit).toBe(first.head());
  await stop().git.clearHandOff(stop().recipe.fork, "v2.0.0", { places: true, decisions: [commit] });
  expect(stop().show("for-each-ref", "--format=%(refname)", "refs/heads/patchmoi", "refs/patchmoi/decisions")).toBe("");
});

test(row("both"), async () => {
  const edited = stop().person(CONFLICT);
  edited.commit("Fix it", { files: { "a.txt": lines({ 10: "edited" }) } });
  push(edited, CONFLICT);
  const person = picked();
  expect((await stop().taken(person)).commit).toBe(person.head());
});

test(row("both-refused"), async () => {
  const edited = stop().person(CONFLICT);
  edited.commit("Fix it", { files: fixed });
  push(edited, CONFLICT);
  const person = picked({});
  const reason = await stop().refusal(person);
  expect(reason).toMatch(refusalOf("both-refused"));
  expect(reason).toMatch(refusalOf("markers"));
  person.git("push", "-q", "origin", `:${RESOLUTION}`);
  expect((await stop().accepted()).subjects).toEqual(["Two"]);
});

test(row("leftover"), async () => {
  push(stop().person("patches"), RESOLUTION);
  const edited = stop().person(CONFLICT);
  const reason = await stop().refused();
  expect(reason).toMatch(refusalOf("not-on-progress"));
  edited.commit("Fix it", { files: fixed });
  expect((await stop().taken(edited, CONFLICT)).subjects).toEqual(["Two"]);
});

test(row("skipped-before"), async () => {
  const pair = makeUpstreamAndFork(FILES);
  onTestFinished(() => pair.remove());
  pair.fork.commit("One", { files: { "a.txt": lines({ 10: "one" }) } });
  pair.fork.commit("Two", { files: { "c.txt": lines({ 10: "two" }) } });
  pair.upstream.commit("Theirs", { files: { "a.txt": lines({ 10: "theirs" }), "c.txt": lines({ 10: "theirs" }) } });
  const first = await Stop.of(pair);
  const skip: Decision = { kind: "skip", patch: first.stopped.patch, reason: "not needed" };
  // Each time the branches hold something else of the stop before, at the same progress.
  const left = [() => {}, () => push(amended, CONFLICT), () => push(edited, CONFLICT)];
  const [amended, edited] = [first.person(CONFLICT), first.person(CONFLICT)];
  edited.commit("Fix it", { files: { "a.txt": lines({ 10: "both" }) } });
  amended.write("a.txt", lines({ 10: "both" }));
  amended.git("commit", "-q", "-a", "--amend", "--no-edit");
  for (const leave of left) {
    first.reset();
    leave();
    push(amended, RESOLUTION);
    const second = await Stop.of(first.pair, [skip]);
    expect(second.stopped.progress).toBe(first.stopped.progress);
    expect(second.show("rev-parse", CONFLICT)).toBe(second.stopped.conflict);
    const person = second.person(CONFLICT);
    person.commit("Fix it", { files: { "c.txt": lines({ 10: "both" }) } });
    expect(await second.taken(person, CONFLICT)).toMatchObject({ outcomes: ["skipped", "resolved"] });
    second.reset();
  }
});

test(row("delete"), async () => {
  const person = picked();
  for (const name of [PROGRESS, CONFLICT]) person.git("push", "-q", "origin", `:${name}`);
  const { kind, patch, commit } = await stop().taken(person);
  person.git("push", "-q", "origin", `:${RESOLUTION}`);
  const decisions: Decision[] = [{ kind, patch, commit }];
  expect(await stop().git.carry({ ...stop().recipe, decisions })).toMatchObject({ kind: "conflict", subject: "Four" });
  await stop().handOver();
  expect([ref(PROGRESS), ref(CONFLICT)]).toEqual([stop().stopped.progress, stop().stopped.conflict]);
});

test(row("tag"), async () => {
  const person = picked();
  person.git("push", "-q", "origin", `HEAD:refs/tags/${RESOLUTION}`);
  expect(await stop().refused()).toMatch(refusalOf("tag"));
  expect((await stop().taken(person)).commit).toBe(person.head());
});

test(row("onto-progress"), async () => {
  const person = picked();
  expect(await stop().refusal(person, PROGRESS)).toMatch(refusalOf("onto-progress"));
  expect((await stop().taken(person)).commit).toBe(person.head());
});

test(row("again-handed-over"), async () => {
  const person = stop().person(CONFLICT);
  person.commit("Half of it", { files: { "two.txt": "2\n" } });
  push(person, CONFLICT);
  const other = picked();
  push(other, PROGRESS);
  await stop().handOver();
  expect([ref(CONFLICT), ref(PROGRESS)]).toEqual([person.head(), other.head()]);
});

test(row("while-read"), async () => {
  const [one, other] = [picked(), picked({ "a.txt": lines({ 10: "other" }) })];
  push(one, RESOLUTION);
  let reading = true;
  const reads = Promise.all([1, 2, 3].map(() => stop().git.readResolution(stop().recipe, stop().stopped))).finally(
    () => {
      reading = false;
    },
  );
  for (let n = 0; reading; n++) {
    if (n % 3 === 0) one.git("push", "-q", "origin", `:${RESOLUTION}`);
    else push(n % 3 === 1 ? other : one, RESOLUTION);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  for (const answer of await reads) {
    if (answer.kind === "refused") expect(answer.reason).toMatch(refusalOf("nothing"));
    else expect([one.head(), other.head()]).toContain("commit" in answer.decision && answer.decision.commit);
  }
});

test(row("huge"), async () => {
  const person = picked();
  person.commit("Huge", { files: { "huge.bin": Buffer.alloc(80 * 1024 * 1024, "<<<<<<< x\n") } });
  expect((await stop().taken(person)).subjects).toEqual(["Two", "Huge"]);
});

test(row("forbidden"), async () => {
  const person = picked();
  const blob = person.git("rev-parse", "HEAD:two.txt");
  const input = `100644 blob ${blob}\t.git\n`;
  const tree = execFileSync("git", ["mktree"], { cwd: person.path, input, encoding: "utf8" }).trim();
  const evil = person.git("commit-tree", "-p", "HEAD", "-m", "Evil", tree);
  person.git("push", "-q", "origin", `${evil}:refs/heads/${RESOLUTION}`);
  expect(await stop().refused()).toMatch(refusalOf("forbidden"));
  // It stands in the way of nothing else.
  await stop().handOver();
  const edited = stop().person(CONFLICT);
  person.git("push", "-q", "origin", `:${RESOLUTION}`);
  edited.commit("Fix it", { files: fixed });
  const { kind, patch, commit } = await stop().taken(edited, CONFLICT);
  person.git("push", "-q", "origin", `${evil}:refs/heads/${RESOLUTION}`);
  rmSync(join(stop().pair.directory, "data"), { recursive: true });
  const carried = await stop().git.carry({ ...stop().recipe, decisions: [{ kind, patch, commit }] });
  expect(carried).toMatchObject({ kind: "conflict", subject: "Four" });
});
