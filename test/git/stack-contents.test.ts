/** What a real stack contains is carried as a full `git rebase` carries it; where not, the test's name says so. */

import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { Carried } from "../../git/index.ts";
import { shownPath } from "../../git/repository/paths.ts";
import { runGit } from "../support/repositories.ts";
import { lines } from "./scene.ts";
import { stories, type Told } from "./stories.ts";

const at = stories();

const outcomes = (carried: Carried) => (carried.kind === "blocked" ? [] : carried.ledger.map(({ outcome }) => outcome));
const many = (count: number, make: (index: number) => [string, string]) =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => make(index)));
const link = (data: string) => ({ mode: "120000" as const, data });
const program = (data: string) => ({ mode: "100755" as const, data });
const pointsTo = (digit: string) => ({ submodule: digit.repeat(40) });

/** Upstream goes on elsewhere in the patched file, and in another. */
const goesOn: Told[] = [{ files: { "a.txt": lines({ 2: "upstream two" }) } }, { files: { VERSION: "2\n" } }];
const base = { "a.txt": lines(), "b.txt": lines(), "c.txt": lines() };

test("a stack of one", async () => {
  const story = at.tell({ base, upstream: goesOn, stack: [{ files: { "a.txt": lines({ 15: "ours" }) } }] });
  expect(outcomes(await story.sameAsRebase())).toEqual(["applied"]);
});

test("a stack of 500", async () => {
  const files = many(50, (index) => [`src/${index % 7}/${index}.txt`, lines()]);
  const state = new Map<string, Record<number, string>>();
  const stack = Array.from({ length: 500 }, (_, index) => {
    const name = `src/${(index % 50) % 7}/${index % 50}.txt`;
    const changes = { ...state.get(name), [10 + (Math.floor(index / 50) % 10)]: `patch ${index}` };
    state.set(name, changes);
    return { files: { [name]: lines(changes) } };
  });
  const upstream = [{ files: { "src/0/0.txt": lines({ 1: "upstream" }), "src/1/1.txt": lines({ 2: "upstream" }) } }];
  const story = at.tell({ base: files, upstream, stack });
  expect(outcomes(await story.sameAsRebase())).toEqual(Array(500).fill("applied"));
});

test("empty commits, fixup! and squash! commits stay as they are", async () => {
  const story = at.tell({
    base,
    upstream: goesOn,
    stack: [
      { message: "Only a note" },
      { message: "Change", files: { "b.txt": lines({ 3: "x" }) } },
      { message: "fixup! Change", files: { "b.txt": lines({ 3: "xx" }) } },
      { message: "squash! Change\n\nmore words", files: { "b.txt": lines({ 3: "xxx" }) } },
      { message: "amend! Change\n\nChange, reworded" },
      { message: "Another note" },
    ],
  });
  expect(outcomes(await story.sameAsRebase())).toEqual(Array(6).fill("applied"));
});

test("a revert, and the revert of the revert", async () => {
  const ours = lines({ 15: "ours" });
  const story = at.tell({
    base,
    upstream: goesOn,
    stack: [
      { message: "Change", files: { "a.txt": ours } },
      { message: 'Revert "Change"', files: { "a.txt": lines() } },
      { message: 'Revert "Revert "Change""', files: { "a.txt": ours } },
    ],
  });
  expect(outcomes(await story.sameAsRebase())).toEqual(["applied", "applied", "applied"]);
});

test("a patch that renames a file which upstream changed, and one that moves a directory", async () => {
  const tree = { "old/a.txt": lines(), "old/b.txt": lines(), "old/c.txt": lines(), "one.txt": lines() };
  const story = at.tell({
    base: tree,
    upstream: [{ files: { "old/a.txt": lines({ 2: "up" }), "one.txt": lines({ 2: "up" }) } }],
    stack: [
      { files: { "one.txt": null, "two.txt": lines({ 15: "ours" }) } },
      { files: { old: null, "new/a.txt": lines(), "new/b.txt": lines({ 7: "ours" }), "new/c.txt": lines() } },
    ],
  });
  expect(outcomes(await story.sameAsRebase())).toEqual(["applied", "applied"]);
});

test("patches of files that upstream renamed, also with their directory", async () => {
  const tree = { "old/a.txt": lines(), "old/b.txt": lines(), "one.txt": lines() };
  const moved = { old: null, "new/a.txt": lines({ 2: "up" }), "new/b.txt": lines() };
  const story = at.tell({
    base: tree,
    upstream: [{ files: { ...moved, "one.txt": null, "two.txt": lines({ 3: "up" }) } }],
    stack: [{ files: { "one.txt": lines({ 15: "ours" }) } }, { files: { "old/a.txt": lines({ 15: "ours" }) } }],
  });
  expect(outcomes(await story.sameAsRebase())).toEqual(["applied", "applied"]);
});

test("a file that a patch adds to a directory that upstream moved stops, as does one that upstream adds to a moved one", async () => {
  const tree = { "old/a.txt": lines(), "old/b.txt": lines() };
  const moved = { old: null, "new/a.txt": lines(), "new/b.txt": lines() };
  const added = { "old/added.txt": "added\n" };
  const theirs = at.tell({ base: tree, upstream: [{ files: moved }], stack: [{ files: added }] });
  expect(await theirs.sameAsRebase()).toMatchObject({ kind: "conflict", files: ["new/added.txt"] });
  const ours = at.tell({ base: tree, upstream: [{ files: added }], stack: [{ files: moved }] });
  expect(await ours.sameAsRebase()).toMatchObject({ kind: "conflict", files: ["new/added.txt"] });
});

test("more renames in one commit than git looks for by itself: 1,200 moved and changed files", async () => {
  const text = (index: number) => `${"same\n".repeat(5)}number ${index}\n${index * 7919}\n`;
  const tree = many(1200, (index) => [`old/${index}.txt`, text(index)]);
  const moved = { old: null, ...many(1200, (index) => [`new/${index}.txt`, `${text(index)}up\n`]) };
  const story = at.tell({
    base: tree,
    upstream: [{ files: moved }],
    stack: [{ files: { "old/7.txt": `ours\n${text(7)}` } }],
  });
  expect(outcomes(await story.sameAsRebase())).toEqual(["applied"]);
});

test("chmod by a patch on what upstream changed, and by upstream on what a patch changed", async () => {
  const story = at.tell({
    base: { "run.sh": lines(), "b.sh": lines(), "c.sh": lines() },
    upstream: [{ files: { "run.sh": lines({ 2: "up" }), "b.sh": program(lines()) } }],
    stack: [
      { message: "Make it run", files: { "run.sh": program(lines()) } },
      { message: "Change it", files: { "b.sh": lines({ 9: "ours" }) } },
      { message: "Only its mode", files: { "c.sh": program(lines()) } },
    ],
  });
  expect(outcomes(await story.sameAsRebase())).toEqual(["applied", "applied", "applied"]);
});

test("symbolic links: changed, made a file, made of a file, moved", async () => {
  const story = at.tell({
    base: { changed: link("a"), "to-file": link("a"), "to-link": lines(), "dir/moved": link("../a"), a: lines() },
    upstream: [{ files: { a: lines({ 2: "up" }), "to-elsewhere": link("/nowhere") } }],
    stack: [
      { files: { changed: link("b") } },
      { files: { "to-file": "a file\n" } },
      { files: { "to-link": link("a") } },
      { files: { "to-file": link("a"), "to-link": lines() } },
      { files: { "dir/moved": null, moved: link("../a") } },
    ],
  });
  expect(outcomes(await story.sameAsRebase())).toEqual(Array(5).fill("applied"));
});

test("a symbolic link that both sides changed stops", async () => {
  const story = at.tell({
    base: { link: link("a"), a: "a\n" },
    upstream: [{ files: { link: link("b") } }],
    stack: [{ files: { link: link("c") } }],
  });
  expect(await story.sameAsRebase()).toMatchObject({ kind: "conflict", files: ["link"] });
});

test("binary files: changed, added and deleted; both sides stop", async () => {
  const bytes = (seed: number) => Buffer.from(Array.from({ length: 600 }, (_, index) => (index * seed) % 256));
  const story = at.tell({
    base: { "x.bin": bytes(3), "y.bin": bytes(5), "z.bin": bytes(7), "a.txt": lines() },
    upstream: [{ files: { "a.txt": lines({ 1: "up" }), "z.bin": bytes(11) } }],
    stack: [
      { files: { "x.bin": bytes(13), "new.bin": bytes(17) } },
      { files: { "y.bin": null } },
      { files: { "z.bin": bytes(19) } },
    ],
  });
  const carried = await story.sameAsRebase();
  expect(carried).toMatchObject({ kind: "conflict", files: ["z.bin"] });
  expect(outcomes(carried)).toEqual(["applied", "applied", "conflict"]);
});

const crlf = (text: string) => text.replaceAll("\n", "\r\n");

test("files with CRLF and no attributes", async () => {
  const story = at.tell({
    base: { "dos.txt": crlf(lines()), "unix.txt": lines() },
    upstream: [{ files: { "dos.txt": crlf(lines({ 2: "up" })) } }],
    stack: [
      { files: { "dos.txt": crlf(lines({ 15: "ours" })) } },
      { message: "Turn the line ends", files: { "unix.txt": crlf(lines()) } },
      { message: "Turn them back", files: { "unix.txt": lines() } },
    ],
  });
  expect(outcomes(await story.sameAsRebase())).toEqual(["applied", "applied", "applied"]);
});

test("line ends that the patch turned and upstream did not stop", async () => {
  const story = at.tell({
    base: { "unix.txt": lines() },
    upstream: [{ files: { "unix.txt": lines({ 3: "up" }) } }],
    stack: [{ files: { "unix.txt": crlf(lines()) } }],
  });
  expect(await story.sameAsRebase()).toMatchObject({ kind: "conflict", files: ["unix.txt"] });
});

test("eol, text and working-tree-encoding attributes change nothing of what is stored, also where it is not as they say", async () => {
  const attributes = "* text=auto eol=crlf\n*.sh eol=lf\n*.u16 text working-tree-encoding=UTF-16\n*.id ident\n";
  const story = at.tell({
    base: {
      ".gitattributes": attributes,
      "a.txt": lines(),
      "stored-as-crlf.txt": crlf(lines()),
      "b.sh": lines(),
      "w.u16": lines({ 1: "wörter" }),
      "c.id": lines({ 1: "$Id$" }),
    },
    upstream: [
      {
        files: {
          "a.txt": lines({ 2: "up" }),
          "stored-as-crlf.txt": crlf(lines({ 2: "up" })),
          "w.u16": lines({ 1: "wörter", 2: "üp" }),
        },
      },
    ],
    stack: [
      { files: { "a.txt": lines({ 15: "ours" }) } },
      { files: { "stored-as-crlf.txt": crlf(lines({ 15: "ours" })) } },
      { files: { "b.sh": lines({ 15: "ours" }), "c.id": lines({ 1: "$Id$", 15: "ours" }) } },
      { files: { "w.u16": lines({ 1: "wörter", 15: "öurs" }) } },
    ],
  });
  expect(outcomes(await story.sameAsRebase())).toEqual(Array(4).fill("applied"));
});

/** Both sides put their own line at the same place. */
const clashing = (files: Record<string, string>, ...paths: string[]) => {
  const all = (text: string) => Object.fromEntries(paths.map((path) => [path, text]));
  return {
    base: { ...files, ...all("one\n") },
    upstream: [{ files: all("one\ntheirs\n") }],
    stack: paths.map((path) => ({ message: path, files: { [path]: "one\nours\n" } })),
  };
};

test("merge=union wherever attributes say it: anchored or not, below, by a macro, for quoted names", async () => {
  const root = ["NEWS merge=union", "/top/NOTES merge=union", "log/** merge=union", '"the NEWS" merge=union'];
  const attributes = {
    ".gitattributes": [...root, "[attr]news merge=union", "LOG news", "*.dos merge=union\r", ""].join("\n"),
    "below/.gitattributes": "CHANGES merge=union\n/HERE merge=union\nMINE binary\nMINE merge=union\n",
  };
  const paths = ["NEWS", "x/NEWS", "top/NOTES", "log/a/b", "the NEWS", "LOG", "x.dos"];
  const below = ["below/CHANGES", "below/x/CHANGES", "below/HERE", "below/MINE"];
  const story = at.tell(clashing(attributes, ...paths, ...below));
  expect(new Set(outcomes(await story.sameAsRebase()))).toEqual(new Set(["applied"]));
});

test("merge=union for quoted names below, and in directories with odd names", async () => {
  const odd = ["the log", "[log]", "l*g", "tab\tlog", "back\\log", "caf\xe9", '"log"', "#log", "!log"];
  const attributes = {
    "below/.gitattributes": '"the LOG" merge=union\n',
    ...Object.fromEntries(odd.map((directory) => [`${directory}/.gitattributes`, "ODD merge=union\n"])),
  };
  const story = at.tell(clashing(attributes, "below/the LOG", ...odd.map((directory) => `${directory}/x/ODD`)));
  expect(new Set(outcomes(await story.sameAsRebase()))).toEqual(new Set(["applied"]));
});

test("merge=union of the root that a deeper file takes back stops", async () => {
  const files = { ".gitattributes": "* merge=union\n", "log/.gitattributes": "NEWS !merge\n" };
  expect(await at.tell(clashing(files, "log/NEWS")).sameAsRebase()).toMatchObject({ files: ["log/NEWS"] });
});

test.each(["-merge", "merge=binary", "binary", "-merge -text"])(
  "%s stops where text would merge",
  async (attribute) => {
    const story = at.tell({
      base: { ".gitattributes": `*.lock ${attribute}\n`, "x.lock": lines() },
      upstream: [{ files: { "x.lock": lines({ 2: "up" }) } }],
      stack: [{ files: { "x.lock": lines({ 15: "ours" }) } }],
    });
    expect(await story.sameAsRebase()).toMatchObject({ kind: "conflict", files: ["x.lock"] });
  },
);

test("a merge driver that is not there is no merge driver", async () => {
  const story = at.tell({
    base: { ".gitattributes": "*.lock merge=ours\n*.po merge=pofile\n", "x.lock": lines(), "x.po": lines() },
    upstream: [{ files: { "x.lock": lines({ 2: "up" }), "x.po": lines({ 2: "up" }) } }],
    stack: [{ files: { "x.lock": lines({ 15: "ours" }), "x.po": lines({ 15: "ours" }) } }],
  });
  expect(outcomes(await story.sameAsRebase())).toEqual(["applied"]);
});

test("attributes that upstream brings with the release count", async () => {
  const story = at.tell({
    base: { NEWS: "one\n" },
    upstream: [{ files: { NEWS: "one\ntheirs\n", ".gitattributes": "NEWS merge=union\n" } }],
    stack: [{ files: { NEWS: "one\nours\n" } }],
  });
  expect(outcomes(await story.sameAsRebase())).toEqual(["applied"]);
});

test("attributes that an earlier patch brings count for the later ones", async () => {
  const story = at.tell({
    base: { NEWS: "one\n" },
    upstream: [{ files: { NEWS: "one\ntheirs\n" } }],
    stack: [{ files: { ".gitattributes": "NEWS merge=union\n" } }, { files: { NEWS: "one\nours\n" } }],
  });
  expect(outcomes(await story.sameAsRebase())).toEqual(["applied", "applied"]);
});

test("attributes that an earlier patch takes away do not count for the later ones", async () => {
  const story = at.tell({
    base: { NEWS: "one\n", ".gitattributes": "NEWS merge=union\n" },
    upstream: [{ files: { NEWS: "one\ntheirs\n" } }],
    stack: [{ files: { ".gitattributes": null } }, { files: { NEWS: "one\nours\n" } }],
  });
  expect(await story.sameAsRebase()).toMatchObject({ kind: "conflict", files: ["NEWS"] });
});

test("submodule pointers: changed, added, removed; both sides stop", async () => {
  const modules = '[submodule "lib"]\n\tpath = lib\n\turl = https://packages.example/lib.git\n';
  const story = at.tell({
    base: { ".gitmodules": modules, lib: pointsTo("1"), other: pointsTo("2"), both: pointsTo("3"), "a.txt": lines() },
    upstream: [{ files: { "a.txt": lines({ 2: "up" }), both: pointsTo("4") } }],
    stack: [
      { files: { lib: pointsTo("5"), "a.txt": lines({ 15: "ours" }) } },
      { files: { other: null, added: pointsTo("6") } },
      { files: { both: pointsTo("7") } },
    ],
  });
  const carried = await story.sameAsRebase();
  expect(carried).toMatchObject({ kind: "conflict", files: ["both"] });
  expect(outcomes(carried)).toEqual(["applied", "applied", "conflict"]);
});

test("a submodule that becomes files, and files that become a submodule", async () => {
  const story = at.tell({
    base: { lib: pointsTo("1"), "vendored/x.c": lines(), "a.txt": lines() },
    upstream: [{ files: { "a.txt": lines({ 2: "up" }) } }],
    stack: [{ files: { lib: null, "lib/x.c": lines() } }, { files: { vendored: null, "vendored-too": pointsTo("8") } }],
  });
  expect(outcomes(await story.sameAsRebase())).toEqual(["applied", "applied"]);
});

test("large files travel as their pointers, and two pointers stop as text", async () => {
  const pointer = (digit: string) =>
    `version https://git-lfs.github.com/spec/v1\noid sha256:${digit.repeat(64)}\nsize 12345\n`;
  const story = at.tell({
    base: {
      ".gitattributes": "*.psd filter=lfs diff=lfs merge=lfs -text\n",
      "ours.psd": pointer("a"),
      "both.psd": pointer("b"),
    },
    upstream: [{ files: { "both.psd": pointer("c"), VERSION: "2\n" } }],
    stack: [{ files: { "ours.psd": pointer("d"), "new.psd": pointer("e") } }, { files: { "both.psd": pointer("f") } }],
  });
  const carried = await story.sameAsRebase();
  expect(carried).toMatchObject({ kind: "conflict", files: ["both.psd"] });
  expect(outcomes(carried)).toEqual(["applied", "conflict"]);
});

const NAMES: Record<string, string> = {
  newlines: "new\nline.txt",
  quotes: `it's "quoted".txt`,
  "tabs and backslashes": "tab\tback\\slash.txt",
  "a leading dash": "--output=x.txt",
  "a colon first": ":(top,glob)*.txt",
  "stars and brackets": "*[a-z]?.txt",
  "bytes that are no UTF-8": "caf\xe9 \xff.txt",
  "UTF-8": Buffer.from("ünïcode ✓.txt").toString("latin1"),
  "control characters": "\x01\x02\x7f.txt",
  "blanks at its ends": " a.txt ",
};
const forEachName = <T>(make: (name: string) => T) => Object.values(NAMES).map(make);
const inEach = (content: string, directory = "") =>
  Object.fromEntries(forEachName((name) => [`${directory}${name}`, content]));

const named = once(() => {
  const story = at.tell({
    base: { ...inEach(lines()), ...inEach(lines(), "taken/") },
    upstream: [
      { files: inEach(lines({ 2: "up" })) },
      ...forEachName((name) => ({ name: `takes ${name}`, files: { [`taken/${name}`]: lines({ 9: "same" }) } })),
      {},
    ],
    stack: [
      ...forEachName((name) => ({ name: `changes ${name}`, files: { [name]: lines({ 15: "ours" }) } })),
      ...forEachName((name) => ({ name: `has ${name}`, files: { [`taken/${name}`]: lines({ 9: "same" }) } })),
      ...forEachName((name) => ({ name: `moves ${name}`, files: { [name]: null, [`moved/${name}/x`]: lines() } })),
      { files: { last: "x\n" } },
    ],
  });
  return story.sameAsRebase({ taken: true }).then((carried) => ({ ...story, carried }));
});

test("files of any name are carried as a rebase carries them", async () => {
  const count = Object.keys(NAMES).length;
  const each = (outcome: string) => Array(count).fill(outcome);
  expect(outcomes((await named()).carried)).toEqual([
    ...each("applied"),
    ...each("dropped"),
    ...each("applied"),
    "applied",
  ]);
});

test.each(Object.entries(NAMES))(
  "the commit that took a patch of a file with %s in its name is known",
  async (_, name) => {
    const { carried, ids } = await named();
    const row = carried.kind === "carried" && carried.ledger.find(({ patch }) => patch === ids[`has ${name}`]);
    expect(row && row.evidence).toContain(ids[`takes ${name}`]);
  },
);

const clash = once(() => {
  const story = at.tell({
    base: inEach(lines()),
    upstream: forEachName((name) => ({ message: name, files: { [name]: lines({ 9: "theirs" }) } })),
    stack: [{ files: inEach(lines({ 9: "ours" })) }],
  });
  return story.sameAsRebase();
});

test.each(Object.entries(NAMES))(
  "the commit that a patch of a file with %s in its name clashes with is known",
  async (_, name) => {
    const carried = await clash();
    if (carried.kind !== "conflict") throw new Error("it did not stop");
    expect(carried.files).toContain(shownPath(name));
    expect(carried.upstreamCommits.filter(({ files }) => files.includes(shownPath(name)))).toHaveLength(1);
  },
);

test("a rename that changes the case only", async () => {
  const story = at.tell({
    base: { README: lines(), "Dir/a.txt": lines() },
    upstream: [{ files: { README: lines({ 2: "up" }), "Dir/a.txt": lines({ 2: "up" }) } }],
    stack: [{ files: { README: null, Readme: lines({ 15: "ours" }) } }, { files: { Dir: null, "dir/a.txt": lines() } }],
  });
  expect(outcomes(await story.sameAsRebase())).toEqual(["applied", "applied"]);
});

test("a file that becomes a directory, and back", async () => {
  const story = at.tell({
    base: { thing: lines(), "dir/x": lines(), "a.txt": lines() },
    upstream: [{ files: { "a.txt": lines({ 2: "up" }) } }],
    stack: [
      { files: { thing: null, "thing/one": lines(), "thing/two": "two\n" } },
      { files: { dir: "now a file\n" } },
      { files: { thing: "a file again\n" } },
    ],
  });
  expect(outcomes(await story.sameAsRebase())).toEqual(["applied", "applied", "applied"]);
});

/** git puts the label of a side behind the name of a file that has to make room. */
const withoutLabels = (files: string[]) => files.map((file) => file.replace(/~.*$/, ""));

test("a file that upstream changed and the patch makes a directory stops where a rebase does, under another temporary name", async () => {
  const story = at.tell({
    base: { thing: lines(), "a.txt": lines() },
    upstream: [{ files: { thing: lines({ 2: "up" }) } }],
    stack: [{ files: { thing: null, "thing/one": "one\n" } }],
  });
  const [carried, rebase] = [await story.carry(), await story.rebase()];
  if (carried.kind !== "conflict" || "tip" in rebase) throw new Error("it did not stop");
  expect(withoutLabels(carried.files)).toEqual(withoutLabels(rebase.files));
});

test("a file that the patch makes a link and upstream changed stops where a rebase does, under another temporary name", async () => {
  const story = at.tell({
    base: { thing: lines(), other: lines() },
    upstream: [{ files: { thing: lines({ 2: "up" }) } }],
    stack: [{ files: { thing: link("other") } }],
  });
  const [carried, rebase] = [await story.carry(), await story.rebase()];
  if (carried.kind !== "conflict" || "tip" in rebase) throw new Error("it did not stop");
  expect(withoutLabels(carried.files).sort()).toEqual(withoutLabels(rebase.files).sort());
});

test("both sides added, renamed or deleted one file: stops where a rebase does", async () => {
  const tree = { "x.txt": lines(), "y.txt": lines(), "z.txt": lines() };
  const upstream = [{ files: { "x.txt": null, "x-theirs.txt": lines() } }];
  const renamed = at.tell({ base: tree, upstream, stack: [{ files: { "x.txt": null, "x-ours.txt": lines() } }] });
  expect(await renamed.sameAsRebase()).toMatchObject({ kind: "conflict" });
  const added = at.tell({
    base: tree,
    upstream: [{ files: { new: "theirs\n" } }],
    stack: [{ files: { new: "ours\n" } }],
  });
  expect(await added.sameAsRebase()).toMatchObject({ kind: "conflict", files: ["new"] });
  const deleted = at.tell({
    base: tree,
    upstream: [{ files: { "y.txt": lines({ 2: "up" }) } }],
    stack: [{ files: { "y.txt": null } }],
  });
  expect(await deleted.sameAsRebase()).toMatchObject({ kind: "conflict", files: ["y.txt"] });
  const onto = at.tell({
    base: tree,
    upstream: [{ files: { "x.txt": null, "moved.txt": lines() } }],
    stack: [{ files: { "y.txt": null, "moved.txt": lines({ 3: "y" }) } }],
  });
  await onto.sameAsRebase();
});

test("a directory of 20,000 files, and a file 200 directories down", async () => {
  const deep = `${"d/".repeat(200)}file`;
  const story = at.tell({
    base: { ...many(20_000, (index) => [`wide/${index}`, `${index % 100}\n`]), [deep]: lines() },
    upstream: [{ files: { "wide/10000": "upstream\n", [deep]: lines({ 2: "up" }) } }],
    stack: [{ files: { "wide/7": "ours\n", "wide/20001": "new\n" } }, { files: { [deep]: lines({ 15: "ours" }) } }],
  });
  expect(outcomes(await story.sameAsRebase())).toEqual(["applied", "applied"]);
});

test("authors, dates and zones of others, long subjects, odd and empty messages", async () => {
  const story = at.tell({
    base,
    upstream: goesOn,
    stack: [
      { author: Buffer.from("Zoë Ünal <z@e.example>").toString("latin1"), zone: "-1130", files: { n1: "1\n" } },
      { message: "x".repeat(100_000), files: { n2: "2\n" } },
      { message: Buffer.from(""), files: { n3: "3\n" } },
      { message: Buffer.from("no line end"), files: { n4: "4\n" } },
      { message: Buffer.from("dos\r\n\r\nlines\r\n"), files: { n5: "5\n" } },
      { message: Buffer.from("# not a comment\n\n\n\ntrailing blanks   \n\n\n"), files: { n6: "6\n" } },
      {
        message: Buffer.from("subject\nover two lines\n\nbody\n\nSigned-off-by: A <a@b.example>\n"),
        files: { n7: "7\n" },
      },
      { message: Buffer.from("<<<<<<< ours\n=======\n>>>>>>> theirs\n"), files: { n8: "8\n" } },
    ],
  });
  const carried = await story.sameAsRebase();
  expect(outcomes(carried)).toEqual(Array(8).fill("applied"));
});

test("messages and names that are no UTF-8 keep their bytes and their encoding, where a rebase writes them anew", async () => {
  const latin = (text: string) => Buffer.from(text, "latin1");
  const story = at.tell({
    base,
    upstream: goesOn,
    stack: [
      { encoding: "ISO-8859-1", author: "J\xf6rg <j@e.example>", message: latin("Gr\xfcn\n"), files: { n1: "1\n" } },
      { author: "J\xf6rg <j@e.example>", message: latin("no encoding said: \xff\xfe\n"), files: { n2: "2\n" } },
      { encoding: "x-unheard-of", message: latin("\x80\x81\n"), files: { n3: "3\n" } },
      { encoding: "UTF-16", message: latin("said to be what it is not\n"), files: { n4: "4\n" } },
    ],
  });
  const { carried } = await story.candidate();
  expect(bytesOf(carried.tip, 4)).toEqual(bytesOf(story.ids.tip as string, 4));
});

test("messages of nothing but line ends, and blank lines first, keep them, where a rebase cuts them", async () => {
  const story = at.tell({
    base,
    upstream: goesOn,
    stack: [
      { message: Buffer.from("\n\n\n"), files: { n1: "1\n" } },
      { message: Buffer.from("\n\n  late subject\n"), files: { n2: "2\n" } },
    ],
  });
  const { carried } = await story.candidate();
  expect(bytesOf(carried.tip, 2)).toEqual(bytesOf(story.ids.tip as string, 2));
  expect(carried.ledger.map(({ subject }) => subject)).toEqual(["", "late subject"]);
});

test("authors without a name or an address are kept, where a rebase refuses the first", async () => {
  const story = at.tell({
    base,
    upstream: goesOn,
    stack: [
      { author: "Nameless <>", files: { n1: "1\n" } },
      { author: " <nobody@e.example>", files: { n2: "2\n" } },
      { author: "<>", files: { n3: "3\n" } },
    ],
  });
  const { carried } = await story.candidate();
  expect(bytesOf(carried.tip, 3)).toEqual(bytesOf(story.ids.tip as string, 3));
});

/** The authors, encodings and messages of the last commits, byte for byte. */
function bytesOf(tip: string, count: number): string[] {
  const listed = execFileSync("git", ["rev-list", `--max-count=${count}`, tip], {
    cwd: at.forkUrl,
    encoding: "latin1",
  });
  return listed
    .trim()
    .split("\n")
    .map((id) => {
      const raw = execFileSync("git", ["cat-file", "commit", id], { cwd: at.forkUrl, encoding: "latin1" });
      return raw.replace(/^(tree|parent|committer) .*\n/gm, "");
    });
}

test("signatures and other headers go, as with a rebase, and the plan says so", async () => {
  const story = at.tell({ base, upstream: goesOn, stack: [{ files: { n1: "1\n" } }, { files: { n2: "2\n" } }] });
  const raw = runGit(at.forkUrl, ["cat-file", "commit", story.ids.tip as string]);
  const signature =
    "gpgsig -----BEGIN PGP SIGNATURE-----\n \n iQEzBAAB\n -----END PGP SIGNATURE-----\nx-note kept nowhere";
  const file = join(at.directory, "signed");
  writeFileSync(file, `${raw.replace("\n\n", `\n${signature}\n\n`)}\n`);
  const id = runGit(at.forkUrl, ["hash-object", "-t", "commit", "-w", file]);
  runGit(at.forkUrl, ["update-ref", `refs/heads/${story.branch}`, id]);
  expect(await story.plan()).toMatchObject({ warnings: [expect.stringMatching(/signature/)] });
  expect(await story.sameAsRebase()).toMatchObject({ kind: "carried" });
});

test("notes stay with the commits they are on", async () => {
  const story = at.tell({ base, upstream: goesOn, stack: [{ files: { n1: "1\n" } }] });
  const person = ["-c", "user.name=Ann", "-c", "user.email=ann@example.org"];
  runGit(at.forkUrl, [...person, "notes", "add", "-m", "a note", story.ids.tip as string]);
  const notes = runGit(at.forkUrl, ["rev-parse", "refs/notes/commits"]);
  const { carried, git } = await story.candidate();
  expect(await story.rebase()).toEqual({ tip: carried.tip });
  expect(git("rev-parse", "refs/notes/commits")).toBe(notes);
});

/** Runs `work` when it is first asked for. */
function once<T>(work: () => Promise<T>): () => Promise<T> {
  let running: Promise<T> | undefined;
  return async () => {
    running ??= work();
    return running;
  };
}
