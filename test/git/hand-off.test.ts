import { rmSync } from "node:fs";
import { expect, test } from "vitest";
import type { Recipe } from "../../git/index.ts";
import { runGit, type TestRepository } from "../support/repositories.ts";
import { carryAll, carryToConflict, fileAt, lines, type Scene, scene } from "./scene.ts";

const PROGRESS = "refs/heads/patchmoi/progress/v2.0.0";
const CONFLICT = "refs/heads/patchmoi/conflict/v2.0.0";
const RESOLUTION = "refs/heads/patchmoi/resolution/v2.0.0";

/** A stack of four, whose second (a.txt) and fourth (c.txt) patch stop. */
async function stoppedScene() {
  const at = scene();
  at.fork.commit("One", { files: { "b.txt": lines({ 3: "one" }) } });
  at.fork.commit("Two", { files: { "a.txt": lines({ 10: "two" }) } });
  at.fork.commit("Three", { files: { "b.txt": lines({ 3: "one", 15: "three" }) } });
  at.fork.commit("Four", { files: { "c.txt": lines({ 10: "four" }) } });
  at.upstream.commit("Theirs", { files: { "a.txt": lines({ 10: "theirs" }), "c.txt": lines({ 10: "theirs" }) } });
  at.upstream.tag("v2.0.0");
  const recipe = await at.recipe();
  const { carried, stopped } = await carryToConflict(at, recipe);
  expect(await at.git.pushHandOff(recipe, stopped)).toMatchObject({ kind: "pushed" });
  return { at, recipe, carried, stopped };
}

/** Does what the printed commands say: start from progress, pick the stopped patch, resolve, push. */
function pick(person: TestRepository, patch: string, files: Record<string, string>): void {
  expect(person.tries("cherry-pick", patch)).toBe(false);
  for (const [name, content] of Object.entries(files)) person.write(name, content);
  person.git("add", "-A");
  person.git("-c", "core.editor=true", "cherry-pick", "--continue");
}

function startFromProgress(at: Scene): TestRepository {
  const person = at.person();
  person.git("checkout", "-q", "-b", "fix", "origin/patchmoi/progress/v2.0.0");
  return person;
}

const pushFix = (person: TestRepository, to = RESOLUTION) =>
  person.git("push", "-q", "--force", "origin", `HEAD:${to}`);
const outcomes = (ledger: { outcome: string }[]) => ledger.map(({ outcome }) => outcome);

test("two conflicts: each resolution is taken, the rest carried on top, and all of it again from an empty directory", async () => {
  const { at, recipe, stopped } = await stoppedScene();
  expect(at.forkRef(PROGRESS)).toBe(stopped.progress);
  expect(at.forkRef(CONFLICT)).toBe(stopped.conflict);
  expect(await at.git.readResolution(recipe, stopped)).toMatchObject({
    kind: "refused",
    reason: expect.stringContaining("nothing was pushed yet"),
  });
  const person = startFromProgress(at);
  pick(person, stopped.patch, { "a.txt": lines({ 10: "two and theirs" }) });
  pushFix(person);
  const first = await at.git.readResolution(recipe, stopped);
  expect(first).toEqual({
    kind: "accepted",
    decision: { kind: "resolution", patch: stopped.patch, commit: person.head() },
  });
  if (first.kind !== "accepted") return;
  const second: Recipe = { ...recipe, decisions: [first.decision] };
  const next = await carryToConflict(at, second);
  expect(outcomes(next.carried.ledger)).toEqual(["applied", "resolved", "applied", "conflict"]);
  expect(next.carried.ledger[1]).toMatchObject({
    commit: person.head(),
    evidence: expect.stringContaining(person.head()),
  });
  await at.git.pushHandOff(second, next.stopped);
  expect(at.forkRef(RESOLUTION)).toBeUndefined();
  rmSync(at.data, { recursive: true });

  const other = startFromProgress(at);
  pick(other, next.stopped.patch, { "c.txt": lines({ 10: "four and theirs" }) });
  pushFix(other);
  const last = await at.git.readResolution(second, next.stopped);
  if (last.kind !== "accepted") throw new Error(last.reason);
  const done: Recipe = { ...recipe, decisions: [first.decision, last.decision] };
  const { tip, ledger } = await carryAll(at, done);
  expect(outcomes(ledger)).toEqual(["applied", "resolved", "applied", "resolved"]);
  await at.git.pushCandidate(done, { tip, branch: "patchmoi/candidate/v2.0.0", message: "m" });
  expect(fileAt(at.forkUrl, tip, "a.txt")).toBe(lines({ 10: "two and theirs" }));
  expect(fileAt(at.forkUrl, tip, "b.txt")).toBe(lines({ 3: "one", 15: "three" }));
  const decisions = done.decisions.flatMap((each) => (each.kind === "skip" ? [] : [each.commit]));
  await at.git.clearHandOff(recipe.fork, "v2.0.0", { places: true, decisions });
  expect(
    runGit(at.forkUrl, ["for-each-ref", "--format=%(refname)", "refs/heads/patchmoi", "refs/patchmoi/decisions"]),
  ).toBe("refs/heads/patchmoi/candidate/v2.0.0");
});

test("an accepted resolution is kept when the person pushes something else and the server forgets", async () => {
  const { at, recipe, stopped } = await stoppedScene();
  const person = startFromProgress(at);
  pick(person, stopped.patch, { "a.txt": lines({ 10: "good" }) });
  pushFix(person);
  const accepted = await at.git.readResolution(recipe, stopped);
  if (accepted.kind !== "accepted") throw new Error(accepted.reason);
  person.git("push", "-q", "origin", `:${RESOLUTION}`);
  runGit(at.forkUrl, ["prune", "--expire=now"]);
  rmSync(at.data, { recursive: true });
  const next = await at.git.carry({ ...recipe, decisions: [accepted.decision] });
  expect(next).toMatchObject({ kind: "conflict", subject: "Four" });
});

test("a build that failed is fixed by commits on top, one after the other", async () => {
  const at = scene();
  at.fork.commit("One", { files: { "b.txt": lines({ 3: "one" }) } });
  at.upstream.commit("Theirs", { files: { "a.txt": lines({ 10: "theirs" }) } });
  at.upstream.tag("v2.0.0");
  let recipe = await at.recipe();
  for (const number of [1, 2]) {
    const { tip } = await carryAll(at, recipe);
    await at.git.pushHandOff(recipe, { progress: tip });
    const person = startFromProgress(at);
    expect(await at.git.readResolution(recipe, { progress: tip })).toMatchObject({ kind: "refused" });
    person.commit(`Make it build ${number}`, { files: { [`fix-${number}`]: "x\n" } });
    pushFix(person);
    const accepted = await at.git.readResolution(recipe, { progress: tip });
    if (accepted.kind !== "accepted") throw new Error(accepted.reason);
    expect(accepted.decision).toEqual({ kind: "fix", onto: tip, commit: person.head() });
    recipe = { ...recipe, decisions: [...recipe.decisions, accepted.decision] };
  }
  const { tip, ledger } = await carryAll(at, recipe);
  expect(outcomes(ledger)).toEqual(["applied"]);
  await at.git.pushCandidate(recipe, { tip, branch: "out", message: "m" });
  expect(runGit(at.forkUrl, ["log", "-3", "--format=%s", "out"])).toBe("Make it build 2\nMake it build 1\nOne");
  const wrong = { ...recipe, decisions: recipe.decisions.slice(1) };
  expect(await at.git.carry(wrong)).toMatchObject({ kind: "blocked", reason: expect.stringContaining("was made for") });
});
