import { execFileSync } from "node:child_process";
import { expect, onTestFinished, test } from "vitest";
import { makeUpstreamAndFork } from "../support/repositories.ts";
import { refusalOf, row } from "./hand-off-table.ts";
import { lines } from "./scene.ts";
import { aStop, CONFLICT, FILES, fivePatches, PROGRESS, Stop } from "./stopped.ts";

const stop = aStop(fivePatches);
const fixed = { "a.txt": lines({ 10: "two and theirs" }) };

function picked() {
  const person = stop().person();
  stop().pick(person, fixed);
  return person;
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
  const pair = makeUpstreamAndFork(FILES);
  onTestFinished(() => pair.remove());
  fivePatches(pair);
  const first = await Stop.of(pair);
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
