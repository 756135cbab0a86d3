import { join } from "node:path";
import { expect, test } from "vitest";
import { type Git, openGit, type Recipe } from "../../git/index.ts";
import { runGit, type TestRepository } from "../support/repositories.ts";
import { carryToConflict, engineOptions, fileAt, lines, type Scene, scene } from "./scene.ts";

/** A person resolves the patch "Two" on v2.0.0, and adapts a file that did not conflict. Upstream goes on to v2.1.0. */
async function resolved() {
  const at = scene();
  at.fork.commit("One", { files: { "b.txt": lines({ 3: "one" }) } });
  at.fork.commit("Two", { files: { "a.txt": lines({ 10: "two" }) } });
  at.fork.commit("Three", { files: { "b.txt": lines({ 3: "one", 15: "three" }) } });
  at.upstream.commit("Theirs", { files: { "a.txt": lines({ 10: "theirs" }) } });
  at.upstream.tag("v2.0.0");
  const recipe = await at.recipe();
  const { stopped } = await carryToConflict(at, recipe);
  await at.git.pushHandOff(recipe, stopped);
  const person = at.person();
  person.git("checkout", "-q", "--detach", "origin/patchmoi/progress/v2.0.0");
  pick(person, stopped.patch, { "a.txt": lines({ 10: "two and theirs" }), "c.txt": lines({ 5: "adapted" }) });
  person.git("push", "-q", "origin", "HEAD:refs/heads/patchmoi/resolution/v2.0.0");
  const answer = await at.git.readResolution(recipe, stopped);
  if (answer.kind !== "accepted") throw new Error(answer.reason);
  at.upstream.commit("Newer", {
    files: { "a.txt": lines({ 1: "newer", 10: "theirs" }), "c.txt": lines({ 18: "newer" }) },
  });
  at.upstream.tag("v2.1.0");
  return { at, person, next: await recipeFor(at, "v2.1.0") };
}

function pick(person: TestRepository, patch: string, files: Record<string, string>): void {
  expect(person.tries("cherry-pick", patch)).toBe(false);
  for (const [name, content] of Object.entries(files)) person.write(name, content);
  person.git("add", "-A");
  person.git("-c", "core.editor=true", "cherry-pick", "--continue");
}

async function recipeFor(at: Scene, name: string): Promise<Recipe> {
  at.publish();
  const target = { name, ref: `refs/tags/${name}` };
  const found = await at.plan({ target });
  if (found.kind !== "carry") throw new Error(found.reason);
  const { release, tip, base } = found;
  return {
    upstream: { url: at.upstreamUrl },
    fork: { url: at.forkUrl },
    patchBranch: "patches",
    target,
    release,
    tip,
    base,
    decisions: [],
  };
}

let machines = 0;
const elsewhere = (at: Scene): Git => openGit(engineOptions(join(at.directory, `machine-${++machines}`)));

test("resolved by hand on v2.0.0, carried to v2.1.0 on another machine without a stop, with its source in the ledger", async () => {
  const { at, person, next } = await resolved();
  const [machine, third] = [elsewhere(at), elsewhere(at)];
  const carried = await machine.carry(next);
  if (carried.kind !== "carried") throw new Error(JSON.stringify(carried));
  const [entry] = await machine.listResolutions({ url: at.forkUrl });
  expect(entry).toMatchObject({ subject: "Two", release: "v2.0.0", commit: person.head(), files: ["a.txt"] });
  const key = entry?.key as string;
  const { patch, commit, evidence } = carried.ledger[1] ?? {};
  const by = expect.stringMatching(/.+, for v2\.0\.0$/);
  expect(carried.remembered).toEqual([{ kind: "resolution", patch, commit, by, memory: key }]);
  expect(carried.ledger.map(({ outcome }) => outcome)).toEqual(["applied", "resolved", "applied"]);
  expect(evidence).toContain(key);
  const decided = { ...next, decisions: carried.remembered };
  expect(await third.carry(decided)).toMatchObject({ kind: "carried", tip: carried.tip, remembered: [] });
  const pushed = await third.pushCandidate(decided, { tip: carried.tip, branch: "out", message: "m" });
  expect(pushed).toMatchObject({ kind: "pushed" });
  expect(fileAt(at.forkUrl, carried.tip, "a.txt")).toBe(lines({ 1: "newer", 10: "two and theirs" }));
  expect(fileAt(at.forkUrl, carried.tip, "b.txt")).toBe(lines({ 3: "one", 15: "three" }));
  expect(fileAt(at.forkUrl, carried.tip, "c.txt")).toBe(lines({ 5: "adapted", 18: "newer" }));
});

test("a replay of the same release resolves it too; what was forgotten stops again, and so does another conflict", async () => {
  const { at, next } = await resolved();
  expect(await elsewhere(at).carry(await recipeFor(at, "v2.0.0"))).toMatchObject({ kind: "carried" });
  at.upstream.commit("Other", { files: { "a.txt": lines({ 1: "newer", 10: "other" }) } });
  at.upstream.tag("v2.2.0");
  expect(await elsewhere(at).carry(await recipeFor(at, "v2.2.0"))).toMatchObject({ kind: "conflict", subject: "Two" });
  const [entry] = await at.git.listResolutions({ url: at.forkUrl });
  expect(await at.git.forgetResolution({ url: at.forkUrl }, entry?.key as string)).toBe(true);
  expect(await at.git.carry(next)).toMatchObject({ kind: "conflict", subject: "Two", remembered: [] });
});

test("what a person made of a stopped merge is made of it again", async () => {
  const at = scene();
  at.fork.git("checkout", "-q", "-b", "topic");
  at.fork.commit("Topic", { files: { "b.txt": lines({ 3: "topic" }) } });
  at.fork.git("checkout", "-q", "patches");
  at.fork.commit("Line", { files: { "a.txt": lines({ 3: "line" }) } });
  at.fork.git("merge", "-q", "--no-commit", "topic");
  at.fork.commit("Merge the topic", { files: { "c.txt": lines({ 10: "by hand" }) } });
  at.upstream.commit("Theirs", { files: { "c.txt": lines({ 10: "theirs" }) } });
  at.upstream.tag("v2.0.0");
  const recipe = await at.recipe();
  const { carried, stopped } = await carryToConflict(at, recipe);
  expect(carried).toMatchObject({ isMerge: true, files: ["c.txt"] });
  await at.git.pushHandOff(recipe, stopped);
  const person = at.person();
  person.git("checkout", "-q", "patchmoi/conflict/v2.0.0");
  person.commit("Both", { files: { "c.txt": lines({ 10: "theirs, by hand" }) } });
  person.git("push", "-q", "origin", "HEAD");
  expect(await at.git.readResolution(recipe, stopped)).toMatchObject({ kind: "accepted" });
  at.upstream.commit("Newer", { files: { "c.txt": lines({ 1: "newer", 10: "theirs" }) } });
  at.upstream.tag("v2.1.0");
  const machine = elsewhere(at);
  const next = await recipeFor(at, "v2.1.0");
  const again = await machine.carry(next);
  if (again.kind !== "carried") throw new Error(JSON.stringify(again));
  expect(again.ledger.map(({ outcome }) => outcome)).toEqual(["applied", "applied", "resolved"]);
  const decided = { ...next, decisions: again.remembered };
  await machine.pushCandidate(decided, { tip: again.tip, branch: "out", message: "m" });
  expect(fileAt(at.forkUrl, again.tip, "c.txt")).toBe(lines({ 1: "newer", 10: "theirs, by hand" }));
  expect(runGit(at.forkUrl, ["log", "-1", "--format=%P", again.tip]).split(" ")).toHaveLength(2);
});
