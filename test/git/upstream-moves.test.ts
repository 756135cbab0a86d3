/** What upstream does to a patch, to its files, to its history and to its tags. */

import { rmSync } from "node:fs";
import { expect, test } from "vitest";
import type { Carried } from "../../git/index.ts";
import { runGit } from "../support/repositories.ts";
import { carryAll, fileAt, lines, rebased, type Scene, scene } from "./scene.ts";
import { type Story, stories, type Told } from "./stories.ts";

const at = stories();

const a = (changes: Record<number, string>) => ({ "a.txt": lines(changes) });
const b = (changes: Record<number, string>) => ({ "b.txt": lines(changes) });
const base = { "a.txt": lines(), "b.txt": lines() };
const ours: Told = { name: "patch", message: "Fix it", files: a({ 10: "fixed" }) };
const later: Told = { message: "Later", files: b({ 15: "later" }) };
const goesOn: Told = { message: "Goes on", files: b({ 1: "up" }) };

const outcomes = (carried: Carried) => (carried.kind === "blocked" ? [] : carried.ledger.map(({ outcome }) => outcome));
const evidenceOf = (carried: Carried) => (carried.kind === "blocked" ? undefined : carried.ledger[0]?.evidence);
const short = (story: Story, name: string) => story.ids[name] as string;

test("a patch that upstream took whole is dropped by its commit, and the rest is a rebase without it", async () => {
  const story = at.tell({
    base,
    upstream: [{ ...ours, name: "taker", message: "Theirs" }, goesOn],
    stack: [ours, later],
  });
  const carried = await story.sameAsRebase({ taken: true });
  expect(outcomes(carried)).toEqual(["dropped", "applied"]);
  expect(evidenceOf(carried)).toContain(short(story, "taker"));
});

test("a patch that upstream took in other surroundings is dropped as empty by its commit, as a rebase does", async () => {
  const story = at.tell({
    base,
    upstream: [{ files: a({ 8: "up" }) }, { name: "taker", files: a({ 8: "up", 10: "fixed" }) }, goesOn],
    stack: [ours, later],
  });
  const carried = await story.sameAsRebase();
  expect(outcomes(carried)).toEqual(["dropped", "applied"]);
  expect(evidenceOf(carried)).toContain(short(story, "taker"));
});

test("a patch that upstream took and then changed further is dropped, where a plain rebase stops", async () => {
  const story = at.tell({
    base,
    upstream: [{ ...ours, name: "taker" }, { files: a({ 10: "fixed, and better" }) }, goesOn],
    stack: [ours, later],
  });
  const carried = await story.sameAsRebase({ taken: true });
  expect(outcomes(carried)).toEqual(["dropped", "applied"]);
  expect(evidenceOf(carried)).toContain(short(story, "taker"));
  expect(await story.rebase()).toMatchObject({ patch: story.ids.patch });
});

test("a patch that upstream took changed, in one commit, stops and names that commit", async () => {
  const story = at.tell({
    base,
    upstream: [{ name: "taker", files: a({ 10: "fixed, and better" }) }, goesOn],
    stack: [ours, later],
  });
  const carried = await story.sameAsRebase();
  expect(carried).toMatchObject({ kind: "conflict", files: ["a.txt"] });
  expect(carried.kind === "conflict" && carried.upstreamCommits[0]?.commit).toBe(story.ids.taker);
});

test.each([
  ["one file of two", { ...a({ 10: "fixed" }), ...b({ 10: "fixed" }) }, a({ 10: "fixed" })],
  ["one place of two", a({ 3: "fixed", 17: "fixed" }), a({ 3: "fixed" })],
])(
  "a patch of which upstream took %s becomes smaller, as with a rebase, and the attempt says so",
  async (_, whole, half) => {
    const story = at.tell({
      base,
      upstream: [{ name: "taker", files: half }, { files: { VERSION: "2\n" } }],
      stack: [{ name: "patch", message: "Fix it", files: whole }, { files: { last: "x\n" } }],
    });
    const carried = await story.sameAsRebase();
    expect(outcomes(carried)).toEqual(["applied", "applied"]);
    expect(carried).toMatchObject({ warnings: [expect.stringContaining((story.ids.patch as string).slice(0, 12))] });
  },
);

test("a patch of which upstream took half of one place stops", async () => {
  const story = at.tell({
    base,
    upstream: [{ name: "taker", files: a({ 10: "fixed" }) }, goesOn],
    stack: [{ files: a({ 10: "fixed", 11: "fixed" }) }, later],
  });
  expect(await story.sameAsRebase()).toMatchObject({ kind: "conflict", files: ["a.txt"] });
});

test("a patch that upstream took and reverted is carried, as with a plain rebase", async () => {
  const story = at.tell({ base, upstream: [ours, { files: a({}) }, goesOn], stack: [{ ...ours, name: "own" }, later] });
  expect(outcomes(await story.sameAsRebase())).toEqual(["applied", "applied"]);
});

test("a patch that upstream took, reverted and took again is dropped by the second taking", async () => {
  const story = at.tell({
    base,
    upstream: [{ files: a({ 10: "fixed" }) }, { files: a({}) }, { name: "taker", files: a({ 10: "fixed" }) }, goesOn],
    stack: [ours, later],
  });
  const carried = await story.sameAsRebase({ taken: true });
  expect(outcomes(carried)).toEqual(["dropped", "applied"]);
  expect(evidenceOf(carried)).toContain(short(story, "taker"));
});

test("two patches that upstream took as one are dropped as empty, as a rebase does", async () => {
  const story = at.tell({
    base,
    upstream: [{ name: "taker", files: a({ 3: "one", 17: "two" }) }, goesOn],
    stack: [{ files: a({ 3: "one" }) }, { files: a({ 3: "one", 17: "two" }) }, later],
  });
  const carried = await story.sameAsRebase();
  expect(outcomes(carried)).toEqual(["dropped", "dropped", "applied"]);
  expect(evidenceOf(carried)).toContain(short(story, "taker"));
});

test("a patch that upstream took by a merge of a pull request is dropped by the commit inside", async () => {
  const story = at.tell({
    base,
    upstream: [
      { name: "taker", on: ["base"], files: a({ 10: "fixed" }) },
      { name: "line", on: ["base"], files: b({ 1: "up" }) },
      { on: ["line", "taker"], files: a({ 10: "fixed" }) },
    ],
    stack: [ours, later],
  });
  const carried = await story.sameAsRebase({ taken: true });
  expect(evidenceOf(carried)).toContain(short(story, "taker"));
});

/** The upstream commits that the stop names, with what they did. */
const named = (carried: Carried) =>
  carried.kind === "conflict" ? carried.upstreamCommits.map(({ commit, what }) => ({ commit, what })) : [];

test("a patched file that upstream deleted stops, and names the deleting commit", async () => {
  const story = at.tell({
    base,
    upstream: [goesOn, { name: "deletes", files: { "a.txt": null } }, { files: { VERSION: "2\n" } }],
    stack: [ours, later],
  });
  const carried = await story.sameAsRebase();
  expect(carried).toMatchObject({ kind: "conflict", files: ["a.txt"] });
  expect(named(carried)).toEqual([{ commit: story.ids.deletes, what: "deletes a.txt" }]);
});

test("a patched file whose directory upstream deleted stops, and names the deleting commit", async () => {
  const story = at.tell({
    base: { "old/a.txt": lines(), "old/b.txt": lines(), "c.txt": lines() },
    upstream: [{ name: "deletes", files: { old: null } }, { files: { VERSION: "2\n" } }],
    stack: [{ files: { "old/a.txt": lines({ 10: "fixed" }) } }],
  });
  const carried = await story.sameAsRebase();
  expect(carried).toMatchObject({ kind: "conflict", files: ["old/a.txt"] });
  expect(named(carried)).toEqual([{ commit: story.ids.deletes, what: "deletes old/a.txt" }]);
});

test("a patched file that upstream renamed and then changed at the same place stops, and names both commits", async () => {
  const story = at.tell({
    base,
    upstream: [
      { name: "renames", files: { "a.txt": null, "moved/a.txt": lines() } },
      { name: "changes", files: { "moved/a.txt": lines({ 10: "theirs" }) } },
      goesOn,
    ],
    stack: [ours, later],
  });
  const carried = await story.sameAsRebase();
  expect(carried).toMatchObject({ kind: "conflict", files: ["moved/a.txt"] });
  expect(named(carried)).toHaveLength(2);
  expect(named(carried)).toContainEqual({ commit: story.ids.changes, what: undefined });
  expect(named(carried)).toContainEqual({ commit: story.ids.renames, what: "renames a.txt to moved/a.txt" });
});

test("a patched file that upstream renamed and wrote anew stops, and names the renaming commit", async () => {
  const anew = Array.from({ length: 40 }, (_, index) => `another text ${index}\n`).join("");
  const story = at.tell({
    base,
    upstream: [
      { name: "renames", files: { "a.txt": null, "moved.txt": lines() } },
      { name: "rewrites", files: { "moved.txt": anew } },
      goesOn,
    ],
    stack: [ours, later],
  });
  const carried = await story.sameAsRebase();
  expect(carried).toMatchObject({ kind: "conflict", files: ["a.txt"] });
  expect(named(carried)).toContainEqual({ commit: story.ids.renames, what: "renames a.txt to moved.txt" });
});

test("a patched file in a directory that upstream moved is patched where it is now, as with a rebase", async () => {
  const story = at.tell({
    base: { "old/a.txt": lines(), "old/b.txt": lines() },
    upstream: [{ files: { old: null, "new/a.txt": lines({ 1: "up" }), "new/b.txt": lines() } }],
    stack: [{ files: { "old/a.txt": lines({ 10: "fixed" }) } }],
  });
  expect(outcomes(await story.sameAsRebase())).toEqual(["applied"]);
});

test("a patched file that upstream deleted, with another one of the same text there, never patches that one", async () => {
  const story = at.tell({
    base: { "one/a.txt": lines(), "two/a.txt": lines() },
    upstream: [{ files: { "one/a.txt": null } }],
    stack: [{ files: { "one/a.txt": lines({ 10: "fixed" }) } }],
  });
  expect(await story.sameAsRebase()).toMatchObject({ kind: "conflict", files: ["one/a.txt"] });
});

test("a release on a side branch that began before the base takes what base has beyond it out, as rebase --onto does", async () => {
  const story = at.tell({
    base,
    upstream: [
      { name: "main", files: b({ 1: "main" }) },
      { name: "side", on: ["base"], files: b({ 20: "side" }) },
    ],
    stack: [{ ...ours, on: ["main"] }, { files: a({ 10: "fixed", 15: "more" }) }],
  });
  runGit(at.upstreamUrl, ["branch", `main-of-${story.branch}`, story.ids.main as string]);
  runGit(at.upstreamUrl, ["tag", `v1.5.0-${story.branch}`, story.ids.main as string]);
  expect(await story.plan()).toMatchObject({ kind: "carry", base: story.ids.main, patches: 2 });
  expect(outcomes(await story.sameAsRebase())).toEqual(["applied", "applied"]);
});

/** An upstream at v2.0.0 and a fork with two patches on v1.0.0. */
function ordinary(): Scene {
  const here = scene(base);
  here.fork.commit("One", { files: a({ 10: "one" }) });
  here.fork.commit("Two", { files: { "two.txt": "two\n" } });
  here.upstream.commit("Goes on", { files: b({ 1: "up" }) });
  return here;
}

test("a lightweight tag, an annotated one and a tag of a tag give the same candidate", async () => {
  const here = ordinary();
  here.upstream.git("tag", "light");
  here.upstream.tag("annotated");
  here.upstream.tag("of-a-tag", "annotated");
  here.upstream.tag("v2.0.0", "of-a-tag");
  const recipe = await here.recipe();
  const { tip } = await carryAll(here, recipe);
  expect(tip).toBe(rebased(here, recipe));
  for (const name of ["light", "annotated", "of-a-tag"]) {
    const target = { name, ref: `refs/tags/${name}` };
    const found = await here.plan({ target });
    expect(found).toMatchObject({ kind: "carry", release: recipe.release });
    expect((await carryAll(here, { ...recipe, target })).tip).toBe(tip);
  }
});

test("a tag of a tree, of a blob, and a tag of a tag of a blob block and say so", async () => {
  const here = ordinary();
  const tagged = { tree: "HEAD^{tree}", blob: "HEAD:a.txt", "nested-blob": "blob" };
  here.upstream.tag("v2.0.0");
  for (const [name, what] of Object.entries(tagged)) here.upstream.git("tag", "-a", "-m", name, name, what);
  here.upstream.git("tag", "light-tree", "HEAD^{tree}");
  here.publish();
  for (const name of [...Object.keys(tagged), "light-tree"]) {
    const found = await here.plan({ target: { name, ref: `refs/tags/${name}` } });
    expect(found).toMatchObject({ kind: "blocked", reason: expect.stringContaining("does not stand for a commit") });
  }
});

test("a tag that moves between the plan and the carry changes nothing for this attempt", async () => {
  const here = ordinary();
  here.upstream.tag("v2.0.0");
  const recipe = await here.recipe();
  const { tip } = await carryAll(here, recipe);
  here.upstream.commit("Again", { files: b({ 1: "up again" }) });
  here.upstream.git("tag", "-f", "-a", "-m", "moved", "v2.0.0");
  here.publish();
  rmSync(here.data, { recursive: true });
  expect((await carryAll(here, recipe)).tip).toBe(tip);
});

test("a tag that moved to where the old commit is on no ref any more blocks an attempt that has to fetch it anew", async () => {
  const here = ordinary();
  here.upstream.tag("v2.0.0");
  const recipe = await here.recipe();
  here.upstream.git("reset", "-q", "--hard", "HEAD~1");
  here.upstream.commit("Another way", { files: b({ 1: "another" }) });
  here.upstream.git("tag", "-f", "-a", "-m", "moved", "v2.0.0");
  here.publish();
  // With its mirror it goes on; without it nobody has the commit.
  expect((await carryAll(here, recipe)).tip).toBe(rebased(here, { ...recipe, release: recipe.release }));
  rmSync(here.data, { recursive: true });
  runGit(here.upstreamUrl, ["prune", "--expire=now"]);
  expect(await here.git.carry(recipe)).toMatchObject({
    kind: "blocked",
    reason: expect.stringMatching(/moved or taken back/),
  });
});

test("a tag that moves after its candidate was pushed: a replay pushes the next number, and the first stays", async () => {
  const here = ordinary();
  here.upstream.tag("v2.0.0");
  const first = await here.recipe();
  const push = (recipe: typeof first, tip: string) =>
    here.git.pushCandidate(recipe, { tip, branch: "candidate/v2.0.0", tag: "v2.0.0-ours", message: "m" });
  const { tip } = await carryAll(here, first);
  expect(await push(first, tip)).toMatchObject({ kind: "pushed" });
  here.upstream.commit("Again", { files: b({ 1: "up again" }) });
  here.upstream.git("tag", "-f", "-a", "-m", "moved", "v2.0.0");
  const second = await here.recipe();
  expect(second.release).not.toBe(first.release);
  const again = await carryAll(here, second);
  expect(await push(second, again.tip)).toMatchObject({ kind: "pushed" });
  expect(here.forkRef("refs/heads/candidate/v2.0.0")).toBe(tip);
  expect(here.forkRef("refs/heads/candidate/v2.0.0.2")).toBe(again.tip);
  expect(runGit(here.forkUrl, ["rev-parse", "v2.0.0-ours.2^{commit}"])).toBe(again.tip);
});

test("a release that is older than the base, on the same line, is nothing to carry", async () => {
  const here = ordinary();
  here.upstream.tag("v2.0.0");
  here.upstream.commit("More", { files: b({ 2: "up" }) });
  here.upstream.tag("v3.0.0");
  here.fork.git("fetch", "-q", "origin", "--tags");
  here.fork.git("rebase", "-q", "--onto", "v3.0.0", "v1.0.0", "patches");
  here.publish();
  expect(await here.plan()).toMatchObject({
    kind: "nothing",
    reason: expect.stringContaining("or on something later"),
  });
});

test("a release without common history with the fork blocks", async () => {
  const here = ordinary();
  here.upstream.git("checkout", "-q", "--orphan", "anew");
  here.upstream.commit("A new beginning", { files: a({ 1: "anew" }) });
  here.upstream.tag("v2.0.0");
  here.publish();
  expect(await here.plan()).toMatchObject({ kind: "blocked", reason: expect.stringContaining("no common history") });
});

/**
 * Upstream publishes v1.1.0, the fork puts its patches on it, and then upstream makes its history anew: from `from` on
 * without the commit "Secret" that v1.1.0 held.
 */
function rewritten(from: "v1.0.0" | "the root"): Scene {
  const here = scene(base);
  here.upstream.commit("Secret", { files: { "secret.txt": "upstream's secret\n" } });
  here.upstream.commit("Goes on", { files: b({ 1: "up" }) });
  here.upstream.tag("v1.1.0");
  here.fork.git("fetch", "-q", "origin", "--tags");
  here.fork.git("reset", "-q", "--hard", "v1.1.0");
  here.fork.commit("One", { files: a({ 10: "one" }) });
  here.fork.commit("Two", { files: { "two.txt": "two\n" } });
  here.fork.git("branch", "under", "v1.1.0");
  if (from === "v1.0.0") here.upstream.git("reset", "-q", "--hard", "v1.0.0");
  else {
    here.upstream.git("checkout", "-q", "--orphan", "anew", "v1.0.0");
    here.upstream.commit("Start, said anew");
  }
  here.upstream.commit("Goes on", { files: b({ 1: "up" }) });
  here.upstream.git("checkout", "-q", "-B", "main");
  here.upstream.git("tag", "-d", "v1.1.0");
  if (from === "the root") here.upstream.git("tag", "-d", "v1.0.0");
  here.upstream.tries("branch", "-D", "anew");
  here.upstream.commit("Newer", { files: b({ 1: "up", 2: "newer" }) });
  here.upstream.tag("v2.0.0");
  return here;
}

test("upstream made its history anew: a tag of the fork that stands above what it took out is a warning", async () => {
  const here = rewritten("v1.0.0");
  here.publish();
  here.fork.git("push", "-q", here.forkUrl, "under:refs/tags/v1.1.0");
  expect(await here.plan()).toMatchObject({
    kind: "carry",
    warnings: [expect.stringContaining("set stackBase to v1.1.0")],
  });
});

test("upstream made its history anew from its root: blocked, and says what to set", async () => {
  const here = rewritten("the root");
  here.publish();
  expect(await here.plan()).toMatchObject({ kind: "blocked", reason: expect.stringContaining("stackBase") });
});

test.each(["v1.0.0", "the root"] as const)(
  "upstream made its history anew from %s: with a stackBase exactly the patches are carried, as with rebase --onto",
  async (from) => {
    const here = rewritten(from);
    here.publish();
    const found = await here.plan({ stackBase: "under" });
    expect(found).toMatchObject({ kind: "carry", patches: 2, base: here.fork.head("under") });
    if (found.kind !== "carry") return;
    const { release, tip, base: under } = found;
    const remotes = { upstream: { url: here.upstreamUrl }, fork: { url: here.forkUrl }, patchBranch: "patches" };
    const recipe = { ...remotes, target: here.target, release, tip, base: under, decisions: [] };
    const carried = await carryAll(here, recipe);
    expect(carried.tip).toBe(rebased(here, recipe));
    await here.git.pushCandidate(recipe, { tip: carried.tip, branch: "out", message: "m" });
    expect(runGit(here.forkUrl, ["ls-tree", "--name-only", carried.tip])).not.toContain("secret.txt");
    expect(fileAt(here.forkUrl, carried.tip, "b.txt")).toBe(lines({ 1: "up", 2: "newer" }));
  },
);
