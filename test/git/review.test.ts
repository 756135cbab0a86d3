/** What a carry warns of though nothing stopped it, and that it is silent where all is well. */

import { expect, test } from "vitest";
import type { Decision } from "../../domain/attempt.ts";
import { fastImport } from "../support/fast-import.ts";
import { lines } from "./scene.ts";
import { type Story, stories, type Telling } from "./stories.ts";

const at = stories();

const a = (changes: Record<number, string>) => ({ "a.txt": lines(changes) });
const base = { "a.txt": lines(), "b.txt": lines() };
const many = (count: number, text: string) =>
  Object.fromEntries(Array.from({ length: count }, (_, n) => [n + 1, text]));

/** Warnings of a carry that comes to its end. */
async function warnings(story: Story, decisions?: Decision[]): Promise<string[]> {
  const carried = await story.carry(decisions);
  if (carried.kind !== "carried") throw new Error(`expected it to carry, got ${JSON.stringify(carried)}`);
  return carried.warnings;
}

/** The same, with what a person makes of the stops, one after the other. */
async function resolved(telling: Telling, ...fixes: Record<string, string | null>[]): Promise<string[]> {
  const story = at.tell(telling);
  const decisions: Decision[] = [];
  for (const files of fixes) {
    const stopped = await story.carry(decisions);
    if (stopped.kind !== "conflict") throw new Error(`expected a conflict, got ${JSON.stringify(stopped)}`);
    decisions.push(await story.resolve(stopped, files, decisions));
  }
  return warnings(story, decisions);
}

const short = (id: string | undefined) => id?.slice(0, 12);

test("a stack whose files upstream left alone, or changed elsewhere a little, is carried without a warning", async () => {
  const apart = at.tell({
    base,
    upstream: [{ files: a({ 3: "theirs" }) }],
    stack: [{ files: { "b.txt": lines({ 3: "ours" }) } }],
  });
  expect(await warnings(apart)).toEqual([]);
  const near = at.tell({
    base,
    upstream: [{ files: a({ 3: "theirs" }) }],
    stack: [{ files: a({ 6: "ours" }) }, { files: a({ 6: "ours", 18: "ours" }) }],
  });
  expect(await warnings(near)).toEqual([]);
});

test("a patch that applies with fuzz in a file that upstream changed much is named, with the file's share", async () => {
  const story = at.tell({
    base,
    upstream: [{ files: a({ ...many(8, "theirs"), 12: "theirs" }) }],
    stack: [{ message: "one", files: a({ 10: "ours" }) }, { files: a({ 10: "ours", 20: "far from it" }) }],
  });
  expect(await warnings(story)).toEqual([
    expect.stringMatching(
      new RegExp(`^${short(story.ids["patch 1"])} "one" was applied with fuzz in .*: a\\.txt \\(\\d\\d %\\)$`),
    ),
  ]);
});

test("a patch that upstream took half of says how much of it is left, one that it took whole says nothing", async () => {
  const both = { ...a({ 4: "ours", 16: "ours" }), "b.txt": lines({ 4: "ours" }) };
  const story = at.tell({
    base,
    upstream: [{ files: a({ 4: "ours" }) }],
    stack: [{ message: "half", files: both }, { files: { ...both, "b.txt": lines({ 4: "ours", 9: "more" }) } }],
  });
  expect(await warnings(story)).toEqual([
    `${short(story.ids["patch 1"])} "half" became smaller: 2 of 4 changed lines left in a.txt; upstream has the rest`,
  ]);
  const whole = at.tell({
    base,
    upstream: [{ files: a({ 4: "ours" }) }, { files: a({ 4: "ours", 12: "x" }) }],
    stack: [{ files: a({ 4: "ours" }) }, { files: a({ 4: "ours", 16: "ours" }) }],
  });
  expect(await warnings(whole)).toEqual([]);
});

test("what upstream took beside lines is named too: a mode, a binary file, a new empty one", async () => {
  const bytes = Buffer.from([0, 1, 2, 3]);
  const program = { "run.sh": { mode: "100755" as const, data: "go\n" } };
  const story = at.tell({
    base: { ...base, "run.sh": "go\n" },
    upstream: [{ files: { ...program, "logo.png": bytes, "__init__.py": "" } }],
    stack: [{ message: "part", files: { ...program, "logo.png": bytes, "__init__.py": "", ...a({ 4: "ours" }) } }],
  });
  expect(await warnings(story)).toEqual([
    `${short(story.ids["patch 1"])} "part" became smaller: it no longer changes the content of __init__.py, it no longer changes the content of logo.png, it no longer changes the mode of run.sh; upstream has the rest`,
  ]);
});

test("a resolution that takes the patch's side as a whole loses what upstream did, and says so", async () => {
  const telling: Telling = {
    base: { "a.txt": "start\none(x)\nold(y)\nend\n" },
    upstream: [{ files: { "a.txt": "start\none(x, checked)\nend\n" } }],
    stack: [{ message: "ours", files: { "a.txt": "start\nmine(x)\nold(y)\nend\n" } }],
  };
  const [warning, ...others] = await resolved(telling, { "a.txt": "start\nmine(x)\nold(y)\nend\n" });
  expect(warning).toMatch(
    /^a\.txt: 1 line of upstream gone, which the old stack kept; 1 line back, which upstream removed, by [0-9a-f]{12} "ours" \(resolved\): `-one\(x, checked\)`, `\+old\(y\)`$/,
  );
  expect(others).toEqual([]);
});

test("a resolution that keeps what both did, or says a line of upstream's in more words, is not told of", async () => {
  const telling: Telling = {
    base: { VERSION: "version = 1.0.0\n", "a.txt": "start\nset(x)\nend\n" },
    upstream: [{ files: { VERSION: "version = 2.0.0\n", "a.txt": "start\nset(x, checked)\nend\n" } }],
    stack: [
      { files: { VERSION: "version = 1.0.0+ours\n" } },
      { files: { "a.txt": "start\n  if (mine) {\n    set(x)\n  }\nend\n" } },
    ],
  };
  const fixes: Record<string, string>[] = [
    { VERSION: "version = 2.0.0+ours\n" },
    { "a.txt": "start\n  if (mine) {\n    set(x, checked)\n  }\nend\n" },
  ];
  expect(await resolved(telling, ...fixes)).toEqual([]);
});

test("files that are gone or back as a whole are told in one line a cause; those that the stack deletes anyhow are not", async () => {
  const vendored = (names: string[], text: string) => Object.fromEntries(names.map((name) => [`vendor/${name}`, text]));
  const old = ["1", "2"];
  const telling: Telling = {
    base: { ...base, ...vendored(old, lines()), "x/old.txt": "old\nfile\n" },
    upstream: [{ files: { ...vendored([...old, "3", "4"], lines({ 3: "theirs" })), "x/old.txt": null } }],
    stack: [
      { message: "No vendor", files: { "vendor/1": null, "vendor/2": null } },
      { message: "Old", files: { "x/old.txt": "old\nfile of ours\n" } },
    ],
  };
  const gone = { "vendor/1": null, "vendor/2": null, "vendor/3": null, "vendor/4": null };
  const said = await resolved(telling, gone, { "x/old.txt": "old\nfile of ours\n" });
  expect(said).toEqual([
    expect.stringMatching(
      /^2 files of upstream gone, which the old stack kept, by \w{12} "No vendor" \(resolved\): vendor\/3, vendor\/4$/,
    ),
    expect.stringMatching(/^1 file back, which upstream removed, by \w{12} "Old" \(resolved\): x\/old\.txt$/),
  ]);
});

test("a file that upstream renamed is followed", async () => {
  const renamed = (text: string) => ({ "src/a.txt": null, "lib/a.txt": text });
  const story = at.tell({
    base: { "src/a.txt": lines() },
    upstream: [{ files: renamed(lines({ 4: "ours" })) }],
    stack: [{ message: "half", files: { "src/a.txt": lines({ 4: "ours", 16: "ours" }) } }],
  });
  expect(await warnings(story)).toEqual([
    expect.stringMatching(/"half" became smaller: 2 of 4 changed lines left in lib\/a\.txt; upstream has the rest$/),
  ]);
  const telling: Telling = {
    base: { "src/a.txt": lines() },
    upstream: [{ files: renamed(lines({ 10: "line 10, checked" })) }],
    stack: [{ message: "wholesale", files: { "src/a.txt": lines({ 10: "ours" }) } }],
  };
  expect(await resolved(telling, { "lib/a.txt": lines({ 10: "ours" }) })).toEqual([
    expect.stringMatching(/^lib\/a\.txt: 1 line of upstream gone, .* "wholesale" \(resolved\): `-line 10, checked`$/),
  ]);
});

test("a patch that changes a line which upstream took from the stack is not told of", async () => {
  const story = at.tell({
    base,
    upstream: [{ files: a({ 10: "first of ours" }) }],
    stack: [{ files: a({ 10: "first of ours" }) }, { files: a({ 10: "second of ours" }) }],
  });
  expect(await warnings(story)).toEqual([]);
});

test("a fix that a person put on top counts as any commit of the stack", async () => {
  const story = at.tell({ base, upstream: [{ files: a({ 3: "theirs" }) }], stack: [{ files: a({ 15: "ours" }) }] });
  const { carried } = await story.candidate();
  const { target } = await story.recipe();
  const made = { name: "back to green", on: [carried.tip], files: a({ 15: "ours" }), date: 1_700_000_000 };
  const refs = { [`refs/heads/patchmoi/resolution/${target.name}`]: made.name };
  const commit = fastImport(at.forkUrl, { commits: [made], refs })[made.name] as string;
  expect(await warnings(story, [{ kind: "fix", onto: carried.tip, commit }])).toEqual([
    `a.txt: 1 line of upstream gone, which the old stack kept; 1 line back, which upstream removed, by ${short(commit)} "back to green": \`-theirs\`, \`+line 3\``,
  ]);
});

test("names, subjects and lines of strangers stay on one line and say nothing to a terminal", async () => {
  const name = 'odd \x1b[31m\n"\xe9\t.txt';
  const telling: Telling = {
    base: { [name]: "start\nsome line\nend\n" },
    upstream: [{ files: { [name]: "start\n\x1b]0;title\x07 upstream line \xff\nend\n" } }],
    stack: [{ message: "evil \x1b[2J subject", files: { [name]: "start\nour line\nend\n" } }],
  };
  const [warning] = await resolved(telling, { [name]: "start\nour line\nend\n" });
  expect(warning).toMatch(/^odd  \[31m "\\351 \.txt: 1 line of upstream gone/);
  expect(warning).not.toMatch(/[\0-\x1f\x7f-\x9f]/);
});

test("a stack with merges is looked at too, and what was made by hand in a merge is seen", async () => {
  const telling: Telling = {
    base: { ...base, "c.txt": lines() },
    upstream: [{ files: { ...a({ 10: "theirs" }), "c.txt": lines({ 12: "theirs" }) } }],
    stack: [
      { message: "One", name: "one", files: { "b.txt": lines({ 4: "one" }) } },
      { message: "Two", name: "two", on: ["base"], files: { "c.txt": lines({ 3: "two" }) } },
      { message: "Both", on: ["one", "two"], files: { "c.txt": lines({ 3: "two" }), ...a({ 10: "by hand" }) } },
    ],
  };
  const fix = { "b.txt": lines({ 4: "one" }), "c.txt": lines({ 3: "two", 12: "theirs" }), ...a({ 10: "by hand" }) };
  expect(await resolved(telling, fix)).toEqual(["a.txt: 1 line of upstream gone, which the old stack kept: `-theirs`"]);
});

test("what is binary or large is not compared and said so, where both changed it", async () => {
  const large = (middle: string) => `${"line\n".repeat(150_000)}${middle}\n${"line\n".repeat(150_000)}`;
  const telling: Telling = {
    base: { "b.bin": Buffer.from([0, 1]), "large.txt": large("old"), ...base },
    upstream: [{ files: { "b.bin": Buffer.from([0, 2]), "large.txt": large("theirs"), ...a({ 3: "theirs" }) } }],
    stack: [
      { files: { "b.bin": Buffer.from([0, 3]), "large.txt": large("ours") } },
      { files: { ...a({ 15: "ours" }), "alone.bin": Buffer.from([0, 4]) } },
    ],
  };
  expect(await resolved(telling, { "b.bin": "taken from us", "large.txt": large("ours") })).toEqual([
    "not compared, being binary or large, and changed by upstream and the stack: b.bin, large.txt",
  ]);
});

test("of a thousand files and more, so many are compared as can be, and the rest is counted", async () => {
  const names = Array.from({ length: 1010 }, (_, n) => `directory/${n}.txt`);
  const all = (text: string) => Object.fromEntries(names.map((name) => [name, text]));
  const story = at.tell({
    base: all(lines()),
    upstream: [{ files: all(lines({ 3: "theirs" })) }],
    stack: [{ files: all(lines({ 15: "ours" })) }],
  });
  expect(await warnings(story)).toEqual(["10 files not compared: there are too many"]);
});

test("a generated file that was made anew is looked through in a moment", async () => {
  const made = (seed: number) =>
    Array.from({ length: 15_000 }, (_, n) => `entry ${n} ${(n * seed) % 9973} of the list\n`).join("");
  const telling: Telling = {
    base: { lock: made(3) },
    upstream: [{ files: { lock: made(5) } }],
    stack: [{ files: { lock: made(7) } }],
  };
  const started = performance.now();
  const [warning] = await resolved(telling, { lock: made(11) });
  expect(warning).toMatch(/^lock: 1\d{4} lines of upstream gone/);
  expect(performance.now() - started).toBeLessThan(60_000);
});

test("no more is told than a person reads", async () => {
  const names = Array.from({ length: 40 }, (_, n) => `${n}.txt`);
  const all = (text: string) => Object.fromEntries(names.map((name) => [name, text]));
  const telling: Telling = {
    base: all("start\nsome line\nend\n"),
    upstream: [{ files: all("start\nupstream line\nend\n") }],
    stack: [{ files: all("start\nour line\nend\n") }],
  };
  const told = await resolved(telling, all("start\nour line\nend\n"));
  expect(told).toHaveLength(31);
  expect(told.at(-1)).toBe("and 10 more warnings");
});
