import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import type { Decision } from "../../domain/attempt.ts";
import { makeUpstreamAndFork, type UpstreamAndFork } from "../support/repositories.ts";
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

async function another(tell: (pair: UpstreamAndFork) => void): Promise<Stop> {
  const pair = makeUpstreamAndFork(FILES);
  onTestFinished(() => pair.remove());
  tell(pair);
  return Stop.of(pair);
}

test(row("nothing"), async () => {
  expect(await stop().refused()).toMatch(refusalOf("nothing"));
});

test(row("progress-itself"), async () => {
  expect(await stop().refusal(stop().person())).toMatch(refusalOf("progress-itself"));
  stop().reset();
  expect(await stop().refusal(stop().person(), CONFLICT)).toMatch(refusalOf("progress-itself"));
});

test(row("conflict-itself"), async () => {
  expect(await stop().refusal(stop().person(CONFLICT))).toMatch(refusalOf("conflict-itself"));
});

test(row("not-on-progress"), async () => {
  expect(await stop().refusal(stop().person("patches"))).toMatch(refusalOf("not-on-progress"));
  const person = picked();
  person.git("reset", "-q", "--hard", `origin/${PROGRESS}`);
  person.git("commit", "-q", "--amend", "-m", "One, amended");
  person.commit("Two", { files: fixed });
  expect(await stop().refusal(person)).toMatch(refusalOf("not-on-progress"));
});

test(row("old-progress"), async () => {
  const first = await another(fivePatches);
  const old = first.person();
  first.pick(old, fixed);
  const { kind, patch, commit } = await first.taken(old);
  const second = await Stop.of(first.pair, [{ kind, patch, commit }]);
  old.git("reset", "-q", "--hard", first.stopped.progress);
  second.pick(old, { "c.txt": lines({ 10: "four and theirs" }) });
  expect(await second.refusal(old)).toMatch(refusalOf("old-progress"));
  const person = second.person();
  second.pick(person, { "c.txt": lines({ 10: "four and theirs" }) });
  expect((await second.taken(person)).carried.kind).toBe("carried");
});

test(row("unrelated"), async () => {
  const person = stop().person();
  person.git("checkout", "-q", "--orphan", "other");
  person.commit("Two", { files: fixed });
  expect(await stop().refusal(person)).toMatch(refusalOf("unrelated"));
  person.git("checkout", "-q", "--detach", `origin/${PROGRESS}`);
  person.git("merge", "-q", "--allow-unrelated-histories", "-s", "ours", "-m", "Two", "other");
  expect(await stop().refusal(person)).toMatch(refusalOf("merge-upstream"));
});

test(row("merge-upstream"), async () => {
  const { upstream } = stop().pair;
  upstream.git("checkout", "-q", "-b", "next");
  upstream.commit("Later", { files: { "later.txt": "x\n" } });
  const person = picked();
  person.git("pull", "-q", "--no-rebase", "--no-edit", upstream.path, "next");
  expect(await stop().refusal(person)).toMatch(refusalOf("merge-upstream"));
  upstream.git("checkout", "-q", "main");
});

test(row("merge-patches"), async () => {
  const person = stop().person(CONFLICT);
  person.commit("Fix it", { files: fixed });
  person.git("merge", "-q", "-s", "ours", "-m", "Merge branch 'patches' into conflict", "origin/patches");
  expect(await stop().refusal(person, CONFLICT)).toMatch(refusalOf("merge-patches"));
});

test(row("too-many"), async () => {
  const person = stop().person();
  const commits = Array.from({ length: 5_000 }, (_, n) => {
    const from = n === 0 ? `from ${stop().stopped.progress}\n` : "";
    return `commit refs/heads/many\ncommitter P <p@example.org> ${n} +0000\ndata 2\nx\n${from}\n`;
  });
  execFileSync("git", ["fast-import", "--quiet"], { cwd: person.path, input: commits.join("") });
  person.git("checkout", "-q", "--detach", "many");
  expect(await stop().refusal(person)).toMatch(refusalOf("too-many"));
});

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
  const first = await another(({ fork, upstream }) => {
    fork.commit("One", { files: { "a.txt": lines({ 10: "one" }) } });
    fork.commit("Two", { files: { "c.txt": lines({ 10: "two" }) } });
    upstream.commit("Theirs", { files: { "a.txt": lines({ 10: "theirs" }), "c.txt": lines({ 10: "theirs" }) } });
  });
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

test(row("two-workers"), async () => {
  const edited = stop().person(CONFLICT);
  edited.commit("Fix it", { files: fixed });
  push(edited, CONFLICT);
  const read = () => stop().git.readResolution(stop().recipe, stop().stopped);
  const [one, other] = await Promise.all([read(), read()]);
  expect(one).toMatchObject({ kind: "accepted" });
  expect(other).toEqual(one);
  expect(await read()).toEqual(one);
  const { decision } = one as { decision: { commit: string } };
  expect(stop().show("for-each-ref", "--format=%(refname)", "refs/patchmoi/decisions")).toBe(
    `refs/patchmoi/decisions/v2.0.0/${decision.commit}`,
  );
});

/** What the served fork does when something is pushed to what is remembered. */
function onRemembering(script: string): void {
  const hook = join(stop().pair.forkUrl, "hooks", "update");
  mkdirSync(dirname(hook), { recursive: true });
  writeFileSync(hook, `#!/bin/sh\ncase "$1" in refs/patchmoi/resolutions/*) ${script} ;; esac\n`, { mode: 0o755 });
  // The engine's own configuration switches hooks off, also of repositories on this machine.
  stop().show("config", "core.hooksPath", dirname(hook));
  onTestFinished(() => rmSync(hook));
}

test("a resolution that the fork will not remember is taken all the same, and that is said", async () => {
  onRemembering("echo not here >&2; exit 1");
  const person = picked();
  push(person, RESOLUTION);
  const answer = await stop().git.readResolution(stop().recipe, stop().stopped);
  expect(answer).toMatchObject({
    kind: "accepted",
    decision: { commit: person.head() },
    warning: expect.stringMatching(
      /^the resolution of .* "Two" is taken, but the fork does not remember it .*not here/s,
    ),
  });
});

test("a worker that dies between keeping a resolution and telling of it has lost nothing", async () => {
  onRemembering("touch remembering; sleep 2");
  const person = picked();
  push(person, RESOLUTION);
  const died = new AbortController();
  const read = stop().git.readResolution(stop().recipe, stop().stopped, died.signal);
  while (!existsSync(join(stop().pair.forkUrl, "remembering"))) await new Promise((resolve) => setTimeout(resolve, 20));
  died.abort();
  await expect(read).rejects.toMatchObject({ kind: "cancelled" });
  person.git("push", "-q", "origin", `:${RESOLUTION}`);
  expect(stop().show("for-each-ref", "--format=%(objectname)", "refs/patchmoi/decisions")).toBe(person.head());
  expect((await stop().taken(person)).commit).toBe(person.head());
});
