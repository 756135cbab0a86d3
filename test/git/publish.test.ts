import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { PromoteInput, Push } from "../../git/index.ts";
import { runGit } from "../support/repositories.ts";
import { carryAll, lines, scene } from "./scene.ts";

async function carriedScene() {
  const at = scene();
  at.fork.commit("One", { files: { "b.txt": lines({ 3: "one" }) } });
  at.upstream.commit("Theirs", { files: { "a.txt": lines({ 10: "theirs" }) } });
  at.upstream.tag("v2.0.0");
  const recipe = await at.recipe();
  const { tip } = await carryAll(at, recipe);
  return { at, recipe, tip };
}

const candidate = { branch: "patchmoi/candidate/v2.0.0", tag: "v2.0.0-ours", message: "v2.0.0 with our patches" };
const refsOf = (push: Push) => (push.kind === "pushed" ? push.refs.map(({ ref }) => ref) : push.reason);

test("a candidate is pushed once, with its tag; another commit gets the next number for both", async () => {
  const { at, recipe, tip } = await carriedScene();
  const first = await at.git.pushCandidate(recipe, { ...candidate, tip });
  expect(first).toMatchObject({
    kind: "pushed",
    refs: [
      { kind: "branch", sha: tip },
      { kind: "tag", sha: tip },
    ],
  });
  expect(await at.git.pushCandidate(recipe, { ...candidate, tip })).toEqual(first);
  expect(runGit(at.forkUrl, ["cat-file", "-t", "refs/tags/v2.0.0-ours"])).toBe("tag");
  expect(runGit(at.forkUrl, ["rev-parse", "v2.0.0-ours^{commit}"])).toBe(tip);

  at.fork.commit("Two", { files: { "c.txt": lines({ 3: "two" }) } });
  const more = await at.recipe();
  const again = await carryAll(at, more);
  const expected = ["refs/heads/patchmoi/candidate/v2.0.0.2", "refs/tags/v2.0.0-ours.2"];
  expect(refsOf(await at.git.pushCandidate(more, { ...candidate, tip: again.tip }))).toEqual(expected);
  expect(refsOf(await at.git.pushCandidate(more, { ...candidate, tip: again.tip }))).toEqual(expected);
  expect(at.forkRef("refs/heads/patchmoi/candidate/v2.0.0")).toBe(tip);
});

test("a tag that is taken moves branch and tag to the next number together", async () => {
  const { at, recipe, tip } = await carriedScene();
  at.fork.git("push", "-q", at.forkUrl, "v1.0.0:refs/tags/v2.0.0-ours");
  expect(refsOf(await at.git.pushCandidate(recipe, { ...candidate, tip }))).toEqual([
    "refs/heads/patchmoi/candidate/v2.0.0.2",
    "refs/tags/v2.0.0-ours.2",
  ]);
});

test("two that push different candidates at once both get a name, and neither overwrites the other", async () => {
  const { at, recipe, tip } = await carriedScene();
  at.fork.commit("Two", { files: { "c.txt": lines({ 3: "two" }) } });
  const other = await at.recipe();
  const more = await carryAll(at, other);
  const pushes = await Promise.all([
    at.git.pushCandidate(recipe, { ...candidate, tip }),
    at.git.pushCandidate(other, { ...candidate, tip: more.tip }),
  ]);
  const branches = pushes.map((push) => refsOf(push)[0] as string);
  expect(branches.sort()).toEqual(["refs/heads/patchmoi/candidate/v2.0.0", "refs/heads/patchmoi/candidate/v2.0.0.2"]);
  expect(new Set(branches.map((ref) => at.forkRef(ref)))).toEqual(new Set([tip, more.tip]));
});

test("a tip that the recipe does not carry to is not pushed", async () => {
  const { at, recipe } = await carriedScene();
  expect(await at.git.pushCandidate(recipe, { ...candidate, tip: recipe.tip })).toMatchObject({ kind: "blocked" });
  expect(at.forkRef("refs/heads/patchmoi/candidate/v2.0.0")).toBeUndefined();
});

const internal = { channel: "internal", branch: "internal", movePatchBranch: false, message: "m" } as const;

test("a channel is made, is moved on from what was left there, and is a no-op when it is there", async () => {
  const { at, recipe, tip } = await carriedScene();
  await at.git.pushCandidate(recipe, { ...candidate, tip });
  const input: PromoteInput = { ...internal, candidate: tip };
  const expected = { kind: "pushed", refs: [{ kind: "channel", ref: "refs/heads/internal", sha: tip }] };
  expect(await at.git.promote(recipe, input)).toEqual(expected);
  expect(await at.git.promote(recipe, input)).toEqual(expected);
  expect(at.forkRef("refs/patchmoi/channels/internal")).toBe(tip);

  at.upstream.commit("More", { files: { "a.txt": lines({ 10: "theirs again" }) } });
  at.upstream.git("tag", "-f", "v2.0.0");
  const next = await at.recipe();
  const carried = await carryAll(at, next);
  await at.git.pushCandidate(next, { ...candidate, tip: carried.tip });
  expect(await at.git.promote(next, { ...internal, candidate: carried.tip })).toMatchObject({ kind: "pushed" });
  expect(at.forkRef("refs/heads/internal")).toBe(carried.tip);
});

test("promotion over a commit that nobody else holds is refused and names it; over upstream's it is not", async () => {
  const { at, recipe, tip } = await carriedScene();
  const person = at.person();
  person.git("push", "-q", "origin", "HEAD:refs/heads/internal");
  expect(await at.git.promote(recipe, { ...internal, candidate: tip })).toMatchObject({ kind: "pushed" });
  person.git("fetch", "-q");
  person.git("checkout", "-q", "-B", "internal", "origin/internal");
  const foreign = person.commit("Hot fix", { files: { "hot.txt": "x\n" } });
  person.git("push", "-q", "origin", "HEAD:refs/heads/internal");
  at.fork.commit("Two", { files: { "c.txt": lines({ 3: "two" }) } });
  const next = await at.recipe();
  const carried = await carryAll(at, next);
  const answer = await at.git.promote(next, { ...internal, candidate: carried.tip, tag: "internal-2" });
  expect(answer).toMatchObject({
    kind: "blocked",
    reason: expect.stringContaining(`${foreign.slice(0, 12)} "Hot fix"`),
  });
  expect(at.forkRef("refs/heads/internal")).toBe(foreign);
  expect(at.forkRef("refs/tags/internal-2")).toBeUndefined();
});

test("the patch branch moves with the public channel, in one push, under a lease on the tip", async () => {
  const { at, recipe, tip } = await carriedScene();
  const input: PromoteInput = {
    channel: "public",
    branch: "main-ours",
    tag: "ours-2",
    candidate: tip,
    movePatchBranch: true,
    message: "m",
  };
  const moved = at.person();
  moved.git("checkout", "-q", "patches");
  moved.commit("Somebody's new patch", { files: { "new.txt": "x\n" } });
  moved.git("push", "-q", "origin", "patches");
  const refused = await at.git.promote(recipe, input);
  const [from, to] = [recipe.tip.slice(0, 12), moved.head().slice(0, 12)];
  expect(refused).toMatchObject({ kind: "blocked", reason: expect.stringContaining(`moved from ${from} to ${to}`) });
  expect(at.forkRef("refs/heads/main-ours")).toBeUndefined();
  moved.git("push", "-q", "--force", "origin", `${recipe.tip}:refs/heads/patches`);
  const done = await at.git.promote(recipe, input);
  expect(refsOf(done)).toEqual(["refs/heads/patches", "refs/heads/main-ours", "refs/tags/ours-2"]);
  expect(at.forkRef("refs/heads/patches")).toBe(tip);
  // Once more after a crash, when the old tip is gone from the fork.
  runGit(at.forkUrl, ["prune", "--expire=now"]);
  expect(await at.git.promote(recipe, input)).toEqual(done);
  expect(await at.plan()).toMatchObject({ kind: "nothing", reason: expect.stringContaining("already sits on v2.0.0") });
});

test("a channel's tag is never moved: another commit gets the next number", async () => {
  const { at, recipe, tip } = await carriedScene();
  at.fork.git("push", "-q", at.forkUrl, "v1.0.0:refs/tags/stable");
  const before = at.forkRef("refs/tags/stable");
  const answer = await at.git.promote(recipe, { ...internal, candidate: tip, tag: "stable" });
  expect(answer).toMatchObject({ kind: "pushed" });
  expect(at.forkRef("refs/tags/stable")).toBe(before);
  expect((await at.git.listRefs(recipe.fork, ["refs/tags/stable.2"])).get("refs/tags/stable.2")).toBe(tip);
});

test("a stack that upstream has whole leaves nothing, and the range-diff says so", async () => {
  const at = scene();
  at.fork.commit("Theirs by now", { files: { "a.txt": lines({ 10: "ten" }) } });
  at.upstream.commit("Theirs by now", { files: { "a.txt": lines({ 10: "ten" }) } });
  at.upstream.tag("v2.0.0");
  const recipe = await at.recipe();
  const { tip, rangeDiff } = await carryAll(at, recipe);
  expect(tip).toBe(recipe.release);
  expect(rangeDiff).toMatch(/^1: {2}\w+ < -: {2}-+ Theirs by now$/);
});

test("the range-diff tells every patch, and an exported tree has its files and no repository", async () => {
  const at = scene({
    "a.txt": lines(),
    ".gitattributes": "hidden export-ignore\n*.crlf text eol=crlf\n",
    hidden: "x\n",
    "w.crlf": "1\n2\n",
  });
  at.fork.commit("One", { files: { "deep/er/b.txt": "one\n" } });
  at.upstream.commit("Theirs", { files: { "a.txt": lines({ 10: "theirs" }) } });
  at.upstream.tag("v2.0.0");
  const recipe = await at.recipe();
  const { tip, rangeDiff } = await carryAll(at, recipe);
  expect(rangeDiff).toMatch(/^1:\s+\w+ = 1:\s+\w+ One$/);
  const directory = join(at.directory, "export");
  await at.git.exportTree(recipe, tip, directory);
  expect(readFileSync(join(directory, "deep/er/b.txt"), "utf8")).toBe("one\n");
  expect(readFileSync(join(directory, "hidden"), "utf8")).toBe("x\n");
  expect(readFileSync(join(directory, "w.crlf"), "utf8")).toBe("1\r\n2\r\n");
  expect(existsSync(join(directory, ".git"))).toBe(false);
  await expect(at.git.exportTree(recipe, tip, directory)).rejects.toThrow(/is not empty/);
});
