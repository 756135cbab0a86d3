/**
 * The same inputs give the same commits, stops and ledgers whatever git is there and whichever way it merges.
 *
 * PATCHMOI_TEST_GITS names directories with other gits to compare with, separated by colons.
 */

import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { expect, test } from "vitest";
import { type Carried, type GitOptions, openGit } from "../../git/index.ts";
import { engineOptions, lines } from "./scene.ts";
import { stories, type Telling } from "./stories.ts";

const at = stories();

const a = (changes: Record<number, string>) => ({ "a.txt": lines(changes) });
const b = (changes: Record<number, string>) => ({ "b.txt": lines(changes) });
const c = (changes: Record<number, string>) => ({ "c.txt": lines(changes) });
const base = { "a.txt": lines(), "b.txt": lines(), "c.txt": lines() };
const link = (data: string) => ({ mode: "120000" as const, data });
const program = (data: string) => ({ mode: "100755" as const, data });
const submodule = (digit: string) => ({ submodule: digit.repeat(40) });

/** One patch against one upstream commit, of which each must come to the same stop. */
const clash = (there: Telling["base"], upstream: Files, stack: Files): Telling => ({
  base: { ...there, "other.txt": lines() },
  upstream: [{ name: "theirs", files: upstream }, { files: { VERSION: "2\n" } }],
  stack: [{ files: { "other.txt": lines({ 3: "ours" }) } }, { files: stack }, { files: { last: "x\n" } }],
});
type Files = NonNullable<Telling["stack"][number]["files"]>;

/** Functions that differ in one line only; of some the line is replaced, or the whole function gone. */
function blocks(count: number, changes: Record<number, string | null> = {}): string {
  const block = (index: number) => {
    const change = changes[index + 1];
    return change === null ? "" : `int f()\n{\n  int i = ${change ?? index % 3};\n  return i;\n}\n\n`;
  };
  return Array.from({ length: count }, (_, index) => block(index)).join("");
}

const x = (changes: Record<number, string>) => ({ "x.txt": lines(changes) });

const TELLINGS: Record<string, Telling> = {
  "a clean stack": {
    base,
    upstream: [{ files: { ...a({ 1: "up" }), ...b({ 1: "up" }) } }],
    stack: [{ files: a({ 15: "one" }) }, { files: b({ 15: "two" }) }, { message: "Only a note" }],
  },
  "renames on both sides": {
    base: { "old/a.txt": lines(), "old/b.txt": lines(), "one.txt": lines({ 1: "one" }) },
    upstream: [{ files: { old: null, "new/a.txt": lines({ 2: "up" }), "new/b.txt": lines() } }],
    stack: [
      { files: { "old/a.txt": lines({ 15: "ours" }) } },
      { files: { "one.txt": null, two: lines({ 1: "one" }) } },
    ],
  },
  "patches that upstream has": {
    base,
    upstream: [{ files: a({ 10: "fixed" }) }, { files: { ...a({ 10: "fixed" }), ...b({ 5: "b", 7: "more" }) } }],
    stack: [{ files: a({ 10: "fixed" }) }, { files: b({ 5: "b" }) }, { files: c({ 5: "c" }) }],
  },
  "attributes of the release": {
    base: {
      ".gitattributes": "NEWS merge=union\n*.lock -merge\n",
      "d/.gitattributes": "LOG merge=union\n",
      NEWS: "1\n",
      "d/LOG": "1\n",
    },
    upstream: [{ files: { NEWS: "1\ntheirs\n", "d/LOG": "1\ntheirs\n", "x.lock": "theirs\n" } }],
    stack: [{ files: { NEWS: "1\nours\n", "d/LOG": "1\nours\n" } }, { files: { "x.lock": "ours\n" } }],
  },
  "attributes of an earlier patch": {
    base: { NEWS: "1\n" },
    upstream: [{ files: { NEWS: "1\ntheirs\n" } }],
    stack: [{ files: { ".gitattributes": "NEWS merge=union\n" } }, { files: { NEWS: "1\nours\n" } }],
  },
  "a conflict in text": clash(x({}), x({ 10: "theirs" }), x({ 10: "ours" })),
  "a conflict at two places": clash(x({}), x({ 3: "theirs", 17: "theirs" }), x({ 3: "ours", 17: "ours" })),
  "a file that upstream deleted": clash(x({}), { "x.txt": null }, x({ 10: "ours" })),
  "a file that the patch deletes": clash(x({}), x({ 10: "theirs" }), { "x.txt": null }),
  "a renamed file with a conflict": clash(
    x({}),
    { "x.txt": null, "y.txt": lines({ 10: "theirs" }) },
    x({ 10: "ours" }),
  ),
  "a file renamed two ways": clash(x({}), { "x.txt": null, "y.txt": lines() }, { "x.txt": null, "z.txt": lines() }),
  "a file that both add": clash({}, { new: "theirs\n" }, { new: "ours\n" }),
  "a file and a directory": clash(x({}), x({ 10: "theirs" }), { "x.txt": null, "x.txt/in": "ours\n" }),
  "a file and a link": clash(x({}), x({ 10: "theirs" }), { "x.txt": link("other.txt") }),
  "two links": clash({ l: link("a") }, { l: link("b") }, { l: link("c") }),
  "two modes": clash({}, { run: program("same\n") }, { run: "same\n" }),
  "two submodule pointers": clash({ lib: submodule("1") }, { lib: submodule("2") }, { lib: submodule("3") }),
  "two binaries": clash({ bin: Buffer.from([0, 1]) }, { bin: Buffer.from([0, 2]) }, { bin: Buffer.from([0, 3]) }),
  "a file added to a directory that moved": clash(
    { "old/a.txt": lines(), "old/b.txt": lines() },
    { old: null, "new/a.txt": lines(), "new/b.txt": lines() },
    { "old/c.txt": "ours\n" },
  ),
  "names of any bytes": clash(
    { 'caf\xe9\n"x"': lines(), "-dash": lines() },
    { 'caf\xe9\n"x"': lines({ 10: "theirs" }), "-dash": lines({ 1: "up" }) },
    { 'caf\xe9\n"x"': lines({ 10: "ours" }), "-dash": lines({ 10: "ours" }) },
  ),
  "a conflict marker of its own size": clash(
    { ".gitattributes": "*.txt conflict-marker-size=12\n", ...x({}) },
    x({ 10: "theirs" }),
    x({ 10: "ours" }),
  ),
  "line ends of DOS": clash(
    { "x.txt": lines().replaceAll("\n", "\r\n") },
    { "x.txt": lines({ 10: "theirs" }).replaceAll("\n", "\r\n") },
    { "x.txt": lines({ 10: "ours" }).replaceAll("\n", "\r\n") },
  ),
  "text about conflicts beside a conflict": clash(x({}), x({ 10: "theirs" }), {
    ...x({ 10: "ours" }),
    "about.txt": "so it looks:\n<<<<<<< HEAD\nours\n=======\ntheirs\n>>>>>>> branch\n",
  }),
  "blocks that look alike": clash(
    { "x.c": blocks(30) },
    { "x.c": blocks(30, { 3: "up", 20: "up" }) },
    { "x.c": blocks(30, { 5: "ours", 20: null }) },
  ),
  "lines that merged each other crosswise, and conflict": {
    base,
    upstream: [{ files: { ...b({ 1: "up" }), ...c({ 1: "up" }) } }],
    stack: [
      { name: "one", files: a({ 10: "one" }) },
      { name: "two", on: ["base"], files: a({ 10: "two" }) },
      { name: "one of two", on: ["one", "two"], files: a({ 10: "one of two" }) },
      { name: "two of one", on: ["two", "one"], files: a({ 10: "two of one" }) },
      { on: ["one of two", "two of one"], files: a({ 10: "both" }) },
    ],
  },
  "three topics at once": {
    base,
    upstream: [{ files: { ...a({ 1: "up" }), ...b({ 1: "up" }) } }],
    stack: [
      { name: "one", files: a({ 15: "one" }) },
      { name: "two", on: ["base"], files: b({ 15: "two" }) },
      { name: "three", on: ["base"], files: c({ 15: "three" }) },
      { on: ["one", "two", "three"], files: { ...b({ 15: "two" }), ...c({ 15: "three", 18: "by hand" }) } },
    ],
  },
  "merged topics": {
    base,
    upstream: [{ files: { ...a({ 1: "up" }), ...b({ 1: "up" }), ...c({ 1: "up" }) } }],
    stack: [
      { name: "one", files: a({ 10: "one" }) },
      { name: "two", on: ["base"], files: a({ 10: "two" }) },
      { name: "by hand", on: ["one", "two"], files: { ...a({ 10: "both" }), ...c({ 15: "by hand" }) } },
      { name: "line", files: b({ 15: "line" }) },
      { name: "three", on: ["by hand"], files: c({ 15: "by hand", 18: "three" }) },
      { on: ["line", "three"], files: c({ 15: "by hand", 18: "three" }) },
    ],
  },
  "a stopped merge": {
    base,
    upstream: [{ files: c({ 15: "theirs" }) }],
    stack: [
      { name: "line", files: b({ 15: "line" }) },
      { name: "topic", on: ["base"], files: a({ 15: "topic" }) },
      { on: ["line", "topic"], files: { ...a({ 15: "topic" }), ...c({ 15: "by hand" }) } },
    ],
  },
};

const told = Object.entries(TELLINGS).map(([name, telling]) => ({ name, story: at.tell(telling) }));

const gits = (process.env.PATCHMOI_TEST_GITS ?? "").split(":").filter(Boolean);
const withGit = (directory: string): Partial<GitOptions> => ({
  environment: { PATH: `${directory}:${process.env.PATH}` },
});
const MERGINGS = ["conversation", "process", "checkout"] as const;

interface Variant {
  name: string;
  options: Partial<GitOptions>;
}

const versionOf = (directory: string) =>
  execFileSync(join(directory, "git"), ["--version"], { encoding: "utf8" }).trim();

const variants: Variant[] = [
  ...MERGINGS.map((merging) => ({ name: `merging by ${merging}`, options: { merging } })),
  ...gits.map((directory) => ({ name: versionOf(directory), options: withGit(directory) })),
];

test.each(told)("$name: the same with every git, and merged in every way", async ({ story }) => {
  const recipe = await story.recipe();
  const carry = async (directory: string, options: Partial<GitOptions>) =>
    openGit(engineOptions(join(at.directory, directory), options)).carry(recipe);
  const wanted = await carry("data", {});
  expect(wanted.kind).not.toBe("blocked");
  const found: Record<string, Carried> = {};
  for (const { name, options } of variants) found[name] = await carry(name.replace(/\W/g, "-"), options);
  expect(found).toEqual(Object.fromEntries(variants.map(({ name }) => [name, wanted])));
});
