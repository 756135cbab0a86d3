/** Why a patch is dropped, and what is told where one stops: always by the commits that did it. */

import { expect, test } from "vitest";
import type { Carried } from "../../git/index.ts";
import { runGit } from "../support/repositories.ts";
import { carryToConflict, lines, scene } from "./scene.ts";
import { type Story, stories, type Telling, type Told } from "./stories.ts";

const at = stories();

const a = (changes: Record<number, string>) => ({ "a.txt": lines(changes) });
const b = (changes: Record<number, string>) => ({ "b.txt": lines(changes) });
const base = { "a.txt": lines(), "b.txt": lines(), "c.txt": lines() };
const ours: Told = { name: "patch", message: "Fix it", files: a({ 10: "fixed" }) };
const noise = (name: string): Told => ({ name, files: { VERSION: `${name}\n` } });
const program = (data: string) => ({ mode: "100755" as const, data });

const rowsOf = (carried: Carried) => (carried.kind === "blocked" ? [] : carried.ledger);
const outcomes = (carried: Carried) => rowsOf(carried).map(({ outcome }) => outcome);

/** Commits with a name say it as their subject. */
function tell({ base, upstream, stack }: Telling & { upstream: Told[] }): Story {
  const called = (each: Told): Told => ({ ...(each.name && { message: each.name }), ...each });
  return at.tell({ base, upstream: upstream.map(called), stack: stack.map(called) });
}

async function told(telling: Telling & { upstream: Told[] }) {
  const story = tell(telling);
  const carried = await story.carry();
  return { story, carried, rows: rowsOf(carried), ids: story.ids };
}

async function stopped(telling: Telling & { upstream: Told[] }) {
  const { story, carried, ids } = await told(telling);
  if (carried.kind !== "conflict") throw new Error(`expected a conflict, got ${JSON.stringify(carried)}`);
  return { story, ids, carried, proposal: carried.proposal?.evidence };
}

/** Patches that `git cherry` says upstream has. */
async function cherry(story: Story): Promise<string[]> {
  const { release, tip, base } = await story.recipe();
  const marked = runGit(at.forkUrl, ["cherry", release, tip, base]).split("\n");
  return marked.flatMap((line) => (line.startsWith("- ") ? [line.slice(2)] : []));
}

test("what is dropped by patch-id is what git cherry marks, for every kind of change", async () => {
  const bytes = (seed: number) => Buffer.from(Array.from({ length: 600 }, (_, index) => (index * seed) % 256));
  const tree = {
    ...base,
    "x.bin": bytes(3),
    "y.bin": bytes(5),
    "old/n.txt": lines(),
    gone: "gone\n",
    plain: "plain\n",
    "mode.sh": lines(),
  };
  const kinds: Record<string, Told["files"]> = {
    text: a({ 10: "fixed" }),
    "two files": { ...b({ 3: "two" }), "c.txt": lines({ 3: "two" }) },
    added: { "added.txt": "added\nfile\n" },
    "added without a last line end": { "unended.txt": "added\nfile" },
    empty: { "nothing.txt": "" },
    deleted: { gone: null },
    renamed: { "old/n.txt": null, "new/n.txt": lines({ 4: "moved" }) },
    binary: { "x.bin": bytes(7) },
    program: { "mode.sh": program(lines({ 2: "run" })) },
    link: { link: { mode: "120000", data: "a.txt" } },
    "file to link": { plain: { mode: "120000", data: "a.txt" } },
    submodule: { lib: { submodule: "1".repeat(40) } },
  };
  const { story, carried } = await told({
    base: tree,
    upstream: [
      ...Object.entries(kinds).map(([kind, files]) => ({ name: `takes ${kind}`, ...(files && { files }) })),
      { files: { "y.bin": bytes(11), "c.txt": lines({ 3: "two", 12: "up" }) } },
    ],
    stack: [
      ...Object.entries(kinds).map(([kind, files]) => ({ name: `has ${kind}`, ...(files && { files }) })),
      { name: "own text", files: { "a.txt": lines({ 10: "fixed", 15: "ours" }) } },
      { name: "own file", files: { "own.txt": "own\n" } },
    ],
  });
  const dropped = rowsOf(carried).filter(({ outcome }) => outcome === "dropped");
  expect(dropped).toHaveLength(Object.keys(kinds).length);
  for (const kind of Object.keys(kinds)) {
    const evidence = `upstream commit ${story.ids[`takes ${kind}`]} "takes ${kind}" makes the same change`;
    expect(dropped).toContainEqual(expect.objectContaining({ patch: story.ids[`has ${kind}`], evidence }));
  }
  expect((await cherry(story)).sort()).toEqual(dropped.map((row) => row.patch).sort());
});

test("of a stack of 280 exactly those are dropped that git cherry marks, wherever in 600 commits of upstream they are", async () => {
  const text = (changes: Map<number, string>) =>
    `${Array.from({ length: 400 }, (_, line) => changes.get(line) ?? `line ${line}`).join("\n")}\n`;
  /** Each commit changes a line of its own in one of ten files, far from every other's. */
  const line = (places: number[], by: (place: number) => string): Told[] => {
    const files = Array.from({ length: 10 }, () => new Map<number, string>());
    return places.map((place) => {
      const changes = files[place % 10] as Map<number, string>;
      changes.set(4 + 8 * Math.floor(place / 10), by(place));
      return { files: { [`f${place % 10}.txt`]: text(changes) } };
    });
  };
  const count = (length: number) => Array.from({ length }, (_, n) => n);
  const isTaken = (place: number) => place % 3 === 0;
  const story = at.tell({
    base: Object.fromEntries(count(10).map((file) => [`f${file}.txt`, text(new Map())])),
    upstream: [
      ...line(count(300), (place) => (isTaken(place) ? `ours ${place}` : `theirs ${place}`)),
      ...count(300).map((n) => noise(`${n}`)),
    ],
    stack: line(
      count(480).filter((place) => place >= 300 || isTaken(place)),
      (place) => `ours ${place}`,
    ),
  });
  const carried = await story.carry();
  expect(carried.kind).toBe("carried");
  const dropped = rowsOf(carried).filter(({ outcome }) => outcome === "dropped");
  expect(dropped.every(({ evidence }) => evidence?.endsWith("makes the same change"))).toBe(true);
  expect(dropped.map(({ patch }) => patch)).toEqual(await cherry(story));
  expect(dropped).toHaveLength(100);
});

test("a patch that upstream took with other white space says so", async () => {
  const { rows, ids, story } = await told({
    base,
    upstream: [{ name: "taker", files: a({ 10: "\tfixed  it" }) }, { files: a({ 10: "\tfixed  it", 18: "up" }) }],
    stack: [{ name: "patch", files: a({ 10: "  fixed it " }) }],
  });
  expect(rows).toMatchObject([{ outcome: "dropped", evidence: expect.stringContaining(ids.taker as string) }]);
  expect(rows[0]?.evidence).toMatch(/makes the same change but for white space$/);
  expect(await cherry(story)).toEqual([ids.patch]);
});

test("a patch of white space alone is dropped when upstream has it, and carried when upstream took it back", async () => {
  const indented = a({ 10: "    line 10" });
  const taken = await told({
    base,
    upstream: [{ name: "taker", files: indented }, noise("2")],
    stack: [{ files: indented }],
  });
  expect(taken.rows).toMatchObject([
    { outcome: "dropped", evidence: expect.stringContaining(taken.ids.taker as string) },
  ]);
  const back = await told({
    base,
    upstream: [{ files: indented }, { files: a({}) }, noise("2")],
    stack: [{ files: indented }, { files: b({ 1: "x" }) }],
  });
  expect(outcomes(back.carried)).toEqual(["applied", "applied"]);
});

// git before 2.39 left modes out of its patch-ids.
test("a mode that upstream did not take is not lost", async () => {
  const story = tell({
    base: { ...base, "run.sh": lines() },
    upstream: [{ files: { "run.sh": lines({ 10: "fixed" }) } }, noise("2")],
    stack: [{ name: "patch", files: { "run.sh": program(lines({ 10: "fixed" })) } }],
  });
  const { carried, git } = await story.candidate();
  expect(outcomes(carried)).toEqual(["applied"]);
  expect(git("ls-tree", carried.tip, "run.sh")).toMatch(/^100755 /);
});

test("a file made executable by the patch stays so where upstream did the reverse to it", async () => {
  const story = tell({
    base: { ...base, "run.sh": lines() },
    upstream: [{ files: { "run.sh": program(lines()) } }, { files: { "run.sh": lines() } }, noise("2")],
    stack: [{ files: { "run.sh": program(lines()) } }],
  });
  const { carried, git } = await story.candidate();
  expect(outcomes(carried)).toEqual(["applied"]);
  expect(git("ls-tree", carried.tip, "run.sh")).toMatch(/^100755 /);
});

test("a patch that upstream took, worked beside, and took back is carried", async () => {
  const { carried, story, ids } = await told({
    base,
    upstream: [
      { files: a({ 10: "fixed" }) },
      { files: a({ 10: "fixed", 12: "beside" }) },
      { message: 'Revert "Fix it"', files: a({ 12: "beside" }) },
      noise("2"),
    ],
    stack: [ours, { files: b({ 1: "x" }) }],
  });
  expect(await cherry(story)).toEqual([ids.patch]);
  expect(outcomes(carried)).toEqual(["applied", "applied"]);
});

test("a patch that upstream took back together with another is carried", async () => {
  const { carried } = await told({
    base,
    upstream: [
      { files: a({ 10: "fixed" }) },
      { files: a({ 10: "fixed", 18: "more" }) },
      { message: "Take both back", files: a({}) },
      noise("2"),
    ],
    stack: [ours, { files: b({ 1: "x" }) }],
  });
  expect(outcomes(carried)).toEqual(["applied", "applied"]);
});

test("a patch that upstream took back in several steps is carried", async () => {
  const whole = { ...a({ 3: "fixed", 17: "fixed too" }), ...b({ 3: "fixed" }) };
  const { carried } = await told({
    base,
    upstream: [
      { files: whole },
      { files: a({ 3: "fixed", 10: "beside" }) },
      { files: { ...b({}), ...a({ 3: "fixed", 10: "beside again" }) } },
      { files: a({ 10: "beside again" }) },
      noise("2"),
    ],
    stack: [{ files: whole }, { files: { "c.txt": lines({ 1: "x" }) } }],
  });
  expect(outcomes(carried)).toEqual(["applied", "applied"]);
});

test("of many patches that upstream took those are carried that it took back", async () => {
  const names = Array.from({ length: 120 }, (_, n) => `src/${n}.txt`);
  const all = (text: (n: number) => string) => Object.fromEntries(names.map((name, n) => [name, text(n)]));
  const takes = names.map((name, n) => ({ files: { [name]: lines({ 10: `fixed ${n}` }) } }));
  const goesOn = { files: all((n) => lines({ 10: n % 3 === 0 ? "line 10" : `fixed ${n}`, 12: "goes on" })) };
  const { carried } = await told({
    base: all(() => lines()),
    upstream: [...takes, goesOn, noise("2")],
    stack: [...takes, { files: { "last.txt": "x\n" } }],
  });
  expect(outcomes(carried)).toEqual([...names.map((_, n) => (n % 3 === 0 ? "applied" : "dropped")), "applied"]);
});

test("a patch in a topic that upstream merged without taking its changes is carried", async () => {
  const { carried, story, ids } = await told({
    base,
    upstream: [
      { name: "topic", on: ["base"], files: a({ 10: "fixed" }) },
      { name: "line", on: ["base"], files: b({ 10: "line" }) },
      { name: "ours", on: ["line", "topic"] },
      { ...noise("2"), on: ["ours"] },
    ],
    stack: [ours, { files: { "c.txt": lines({ 1: "x" }) } }],
  });
  expect(await cherry(story)).toEqual([ids.patch]);
  expect(outcomes(carried)).toEqual(["applied", "applied"]);
});

test("a patch that only adds is dropped where upstream wrote better lines in its place, and is told", async () => {
  const added = (...more: string[]) => ({ "a.txt": `${lines()}${more.map((line) => `${line}\n`).join("")}` });
  const { rows, ids } = await told({
    base,
    upstream: [
      { name: "taker", files: added("call(one);", "call(two);") },
      { name: "better", files: added("call(one, properly);", "call(two, properly);") },
      noise("2"),
    ],
    stack: [{ files: added("call(one);", "call(two);") }],
  });
  expect(rows).toMatchObject([
    {
      outcome: "dropped",
      evidence: `upstream commit ${ids.taker} "taker" makes the same change, and ${ids.better} "better" changes it further`,
    },
  ]);
});

test.each([
  ["renamed", { "new.txt": null, "elsewhere/new.txt": lines() }],
  ["moved into another file", { "new.txt": null, "c.txt": `${lines()}${lines()}` }],
])("a file that a patch adds, upstream took and then %s does not come back", async (_, files) => {
  const { carried } = await told({
    base,
    upstream: [{ files: { "new.txt": lines() } }, { files }, noise("2")],
    stack: [{ files: { "new.txt": lines() } }, { files: b({ 1: "x" }) }],
  });
  expect(outcomes(carried)).toEqual(["dropped", "applied"]);
});

test("a patch that upstream took and took back in a merge of a topic, then kept by another topic, is dropped by the last", async () => {
  const { rows, ids } = await told({
    base,
    upstream: [
      { name: "first", on: ["base"], files: a({ 10: "fixed" }) },
      { name: "back", on: ["first"], files: a({}) },
      { name: "again", on: ["back"], files: a({ 10: "fixed" }) },
      { name: "line", on: ["base"], files: b({ 2: "up" }) },
      { on: ["line", "again"], files: a({ 10: "fixed" }) },
    ],
    stack: [ours],
  });
  expect(rows).toMatchObject([{ outcome: "dropped", evidence: expect.stringContaining(ids.again as string) }]);
});

test("what the stack takes back with other surroundings and makes again stays made, though upstream has it", async () => {
  const story = tell({
    base,
    upstream: [{ name: "taker", files: a({ 10: "fixed" }) }, noise("2")],
    stack: [
      { files: a({ 10: "fixed" }) },
      { files: a({ 10: "fixed", 12: "beside" }) },
      { files: a({ 12: "beside" }) },
      { files: { ...a({}) } },
      { files: a({ 10: "fixed" }) },
    ],
  });
  const { file } = await story.candidate();
  expect(file("a.txt")).toBe(lines({ 10: "fixed" }).trimEnd());
});

test("a patch that takes back part of an earlier one is not lost, where upstream has both and the earlier one is carried", async () => {
  const debug = ["debug one", "debug two"];
  const traced = { "a.txt": `${lines()}${debug.join("\n")}\n` };
  const story = tell({
    base,
    upstream: [
      { files: { ...traced, ...b({ 10: "theirs" }) } },
      { name: "taker", files: a({}) },
      { files: { ...b({ 10: "line 10" }), VERSION: "2\n" } },
    ],
    stack: [{ files: { ...traced, "c.txt": lines({ 10: "ours" }) } }, { name: "patch", files: a({}) }],
  });
  expect(await cherry(story)).toEqual([story.ids.patch]);
  const { carried, file } = await story.candidate();
  expect(outcomes(carried)).toEqual(["applied", "applied"]);
  expect(file("a.txt")).toBe(lines().trimEnd());
});

test("what the stack makes executable, takes back and makes again stays so, though upstream has it", async () => {
  const story = tell({
    base: { ...base, "run.sh": lines() },
    upstream: [{ files: { "run.sh": program(lines()) } }, noise("2")],
    stack: [program(lines()), lines(), program(lines())].map((content) => ({ files: { "run.sh": content } })),
  });
  const { carried, git } = await story.candidate();
  expect(outcomes(carried)).toEqual(["dropped", "applied", "applied"]);
  expect(git("ls-tree", carried.tip, "run.sh")).toMatch(/^100755 /);
});

test("merges are never taken, and what they bring in is", async () => {
  const { carried, ids } = await told({
    base,
    upstream: [{ name: "taker", files: a({ 10: "fixed" }) }, noise("2")],
    stack: [
      { name: "topic", on: ["base"], files: a({ 10: "fixed" }) },
      { name: "line", on: ["base"], files: b({ 5: "ours" }) },
      { name: "merge", on: ["line", "topic"], files: a({ 10: "fixed" }) },
      { name: "on top", on: ["merge"], files: { "c.txt": lines({ 5: "ours" }) } },
    ],
  });
  const fates = new Map(rowsOf(carried).map((row) => [row.patch, row]));
  expect(fates.get(ids.topic as string)).toMatchObject({
    outcome: "dropped",
    evidence: expect.stringContaining(ids.taker as string),
  });
  expect(fates.get(ids.merge as string)?.evidence ?? "").not.toContain("makes the same change");
  expect(fates.get(ids["on top"] as string)).toMatchObject({ outcome: "applied" });
});

test("an empty result names the commit that made it so among many others, whoever is its author", async () => {
  const others = (more: Record<number, string>) =>
    Array.from({ length: 30 }, (_, n) => ({ files: a({ 1: `up ${n}`, ...more }) }));
  const { rows, ids } = await told({
    base,
    upstream: [
      ...others({}),
      {
        name: "taker",
        author: "Bob <bob@example.org>",
        files: { ...a({ 1: "up 29", 10: "fixed" }), ...b({ 7: "too" }) },
      },
      ...others({ 10: "fixed" }),
    ],
    stack: [ours],
  });
  expect(rows).toMatchObject([
    { outcome: "dropped", evidence: `it became empty: upstream commit ${ids.taker} "taker" made its change` },
  ]);
});

test("an empty result names the last commit that made the change, where it came, went and came again", async () => {
  const with10 = (text: string, n: number) => ({ ...a({ 10: text }), ...b({ 1: `${n}` }) });
  const { rows, ids } = await told({
    base,
    upstream: [
      { files: with10("fixed", 1) },
      { files: with10("line 10", 2) },
      { name: "last", files: with10("fixed", 3) },
      ...Array.from({ length: 9 }, (_, n) => ({ files: with10("fixed", n + 4) })),
    ],
    stack: [ours],
  });
  expect(rows[0]?.evidence).toBe(`it became empty: upstream commit ${ids.last} "last" made its change`);
});

test("an empty result names the commit inside the topic that a merge brought in", async () => {
  const { rows, ids } = await told({
    base,
    upstream: [
      { name: "topic 1", on: ["base"], files: b({ 1: "topic" }) },
      { name: "topic 2", on: ["topic 1"], files: { ...a({ 10: "fixed" }), ...b({ 1: "topic", 2: "topic" }) } },
      { name: "topic 3", on: ["topic 2"], files: b({ 1: "topic", 2: "topic", 3: "topic" }) },
      { name: "line 1", on: ["base"], files: a({ 1: "line" }) },
      { name: "line 2", on: ["line 1"], files: a({ 1: "line", 2: "line" }) },
      {
        name: "merge",
        on: ["line 2", "topic 3"],
        files: { ...a({ 1: "line", 2: "line", 10: "fixed" }), ...b({ 1: "topic", 2: "topic", 3: "topic" }) },
      },
      { on: ["merge"], files: a({ 1: "line", 2: "again", 10: "fixed" }) },
    ],
    stack: [ours],
  });
  expect(rows[0]?.evidence).toBe(`it became empty: upstream commit ${ids["topic 2"]} "topic 2" made its change`);
});

test("an empty result names all commits that made it so together, and the merge that joined them", async () => {
  const both = a({ 3: "first half", 17: "second half" });
  const inRow = await told({
    base,
    upstream: [
      { name: "one", files: a({ 3: "first half" }) },
      { name: "other", files: a({ 3: "first half", 10: "between" }) },
      { name: "two", files: a({ 3: "first half", 10: "between", 17: "second half" }) },
      { files: a({ 1: "up", 3: "first half", 10: "between", 17: "second half" }) },
    ],
    stack: [{ files: both }],
  });
  const { one, two } = inRow.ids;
  expect(inRow.rows[0]?.evidence).toBe(
    `it became empty: upstream commits ${two} "two" and ${one} "one" together made its change`,
  );
  const merged = await told({
    base,
    upstream: [
      { name: "one", on: ["base"], files: a({ 3: "first half" }) },
      { name: "two", on: ["base"], files: a({ 17: "second half" }) },
      { name: "merge", on: ["two", "one"], files: both },
    ],
    stack: [{ files: both }],
  });
  expect(merged.rows[0]?.evidence).toContain(merged.ids.merge);
});

test("an empty result is traced through a rename by upstream", async () => {
  const { rows, ids } = await told({
    base,
    upstream: [
      { files: { "a.txt": null, "moved.txt": lines() } },
      { files: { "moved.txt": lines({ 2: "up" }) } },
      { name: "taker", files: { "moved.txt": lines({ 2: "up", 10: "fixed" }) } },
      { files: { "moved.txt": lines({ 2: "up", 4: "up", 10: "fixed" }) } },
    ],
    stack: [ours],
  });
  expect(rows).toMatchObject([{ outcome: "dropped", evidence: expect.stringContaining(ids.taker as string) }]);
});

test("an empty result that a person's resolution of an earlier patch brought names that patch", async () => {
  const story = tell({
    base,
    upstream: [{ files: a({ 10: "theirs" }) }, noise("2")],
    stack: [
      { name: "first", message: "First", files: a({ 10: "ours" }) },
      { message: "Beside", files: b({ 3: "beside" }) },
      { name: "second", message: "Second", files: { ...a({ 10: "ours, better" }), ...b({ 3: "beside" }) } },
    ],
  });
  const first = await story.carry();
  if (first.kind !== "conflict") throw new Error("expected a conflict");
  const decision = await story.resolve(first, a({ 10: "ours, better" }), []);
  const { carried } = await story.candidate([decision]);
  expect(outcomes(carried)).toEqual(["resolved", "applied", "dropped"]);
  expect(rowsOf(carried)[2]?.evidence).toBe(
    `it became empty: ${story.ids.first} "First" before it in the stack, as it was carried, makes its change`,
  );
});

test("a patch that becomes empty though nobody has its change is kept", async () => {
  const story = tell({
    base,
    upstream: [{ files: a({ 10: "theirs" }) }, noise("2")],
    stack: [
      { name: "patch", message: "Change", files: a({ 10: "ours", 3: "ours" }) },
      { message: "Take half back", files: a({ 10: "ours" }) },
    ],
  });
  const skip = { kind: "skip" as const, patch: story.ids.patch as string, reason: "not wanted" };
  const { carried, git } = await story.candidate([skip]);
  expect(outcomes(carried)).toEqual(["skipped", "applied"]);
  expect(git("diff", "--stat", `${carried.tip}~1`, carried.tip)).toBe("");
});

const block = (...changed: string[]) => ({
  "code.c": `${lines()}${["open the door", "walk through it", "close the door", "lock the door", "}"].map((line, index) => changed[index] ?? line).join("\n")}\n`,
});

test("a patch that upstream took with changes, in one commit, is proposed with its figures", async () => {
  const { proposal, ids } = await stopped({
    base: { ...base, "code.c": `${lines()}end\n` },
    upstream: [
      { files: { "code.c": `${lines()}the end\n` } },
      { name: "taker", message: "Doors, by us", files: { ...block("open the door slowly"), ...b({ 1: "too" }) } },
      noise("2"),
    ],
    stack: [{ files: block() }],
  });
  expect(proposal).toBe(`upstream commit ${ids.taker} "Doors, by us" makes 4 of its 6 changed lines`);
});

test("bumps of a version are not proposed to be one change", async () => {
  const version = (note: string, number: number) => ({
    "version.h": `#define VERSION_MAJOR 1\n/* ${note} */\n#define VERSION_MINOR ${number}\n`,
  });
  const { proposal } = await stopped({
    base: version("the first", 1),
    upstream: [{ files: version("a note", 1) }, { files: version("a note", 2) }, { files: version("a note", 3) }],
    stack: [{ files: version("the first", 2) }],
  });
  expect(proposal).toBeUndefined();
});

test("two different changes of the same lines are a conflict, not a taking", async () => {
  const { proposal, carried, ids } = await stopped({
    base,
    upstream: [{ name: "other", files: a({ 9: "their nine", 10: "their ten", 11: "their eleven" }) }, noise("2")],
    stack: [{ files: a({ 9: "our nine", 10: "our ten", 11: "our eleven" }) }],
  });
  expect(proposal).toBeUndefined();
  expect(carried.upstreamCommits.map(({ commit }) => commit)).toEqual([ids.other]);
});

test("what upstream took with changes and took back is not proposed to be dropped", async () => {
  const { proposal } = await stopped({
    base: { ...base, "code.c": `${lines()}end\n` },
    upstream: [
      { files: block("open the door slowly") },
      { files: { "code.c": `${lines()}end\n` } },
      { files: { "code.c": `${lines()}another end\n` } },
    ],
    stack: [{ files: block() }],
  });
  expect(proposal).toBeUndefined();
});

test("what the same author did at the same time is proposed also where upstream has the file elsewhere", async () => {
  const here = scene(base);
  const act = { author: { name: "Bob", email: "bob@example.org" }, date: 1_700_300_000 };
  here.upstream.commit("Move it", { files: { "a.txt": null, "lib/a.txt": lines() } });
  const same = here.upstream.commit("Fix it", { files: { "lib/other.txt": "fixed here\n" }, ...act });
  here.upstream.commit("Change it", { files: { "lib/a.txt": lines({ 10: "theirs" }) } });
  here.upstream.tag("v2.0.0");
  here.fork.commit("Fix it", { files: a({ 10: "fixed" }), ...act });
  const { carried } = await carryToConflict(here, await here.recipe());
  expect(carried.proposal?.evidence).toBe(`upstream commit ${same} "Fix it" is by the same author at the same time`);
});

test("of many commits that a script made in one second only the one with the patch's subject or files is proposed", async () => {
  const here = scene(base);
  const act = { author: { name: "Bot", email: "bot@example.org" }, date: 1_700_300_000 };
  here.upstream.commit("Update b", { files: b({ 10: "bot" }), ...act });
  const same = here.upstream.commit("Update a, as the bot does", { files: a({ 10: "the bot's" }), ...act });
  here.upstream.commit("Update c", { files: { "c.txt": lines({ 10: "bot" }) }, ...act });
  here.upstream.tag("v2.0.0");
  here.fork.commit("Update a", { files: a({ 10: "the bot's, ours" }), ...act });
  const first = await carryToConflict(here, await here.recipe());
  expect(first.carried.proposal?.evidence).toBe(
    `upstream commit ${same} "Update a, as the bot does" is by the same author at the same time and makes 1 of its 2 changed lines`,
  );
  here.fork.git("reset", "-q", "--hard", "HEAD~1");
  here.upstream.commit("Theirs", { files: { VERSION: "x\n" } });
  here.upstream.git("tag", "-f", "v2.0.0");
  here.fork.commit("Own", { files: { ...a({ 10: "ours" }) }, author: act.author, date: act.date + 1 });
  expect((await carryToConflict(here, await here.recipe())).carried.proposal).toBeUndefined();
});

test("each file in conflict has its share of the commits that are named, and the rest are counted", async () => {
  const { carried, ids } = await stopped({
    base,
    upstream: [
      { name: "rare", files: b({ 10: "theirs" }) },
      ...Array.from({ length: 30 }, (_, n) => ({ name: `often ${n}`, files: a({ 10: `theirs ${n}` }) })),
    ],
    stack: [{ files: { ...a({ 10: "ours" }), ...b({ 10: "ours" }) } }],
  });
  const named = carried.upstreamCommits.map(({ commit }) => commit);
  expect(named).toHaveLength(10);
  expect(named[0]).toBe(ids["often 29"]);
  expect(named.at(-1)).toBe(ids.rare);
  expect(carried.moreUpstreamCommits).toBe(21);
});

test("the commit that deleted a file comes first, however much came after it", async () => {
  const { carried, ids } = await stopped({
    base,
    upstream: [
      { name: "deletes", files: { "b.txt": null } },
      ...Array.from({ length: 30 }, (_, n) => ({ files: a({ 10: `theirs ${n}` }) })),
    ],
    stack: [{ files: { ...a({ 10: "ours" }), ...b({ 10: "ours" }) } }],
  });
  expect(carried.upstreamCommits[0]).toEqual({
    commit: ids.deletes,
    subject: "deletes",
    files: ["b.txt"],
    what: "deletes b.txt",
  });
  expect(carried.upstreamCommits).toHaveLength(10);
});

test("a commit that deleted many files is told by the first ones", async () => {
  const names = Array.from({ length: 9 }, (_, n) => `old/${n}.c`);
  const each = (content: string | null) => Object.fromEntries(names.map((name) => [name, content]));
  const { carried, ids } = await stopped({
    base: { ...base, ...each(lines()) },
    upstream: [{ name: "deletes", message: `deletes ${"x".repeat(100_000)}`, files: each(null) }, noise("2")],
    stack: [{ files: each(lines({ 10: "ours" })) }],
  });
  expect(carried.upstreamCommits).toMatchObject([
    { commit: ids.deletes, what: "deletes old/0.c, deletes old/1.c, deletes old/2.c, and 6 more", files: names },
  ]);
  expect(carried.upstreamCommits[0]?.subject.length).toBeLessThan(1_000);
});

test("a file that was renamed twice and then deleted names all three commits", async () => {
  const { carried, ids } = await stopped({
    base,
    upstream: [
      { name: "one", files: { "a.txt": null, "lib/a.txt": lines() } },
      { name: "two", files: { "lib/a.txt": null, "lib/core/a.txt": lines({ 3: "up" }) } },
      { name: "three", files: { "lib/core/a.txt": null } },
      noise("2"),
    ],
    stack: [ours],
  });
  expect(carried.upstreamCommits.map(({ commit, what }) => [commit, what])).toEqual([
    [ids.one, "renames a.txt to lib/a.txt"],
    [ids.two, "renames lib/a.txt to lib/core/a.txt"],
    [ids.three, "deletes lib/core/a.txt"],
  ]);
});

test("a file that a patch adds to a directory that upstream renamed names the renaming commit", async () => {
  const tree = { ...base, "src/one.c": lines(), "src/two.c": lines({ 1: "two" }) };
  const { carried, ids } = await stopped({
    base: tree,
    upstream: [
      {
        name: "renames",
        files: { "src/one.c": null, "src/two.c": null, "lib/one.c": lines(), "lib/two.c": lines({ 1: "two" }) },
      },
      noise("2"),
    ],
    stack: [{ files: { "src/new.c": "new\n" } }],
  });
  expect(carried.upstreamCommits[0]).toMatchObject({ commit: ids.renames, what: "renames files of src/ to lib/" });
});

test("names that are no UTF-8 or hold line feeds are told as people see them", async () => {
  const [odd, broken] = ["caf\xe9.txt", "new\nline.txt"];
  const { carried, ids } = await stopped({
    base: { ...base, [odd]: lines(), [broken]: lines() },
    upstream: [
      { name: "moves", files: { [odd]: null, [`moved/${odd}`]: lines({ 10: "theirs" }) } },
      { name: "deletes", files: { [broken]: null } },
    ],
    stack: [{ files: { [odd]: lines({ 10: "ours" }), [broken]: lines({ 10: "ours" }) } }],
  });
  expect(carried.upstreamCommits).toContainEqual(
    expect.objectContaining({ commit: ids.moves, what: "renames caf\\351.txt to moved/caf\\351.txt" }),
  );
  expect(carried.upstreamCommits).toContainEqual(
    expect.objectContaining({ commit: ids.deletes, what: "deletes new\nline.txt", files: ["new\nline.txt"] }),
  );
});
