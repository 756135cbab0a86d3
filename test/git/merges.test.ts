/** Merges of a stack are carried as `git rebase --rebase-merges` carries them, with what people did inside them; where not, the test's name says so. */

import { expect, test } from "vitest";
import type { Decision } from "../../domain/attempt.ts";
import type { Carried } from "../../git/index.ts";
import { lines } from "./scene.ts";
import { type Candidate, type Story, stories, type Told } from "./stories.ts";

const at = stories();
const likeGit = { merges: true };

const base = { "a.txt": lines(), "b.txt": lines(), "c.txt": lines() };
const a = (changes: Record<number, string>) => ({ "a.txt": lines(changes) });
const b = (changes: Record<number, string>) => ({ "b.txt": lines(changes) });
const c = (changes: Record<number, string>) => ({ "c.txt": lines(changes) });
/** Upstream goes on in all of the files. */
const goesOn: Told[] = [{ files: { ...a({ 1: "up" }), ...b({ 1: "up" }), ...c({ 1: "up" }) } }];

const outcomes = (carried: Carried) => (carried.kind === "blocked" ? [] : carried.ledger.map(({ outcome }) => outcome));
const outcomeOf = (carried: Carried, { ids }: Story, name: string) =>
  carried.kind === "blocked" ? undefined : carried.ledger.find(({ patch }) => patch === ids[name]);

/** Nothing that the ledger names as carried may be missing from what was carried. */
function holdsAll({ carried, git }: Candidate): void {
  const there = new Set(git("rev-list", carried.tip).split("\n"));
  expect(carried.ledger.filter(({ commit }) => commit && !there.has(commit))).toEqual([]);
}

test("topics merged at the base, higher up, and at the tip", async () => {
  const story = at.tell({
    base,
    upstream: goesOn,
    stack: [
      { name: "t1", files: a({ 15: "t1" }) },
      { name: "m1", on: ["base", "t1"], files: a({ 15: "t1" }) },
      { name: "line", files: b({ 15: "line" }) },
      { name: "t2", files: c({ 15: "t2" }) },
      { name: "t2b", files: c({ 15: "t2", 18: "t2b" }) },
      { name: "m2", on: ["line", "t2b"], files: c({ 15: "t2", 18: "t2b" }) },
      { name: "after", on: ["m2"], files: a({ 15: "t1", 18: "after" }) },
      { name: "t3", on: ["m2"], files: b({ 15: "line", 18: "t3" }) },
      { on: ["after", "t3"], message: "Merge branch 't3'\n\nwith words", files: b({ 15: "line", 18: "t3" }) },
    ],
  });
  expect(await story.plan()).toMatchObject({ kind: "carry", patches: 9 });
  expect(outcomes(await story.sameAsRebase(likeGit))).toEqual(Array(9).fill("applied"));
  holdsAll(await story.candidate());
});

test("merges inside a topic that is merged", async () => {
  const story = at.tell({
    base,
    upstream: goesOn,
    stack: [
      { name: "line", files: b({ 15: "line" }) },
      { name: "outer", on: ["base"], files: a({ 15: "outer" }) },
      { name: "inner", on: ["base"], files: c({ 15: "inner" }) },
      { name: "inner merged", on: ["outer", "inner"], files: c({ 15: "inner" }) },
      { name: "outer again", files: a({ 15: "outer", 18: "again" }) },
      { on: ["line", "outer again"], files: { ...a({ 15: "outer", 18: "again" }), ...c({ 15: "inner" }) } },
    ],
  });
  expect(outcomes(await story.sameAsRebase(likeGit))).toEqual(Array(6).fill("applied"));
});

test("one topic merged twice, going on between", async () => {
  const story = at.tell({
    base,
    upstream: goesOn,
    stack: [
      { name: "topic", files: a({ 10: "topic" }) },
      { name: "line", on: ["base"], files: b({ 15: "line" }) },
      { name: "first", on: ["line", "topic"], files: a({ 10: "topic" }) },
      { name: "topic again", on: ["topic"], files: a({ 10: "topic", 15: "again" }) },
      { on: ["first", "topic again"], files: a({ 10: "topic", 15: "again" }) },
    ],
  });
  expect(outcomes(await story.sameAsRebase(likeGit))).toEqual(Array(5).fill("applied"));
});

test("the line merged into a topic, and the topic into the line", async () => {
  const story = at.tell({
    base,
    upstream: goesOn,
    stack: [
      { name: "line", files: b({ 15: "line" }) },
      { name: "topic", on: ["base"], files: a({ 15: "topic" }) },
      { name: "back", on: ["topic", "line"], files: b({ 15: "line" }) },
      { name: "more", files: a({ 15: "topic", 18: "more" }) },
      { name: "line again", on: ["line"], files: c({ 15: "line" }) },
      { on: ["line again", "more"], files: a({ 15: "topic", 18: "more" }) },
    ],
  });
  expect(outcomes(await story.sameAsRebase(likeGit))).toEqual(Array(6).fill("applied"));
});

test("two lines that merged each other crosswise", async () => {
  const both = { ...a({ 10: "one" }), ...b({ 10: "two" }) };
  const story = at.tell({
    base,
    upstream: goesOn,
    stack: [
      { name: "one", files: a({ 10: "one" }) },
      { name: "two", on: ["base"], files: b({ 10: "two" }) },
      { name: "one of two", on: ["one", "two"], files: both },
      { name: "two of one", on: ["two", "one"], files: both },
      { name: "one more", on: ["one of two"], files: a({ 10: "one", 15: "more" }) },
      { name: "two more", on: ["two of one"], files: b({ 10: "two", 15: "more" }) },
      { on: ["one more", "two more"], files: b({ 10: "two", 15: "more" }) },
    ],
  });
  expect(outcomes(await story.sameAsRebase(likeGit))).toEqual(Array(7).fill("applied"));
});

test("a merge of three topics at once", async () => {
  const story = at.tell({
    base,
    upstream: goesOn,
    stack: [
      { name: "one", files: a({ 15: "one" }) },
      { name: "two", on: ["base"], files: b({ 15: "two" }) },
      { name: "three", on: ["base"], files: c({ 15: "three" }) },
      { on: ["one", "two", "three"], files: { ...b({ 15: "two" }), ...c({ 15: "three" }) } },
    ],
  });
  expect(outcomes(await story.sameAsRebase(likeGit))).toEqual(Array(4).fill("applied"));
});

/** Two topics that change one line each their own way, and a merge in which a person wrote a third. */
const conflicting: Told[] = [
  { name: "one", files: a({ 10: "one" }) },
  { name: "two", on: ["base"], files: a({ 10: "two" }) },
  { name: "merge", on: ["one", "two"], files: a({ 10: "one and two" }) },
  { name: "after", files: b({ 15: "after" }) },
];

test("a conflict that a person resolved inside a merge stays resolved, where rebase --rebase-merges stops", async () => {
  const story = at.tell({ base, upstream: goesOn, stack: conflicting });
  const made = await story.candidate();
  expect(outcomes(made.carried)).toEqual(Array(4).fill("applied"));
  expect(`${made.file("a.txt")}\n`).toBe(lines({ 1: "up", 10: "one and two" }));
  expect(made.git("rev-list", "--merges", "--count", `${story.ids.release}..${made.carried.tip}`)).toBe("1");
  holdsAll(made);
  expect(await story.rebase(likeGit)).toEqual({ patch: story.ids.merge, files: ["a.txt"] });
});

test("a change that a person made inside a merge stays, where rebase --rebase-merges loses it", async () => {
  const story = at.tell({
    base,
    upstream: goesOn,
    stack: [
      { name: "topic", files: a({ 15: "topic" }) },
      { name: "line", on: ["base"], files: b({ 15: "line" }) },
      {
        name: "merge",
        on: ["line", "topic"],
        files: { ...a({ 15: "topic" }), ...c({ 15: "by hand" }), more: "by hand\n" },
      },
      { name: "after", files: b({ 15: "line", 18: "after" }) },
    ],
  });
  const made = await story.candidate();
  expect(outcomes(made.carried)).toEqual(Array(4).fill("applied"));
  expect(`${made.file("c.txt")}\n`).toBe(lines({ 1: "up", 15: "by hand" }));
  expect(made.file("more")).toBe("by hand");
  const rebase = await story.rebase(likeGit);
  expect("tip" in rebase && rebase.tip).not.toBe(made.carried.tip);
});

test("a topic that was merged in name only (-s ours) stays out, where rebase --rebase-merges brings it in", async () => {
  const story = at.tell({
    base,
    upstream: goesOn,
    stack: [
      { name: "topic", files: a({ 15: "topic" }) },
      { name: "line", on: ["base"], files: b({ 15: "line" }) },
      { name: "merge", on: ["line", "topic"] },
    ],
  });
  const made = await story.candidate();
  expect(`${made.file("a.txt")}\n`).toBe(lines({ 1: "up" }));
  expect(`${made.file("b.txt")}\n`).toBe(lines({ 1: "up", 15: "line" }));
  holdsAll(made);
});

test("a merge that takes a conflict's one side whole stays so", async () => {
  const [one, two, , after] = conflicting as [Told, Told, Told, Told];
  const story = at.tell({
    base,
    upstream: goesOn,
    stack: [one, two, { name: "merge", on: ["one", "two"], files: a({ 10: "two" }) }, after],
  });
  expect(`${(await story.candidate()).file("a.txt")}\n`).toBe(lines({ 1: "up", 10: "two" }));
});

test("what a person decided in a merge about a deleted file, two binaries, and a file both added, stays", async () => {
  const bytes = (...all: number[]) => Buffer.from(all);
  const there = { ...base, gone: lines(), bin: bytes(0, 1), "x.txt": lines() };
  const story = at.tell({
    base: there,
    upstream: goesOn,
    stack: [
      {
        name: "one",
        files: { gone: lines({ 10: "one" }), bin: bytes(0, 2), new: "one\n", "x.txt": null, "y.txt": lines() },
      },
      {
        name: "two",
        on: ["base"],
        files: { gone: null, bin: bytes(0, 3), new: "two\n", "x.txt": null, "z.txt": lines() },
      },
      {
        on: ["one", "two"],
        files: { gone: lines({ 10: "kept" }), bin: bytes(0, 4), new: "one\ntwo\n", "y.txt": null, "w.txt": lines() },
      },
    ],
  });
  const made = await story.candidate();
  expect(outcomes(made.carried)).toEqual(["applied", "applied", "applied"]);
  expect(made.git("diff", "--name-only", story.ids.tip as string, made.carried.tip).split("\n")).toEqual(
    Object.keys(base),
  );
});

test("a conflict among three topics that a person resolved in their one merge stays resolved", async () => {
  const story = at.tell({
    base,
    upstream: goesOn,
    stack: [
      { name: "one", files: a({ 10: "one" }) },
      { name: "two", on: ["base"], files: { ...a({ 10: "two" }), ...b({ 15: "two" }) } },
      { name: "three", on: ["base"], files: { ...a({ 10: "three" }), ...c({ 15: "three" }) } },
      { on: ["one", "two", "three"], files: { ...a({ 10: "all" }), ...b({ 15: "two" }), ...c({ 15: "three" }) } },
    ],
  });
  const made = await story.candidate();
  expect(`${made.file("a.txt")}\n`).toBe(lines({ 1: "up", 10: "all" }));
  expect(`${made.file("b.txt")}\n`).toBe(lines({ 1: "up", 15: "two" }));
  expect(`${made.file("c.txt")}\n`).toBe(lines({ 1: "up", 15: "three" }));
  holdsAll(made);
});

test("a resolution inside a merge that upstream's change runs into stops at the merge, with its carried sides", async () => {
  const story = at.tell({
    base,
    upstream: [{ name: "clash", files: c({ 15: "theirs" }) }, {}],
    stack: [
      { name: "topic", files: a({ 15: "topic" }) },
      { name: "line", on: ["base"], files: b({ 15: "line" }) },
      { name: "merge", on: ["line", "topic"], files: { ...a({ 15: "topic" }), ...c({ 15: "by hand" }) } },
      { name: "after", files: b({ 15: "line", 18: "after" }) },
    ],
  });
  const carried = await story.carry();
  if (carried.kind !== "conflict") throw new Error("it did not stop");
  expect(carried).toMatchObject({ patch: story.ids.merge, files: ["c.txt"] });
  expect(carried.upstreamCommits.map(({ commit }) => commit)).toEqual([story.ids.clash]);
  expect(carried.progress).toBe(outcomeOf(carried, story, "line")?.commit);
  expect(carried.others).toEqual([outcomeOf(carried, story, "topic")?.commit]);
  expect(outcomes(carried).sort()).toEqual(["applied", "applied", "conflict", "pending"]);
});

test("a patch inside a topic that does not apply stops there, and not at its merge", async () => {
  const story = at.tell({
    base,
    upstream: [{ files: a({ 15: "theirs" }) }],
    stack: [
      { name: "line", files: b({ 15: "line" }) },
      { name: "topic", on: ["base"], files: a({ 15: "topic" }) },
      { name: "topic again", files: a({ 15: "topic", 18: "again" }) },
      { name: "merge", on: ["line", "topic again"], files: a({ 15: "topic", 18: "again" }) },
    ],
  });
  const carried = await story.sameAsRebase(likeGit);
  expect(carried).toMatchObject({ kind: "conflict", patch: story.ids.topic, files: ["a.txt"], others: [] });
});

test("a topic that upstream took goes, and its merge with it, as with a rebase that leaves out what git cherry marks", async () => {
  const story = at.tell({
    base,
    upstream: [{ name: "taker", files: a({ 15: "topic" }) }, { files: c({ 1: "up" }) }],
    stack: [
      { name: "line", files: b({ 15: "line" }) },
      { name: "topic", on: ["base"], files: a({ 15: "topic" }) },
      { name: "merge", on: ["line", "topic"], files: a({ 15: "topic" }) },
      { name: "after", files: b({ 15: "line", 18: "after" }) },
    ],
  });
  const carried = await story.sameAsRebase({ merges: true, taken: true });
  expect(outcomeOf(carried, story, "topic")).toMatchObject({ outcome: "dropped" });
  expect(outcomeOf(carried, story, "topic")?.evidence).toContain(story.ids.taker);
  expect(outcomeOf(carried, story, "merge")).toMatchObject({ outcome: "dropped", evidence: expect.any(String) });
});

test("a line that upstream took goes, and the merge of the topic into it stays, as with a rebase", async () => {
  const story = at.tell({
    base,
    upstream: [{ files: b({ 15: "line" }) }, { files: c({ 1: "up" }) }],
    stack: [
      { name: "line", files: b({ 15: "line" }) },
      { name: "topic", on: ["base"], files: a({ 15: "topic" }) },
      { name: "merge", on: ["line", "topic"], files: a({ 15: "topic" }) },
      { name: "after", files: a({ 15: "topic", 18: "after" }) },
    ],
  });
  const carried = await story.sameAsRebase({ merges: true, taken: true });
  expect(outcomeOf(carried, story, "merge")).toMatchObject({ outcome: "applied" });
});

test("part of a topic that upstream took goes, the rest is merged", async () => {
  const story = at.tell({
    base,
    upstream: [{ files: a({ 15: "topic" }) }, { files: c({ 1: "up" }) }],
    stack: [
      { name: "line", files: b({ 15: "line" }) },
      { name: "topic", on: ["base"], files: a({ 15: "topic" }) },
      { name: "rest", files: a({ 5: "rest", 15: "topic" }) },
      { name: "merge", on: ["line", "rest"], files: a({ 5: "rest", 15: "topic" }) },
    ],
  });
  const carried = await story.sameAsRebase({ merges: true, taken: true });
  expect(outcomeOf(carried, story, "merge")).toMatchObject({ outcome: "applied" });
});

test("what a person changed inside a merge stays also when upstream took all of the topic, where a rebase loses it", async () => {
  const story = at.tell({
    base,
    upstream: [{ files: a({ 15: "topic" }) }, { files: b({ 1: "up" }) }],
    stack: [
      { name: "line", files: b({ 15: "line" }) },
      { name: "topic", on: ["base"], files: a({ 15: "topic" }) },
      { name: "merge", on: ["line", "topic"], files: { ...a({ 15: "topic" }), ...c({ 15: "by hand" }) } },
    ],
  });
  const made = await story.candidate();
  expect(`${made.file("c.txt")}\n`).toBe(lines({ 15: "by hand" }));
  expect(outcomeOf(made.carried, story, "merge")).toMatchObject({ outcome: "applied", commit: made.carried.tip });
});

test("a merge of upstream into the stack blocks and is named, wherever it is", async () => {
  const [up] = goesOn as [Told];
  const upstream = [{ ...up, name: "newer" }, { files: a({ 1: "up", 2: "up" }) }];
  const line = { name: "line", files: b({ 15: "line" }) };
  const merged = { ...a({ 1: "up" }), ...b({ 1: "up", 15: "line" }), ...c({ 1: "up" }) };
  const onTheLine = at.tell({
    base,
    upstream,
    stack: [line, { name: "merge", message: "Merge v1.5.0", on: ["line", "newer"], files: merged }, {}],
  });
  const names = (story: Story) => ({ reason: expect.stringContaining((story.ids.merge as string).slice(0, 12)) });
  expect(await onTheLine.plan()).toMatchObject({ kind: "blocked", ...names(onTheLine) });
  const inATopic = at.tell({
    base,
    upstream,
    stack: [
      line,
      { name: "topic", on: ["base"], files: a({ 15: "topic" }) },
      {
        name: "merge",
        on: ["topic", "newer"],
        files: { ...a({ 1: "up", 15: "topic" }), ...b({ 1: "up" }), ...c({ 1: "up" }) },
      },
      { on: ["line", "merge"], files: { ...merged, ...a({ 1: "up", 15: "topic" }) } },
    ],
  });
  expect(await inATopic.plan()).toMatchObject({ kind: "blocked", ...names(inATopic) });
});

test("a topic that begins on a newer upstream commit than the stack is carried, where a rebase would pick upstream's too", async () => {
  const [up] = goesOn as [Told];
  const story = at.tell({
    base,
    upstream: [{ ...up, name: "newer" }, { files: a({ 1: "up", 2: "up" }) }],
    stack: [
      { name: "line", files: b({ 15: "line" }) },
      { name: "topic", on: ["newer"], files: a({ 1: "up", 15: "topic" }) },
      {
        name: "merge",
        on: ["line", "topic"],
        files: { ...a({ 1: "up", 15: "topic" }), ...b({ 1: "up", 15: "line" }), ...c({ 1: "up" }) },
      },
    ],
  });
  const made = await story.candidate();
  expect(outcomes(made.carried)).toEqual(["applied", "applied", "applied"]);
  expect(`${made.file("a.txt")}\n`).toBe(lines({ 1: "up", 2: "up", 15: "topic" }));
  expect(`${made.file("b.txt")}\n`).toBe(lines({ 1: "up", 15: "line" }));
  holdsAll(made);
});

test("a topic that begins on an older upstream commit than the stack comes to the same tree as with a rebase", async () => {
  const story = at.tell({
    base,
    upstream: [{ name: "middle", files: a({ 1: "up" }) }, { files: a({ 1: "up", 2: "up" }) }],
    stack: [
      { name: "line", on: ["middle"], files: b({ 15: "line" }) },
      { name: "topic", on: ["base"], files: a({ 15: "topic" }) },
      { name: "merge", on: ["line", "topic"], files: a({ 1: "up", 15: "topic" }) },
      { files: c({ 15: "after" }) },
    ],
  });
  const made = await story.candidate();
  expect(outcomes(made.carried)).toEqual(Array(4).fill("applied"));
  expect(`${made.file("a.txt")}\n`).toBe(lines({ 1: "up", 2: "up", 15: "topic" }));
  holdsAll(made);
});

test("a merge that names one parent's tree, of a topic without changes, stays a merge", async () => {
  const story = at.tell({
    base,
    upstream: goesOn,
    stack: [
      { name: "line", files: b({ 15: "line" }) },
      { name: "topic", on: ["base"], message: "Only a note" },
      { on: ["line", "topic"] },
    ],
  });
  expect(outcomes(await story.sameAsRebase(likeGit))).toEqual(Array(3).fill("applied"));
});

test("a merge whose first parent is the topic keeps its order", async () => {
  const story = at.tell({
    base,
    upstream: goesOn,
    stack: [
      { name: "line", files: b({ 15: "line" }) },
      { name: "topic", on: ["base"], files: a({ 15: "topic" }) },
      { on: ["topic", "line"], files: b({ 15: "line" }) },
    ],
  });
  expect(outcomes(await story.sameAsRebase(likeGit))).toEqual(Array(3).fill("applied"));
});

test("a file renamed in a topic and changed on the line", async () => {
  const story = at.tell({
    base,
    upstream: goesOn,
    stack: [
      { name: "line", files: a({ 15: "line" }) },
      { name: "topic", on: ["base"], files: { "a.txt": null, "moved.txt": lines({ 18: "topic" }) } },
      { on: ["line", "topic"], files: { "a.txt": null, "moved.txt": lines({ 15: "line", 18: "topic" }) } },
    ],
  });
  expect(outcomes(await story.sameAsRebase(likeGit))).toEqual(Array(3).fill("applied"));
});

test("a vendored project with a history of its own that was merged in blocks, and is named", async () => {
  const story = at.tell({
    base,
    upstream: goesOn,
    stack: [
      { name: "line", files: b({ 15: "line" }) },
      { name: "vendor", on: [], message: "Vendored", files: { "vendor/x.c": lines() } },
      { on: ["line", "vendor"], files: { "vendor/x.c": lines() } },
    ],
  });
  expect(await story.plan()).toMatchObject({
    kind: "blocked",
    reason: expect.stringContaining("no history in common with upstream"),
  });
});

test("a stopped merge that is skipped leaves nothing in the ledger that is not in the candidate", async () => {
  const story = at.tell({
    base,
    upstream: [{ files: c({ 15: "theirs" }) }],
    stack: [
      { name: "topic", files: a({ 15: "topic" }) },
      { name: "line", on: ["base"], files: b({ 15: "line" }) },
      { name: "merge", on: ["line", "topic"], files: { ...a({ 15: "topic" }), ...c({ 15: "by hand" }) } },
      { name: "after", files: b({ 15: "line", 18: "after" }) },
    ],
  });
  const skip = { kind: "skip" as const, patch: story.ids.merge as string, reason: "not needed" };
  holdsAll(await story.candidate([skip]));
});

test("stops on two sides are resolved one after the other, and then their merge", async () => {
  const story = at.tell({
    base,
    upstream: [{ files: { ...a({ 10: "up" }), ...b({ 10: "up" }), ...c({ 10: "up" }) } }],
    stack: [
      { name: "line", files: a({ 10: "line" }) },
      { name: "topic", on: ["base"], files: b({ 10: "topic" }) },
      { name: "merge", on: ["line", "topic"], files: { ...b({ 10: "topic" }), ...c({ 10: "by hand" }) } },
      { name: "after", files: a({ 10: "line", 15: "after" }) },
    ],
  });
  const fixes: Record<string, Record<string, string>> = {
    "a.txt": a({ 10: "line, fixed" }),
    "b.txt": b({ 10: "topic, fixed" }),
    "c.txt": c({ 10: "by hand, fixed" }),
  };
  const decisions: Decision[] = [];
  for (let carried = await story.carry(); carried.kind === "conflict"; carried = await story.carry(decisions)) {
    expect(decisions.length).toBeLessThan(3);
    decisions.push(
      await story.resolve(carried, fixes[carried.files[0] as string] as Record<string, string>, decisions),
    );
  }
  const made = await story.candidate(decisions);
  expect(outcomes(made.carried).sort()).toEqual(["applied", "resolved", "resolved", "resolved"]);
  expect(`${made.file("a.txt")}\n`).toBe(lines({ 10: "line, fixed", 15: "after" }));
  expect(`${made.file("b.txt")}\n`).toBe(lines({ 10: "topic, fixed" }));
  expect(`${made.file("c.txt")}\n`).toBe(lines({ 10: "by hand, fixed" }));
  holdsAll(made);
});

test("120 commits with 40 merges", async () => {
  const stack: Told[] = [];
  let line = "base";
  const files: Record<string, string> = {};
  for (let index = 0; index < 40; index++) {
    const [topic, merge] = [`topic ${index}`, `merge ${index}`];
    const own = { [`t/${index}`]: `${index}\n` };
    const theirs = { [`l/${index}`]: `${index}\n` };
    Object.assign(files, own, theirs);
    stack.push({ name: topic, on: [line], files: own });
    stack.push({ name: `line ${index}`, on: [line], files: theirs });
    line = index === 39 ? "tip" : merge;
    stack.push({ name: merge, on: [`line ${index}`, topic], files: own });
  }
  const story = at.tell({ base, upstream: goesOn, stack });
  expect(outcomes(await story.sameAsRebase(likeGit))).toEqual(Array(120).fill("applied"));
});
