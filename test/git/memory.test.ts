import { expect, test } from "vitest";
import { forgetMemory, listMemory } from "../../git/memory/memory.ts";
import type { Merging } from "../../git/merge/engines.ts";
import { runGit } from "../support/repositories.ts";
import { type Files, remembering, type Story } from "./remembering.ts";
import { lines } from "./scene.ts";

/** Ten is what both sides change; each version says other things elsewhere. */
const TEXT = {
  base: { "a.txt": lines() },
  patch: { "a.txt": lines({ 10: "ours" }) },
  v2: { "a.txt": lines({ 10: "theirs" }) },
  fix: { "a.txt": lines({ 10: "both" }) },
  v3: { "a.txt": lines({ 1: "newer", 10: "theirs" }) },
  right: { "a.txt": lines({ 1: "newer", 10: "both" }) },
} satisfies Story;

const BINARY = (byte: number) => Buffer.from([0, 1, 2, byte, 0, 255]);
const COMMIT = (digit: string) => ({ submodule: digit.repeat(40) });
const LINK = (target: string) => ({ mode: "120000" as const, data: target });
const RUNS = (text: string) => ({ mode: "100755" as const, data: text });
const crlf = (text: string) => text.replaceAll("\n", "\r\n");
/** Something else that v3 brings. */
const NEWS: Files = { "news.txt": "news\n" };

const ODD_NAMES = [
  "new\nline.txt",
  "quo\"te \\ 's.txt",
  "caf\xe9.txt",
  "caf\xc3\xa9 -x.txt",
  "-rf",
  ":(top)x",
  "d\n/\xff",
];

const known: Record<string, Story> = {
  "text, in a file that differs elsewhere": TEXT,
  "text with CRLF": mapped(TEXT, crlf),
  "text without a last line end": mapped(TEXT, (text) => text.trimEnd()),
  "text that both added": { ...TEXT, base: {}, v3: NEWS, right: TEXT.fix },
  "two hunks in a file": {
    base: { "a.txt": lines() },
    patch: { "a.txt": lines({ 5: "ours", 15: "ours" }) },
    v2: { "a.txt": lines({ 5: "theirs", 15: "theirs" }) },
    fix: { "a.txt": lines({ 5: "first", 15: "second" }) },
    v3: { "a.txt": lines({ 5: "theirs", 10: "newer", 15: "theirs" }) },
    right: { "a.txt": lines({ 5: "first", 10: "newer", 15: "second" }) },
  },
  "text with longer markers": {
    ...mapped(TEXT, (text) => text),
    base: { ...TEXT.base, ".gitattributes": "*.txt conflict-marker-size=12\n" },
  },
  "text beside headings that look like the middle of a conflict": mapped(TEXT, (text) => `Heading\n=======\n${text}`),
  "a file that upstream deleted": {
    base: { "a.txt": lines(), "b.txt": "b\n" },
    patch: { "a.txt": lines({ 10: "ours" }) },
    v2: { "a.txt": null },
    fix: { "b.txt": "b\nours\n" },
    v3: NEWS,
    right: { "b.txt": "b\nours\n" },
  },
  "a file that the patch deletes": {
    base: { "a.txt": lines(), "b.txt": "b\n" },
    patch: { "a.txt": null },
    v2: { "a.txt": lines({ 10: "theirs" }) },
    fix: { "a.txt": null },
    v3: NEWS,
    right: { "a.txt": null },
  },
  "a file that stays as git left it": {
    base: { "a.txt": lines(), "b.txt": "b\n" },
    patch: { "a.txt": null, "b.txt": "patched\n" },
    v2: { "a.txt": lines({ 10: "theirs" }) },
    fix: { "b.txt": "patched\n" },
    v3: NEWS,
    right: { "b.txt": "patched\n" },
  },
  "a file that both renamed": {
    base: { "a.txt": lines() },
    patch: { "a.txt": null, "ours.txt": lines() },
    v2: { "a.txt": null, "theirs.txt": lines() },
    fix: { "theirs.txt": null, "both.txt": lines() },
    v3: NEWS,
    right: { "theirs.txt": null, "both.txt": lines() },
  },
  "a file that upstream renamed and changed": {
    ...TEXT,
    v2: { "a.txt": null, "lib/a.txt": lines({ 10: "theirs" }) },
    fix: { "lib/a.txt": lines({ 10: "both" }) },
    v3: { "lib/a.txt": lines({ 1: "newer", 10: "theirs" }) },
    right: { "lib/a.txt": lines({ 1: "newer", 10: "both" }) },
  },
  "a directory that upstream renamed": {
    base: { "d/1": lines({ 1: "one" }), "d/2": lines({ 1: "two" }) },
    patch: { "d/3": "new\n" },
    v2: { d: null, "e/1": lines({ 1: "one" }), "e/2": lines({ 1: "two" }) },
    fix: { "f/3": "new\n" },
    v3: NEWS,
    right: { "f/3": "new\n" },
  },
  "a binary file": {
    base: { "a.bin": BINARY(1) },
    patch: { "a.bin": BINARY(2) },
    v2: { "a.bin": BINARY(3) },
    fix: { "a.bin": BINARY(4) },
    v3: NEWS,
    right: { "a.bin": BINARY(4) },
  },
  "a submodule": {
    base: { sub: COMMIT("1") },
    patch: { sub: COMMIT("2") },
    v2: { sub: COMMIT("3") },
    fix: { sub: COMMIT("4") },
    v3: NEWS,
    right: { sub: COMMIT("4") },
  },
  "a symbolic link": {
    base: { link: LINK("a") },
    patch: { link: LINK("b") },
    v2: { link: LINK("c") },
    fix: { link: LINK("d") },
    v3: NEWS,
    right: { link: LINK("d") },
  },
  "modes that differ": {
    base: { "b.txt": "b\n" },
    patch: { run: RUNS("run\n") },
    v2: { run: "run\n" },
    fix: { run: RUNS("run\n") },
    v3: NEWS,
    right: { run: RUNS("run\n") },
  },
  "a file that became a directory": {
    base: { a: "a\n", "b.txt": "b\n" },
    patch: { a: "a\nours\n" },
    v2: { a: null, "a/b": "inside\n" },
    fix: { "a/b": "inside\nours\n" },
    v3: NEWS,
    right: { "a/b": "inside\nours\n" },
  },
  "with edits in files that did not conflict": {
    base: { ...TEXT.base, "b.txt": lines(), "gone.txt": "gone\n" },
    patch: { ...TEXT.patch, "c.txt": "c\n" },
    v2: TEXT.v2,
    fix: { ...TEXT.fix, "b.txt": lines({ 3: "adapted" }), "c.txt": "c\n", "gone.txt": null, "d/new.txt": "new\n" },
    v3: { "b.txt": lines({ 12: "newer" }) },
    right: {
      ...TEXT.fix,
      "b.txt": lines({ 3: "adapted", 12: "newer" }),
      "c.txt": "c\n",
      "gone.txt": null,
      "d/new.txt": "new\n",
    },
  },
  "where the edit in another file is there already": {
    base: { ...TEXT.base, "b.txt": "b\n" },
    patch: TEXT.patch,
    v2: TEXT.v2,
    fix: { ...TEXT.fix, "b.txt": "adapted\n" },
    v3: { "b.txt": "adapted\n" },
    right: TEXT.fix,
  },
  "a document about conflicts": mapped(TEXT, (text) => `${text}<<<<<<< HEAD\na\n=======\nb\n>>>>>>> branch\n`),
  "lines in conflict that look like markers": {
    ...TEXT,
    patch: { "a.txt": lines({ 10: "<<<<<<< ours" }) },
    v3: NEWS,
    right: TEXT.fix,
  },
  "files with odd names": mapped(TEXT, (text) => text, ODD_NAMES),
  "where the person replaces the file by a directory": {
    ...TEXT,
    fix: { "a.txt": null, "a.txt/one": "1\n" },
    v3: NEWS,
    right: { "a.txt": null, "a.txt/one": "1\n" },
  },
};

test.each(Object.entries(known))("is used again: %s", async (_, story) => {
  const at = remembering(story);
  await at.remember();
  const again = await at.recall();
  expect(again).toEqual({
    key: expect.stringMatching(/^[0-9a-f]{40}$/),
    tree: at.tree("right"),
    by: "Ann, for v2.0.0",
  });
});

interface Other {
  /** Instead of parts of TEXT. */
  story?: Partial<Story>;
  /** Another patch that comes to v3. */
  patch?: Files;
}

const TWO = { ...TEXT.base, "b.txt": lines() };
const DOCUMENT = "<<<<<<< progress\nhow it looks\n";

const unknown: Record<string, Other> = {
  "another line on upstream's side": { story: { v3: { "a.txt": lines({ 10: "other" }) } } },
  "another line on the patch's side": { patch: { "a.txt": lines({ 10: "other" }) } },
  "the same lines in another file": {
    story: { base: TWO, v3: { "a.txt": lines(), "b.txt": lines({ 10: "theirs" }) } },
    patch: { "b.txt": lines({ 10: "ours" }) },
  },
  "a hunk that is not known beside one that is": {
    story: { v3: { "a.txt": lines({ 3: "theirs", 10: "theirs" }) } },
    patch: { "a.txt": lines({ 3: "ours", 10: "ours" }) },
  },
  "one known hunk of two": {
    story: {
      patch: { "a.txt": lines({ 3: "ours", 10: "ours" }) },
      v2: { "a.txt": lines({ 3: "theirs", 10: "theirs" }) },
      fix: { "a.txt": lines({ 3: "both", 10: "both" }) },
    },
    patch: TEXT.patch,
  },
  "a file that is not known beside one that is": {
    story: { base: TWO, v3: { "b.txt": lines({ 10: "theirs" }) } },
    patch: { ...TEXT.patch, "b.txt": lines({ 10: "ours" }) },
  },
  "another mode": { patch: { "a.txt": RUNS(lines({ 10: "ours" })) } },
  "a symbolic link instead of a file": { patch: { "a.txt": LINK("ours") } },
  "other line ends": { story: { v3: { "a.txt": crlf(lines({ 10: "theirs" })) } }, patch: mapped(TEXT, crlf).patch },
  "a last line without its end": {
    story: {
      patch: { "a.txt": lines({ 20: "ours" }) },
      v2: { "a.txt": lines({ 20: "theirs" }) },
      fix: { "a.txt": lines({ 20: "both" }) },
      v3: { "a.txt": lines({ 20: "theirs" }).trimEnd() },
    },
  },
  "a deleted file with other content": {
    story: {
      patch: { "a.txt": null },
      v2: { "a.txt": lines({ 10: "theirs" }) },
      fix: { "a.txt": null },
      v3: { "a.txt": lines({ 10: "theirs", 11: "more" }) },
    },
  },
  "another version of a binary file": {
    story: {
      base: { "a.txt": BINARY(1) },
      patch: { "a.txt": BINARY(2) },
      v2: { "a.txt": BINARY(3) },
      fix: { "a.txt": BINARY(4) },
      v3: { "a.txt": BINARY(5) },
    },
  },
  "another commit of a submodule": {
    story: {
      base: { sub: COMMIT("1") },
      patch: { sub: COMMIT("2") },
      v2: { sub: COMMIT("3") },
      fix: { sub: COMMIT("4") },
      v3: { sub: COMMIT("5") },
    },
  },
  "lines that look like markers in a file that differs elsewhere": {
    story: { patch: { "a.txt": lines({ 10: "<<<<<<< ours" }) }, v3: TEXT.v3 },
  },
  "a line that may be a marker or not": {
    story: {
      base: { "a.txt": DOCUMENT + lines() },
      patch: { "a.txt": DOCUMENT + lines({ 10: "ours" }) },
      v2: { "a.txt": DOCUMENT + lines({ 10: "theirs" }) },
      fix: { "a.txt": DOCUMENT + lines({ 10: "both" }) },
      v3: { "a.txt": DOCUMENT + lines({ 10: "theirs", 20: "newer" }) },
    },
  },
  "an edit of a file whose lines upstream changed": {
    story: {
      base: TWO,
      fix: { ...TEXT.fix, "b.txt": lines({ 3: "adapted" }) },
      v3: { "b.txt": lines({ 3: "newer" }) },
    },
  },
  "an edit of a file that upstream deleted": {
    story: { base: TWO, fix: { ...TEXT.fix, "b.txt": lines({ 3: "adapted" }) }, v3: { "b.txt": null } },
  },
  "an edit of a file that must not be merged line by line": {
    story: {
      base: { ...TWO, ".gitattributes": "b.txt -merge\n" },
      fix: { ...TEXT.fix, "b.txt": lines({ 3: "adapted" }) },
      v3: { "b.txt": lines({ 15: "newer" }) },
    },
  },
  "a binary file that the person edited and upstream changed": {
    story: {
      base: { ...TEXT.base, "b.bin": BINARY(1) },
      fix: { ...TEXT.fix, "b.bin": BINARY(2) },
      v3: { "b.bin": BINARY(3) },
    },
  },
  "a deletion of a file that upstream changed": {
    story: { base: TWO, fix: { ...TEXT.fix, "b.txt": null }, v3: { "b.txt": lines({ 3: "newer" }) } },
  },
  "a new file that upstream has by now, with other content": {
    story: { fix: { ...TEXT.fix, "new.txt": "mine\n" }, v3: { "new.txt": "theirs\n" } },
  },
  "a new file where upstream has a directory by now": {
    story: { fix: { ...TEXT.fix, new: "mine\n" }, v3: { "new/file.txt": "theirs\n" } },
  },
  "a new directory where upstream has a file by now": {
    story: { fix: { ...TEXT.fix, "new/file.txt": "mine\n" }, v3: { new: "theirs\n" } },
  },
  "a resolution that left markers": {
    story: { fix: { "a.txt": lines({ 10: "<<<<<<< progress\ntheirs\n=======\nours\n>>>>>>> merge" }) } },
  },
};

test.each(Object.entries(unknown))("is not used: %s", async (_, { story, patch }) => {
  const at = remembering({ ...TEXT, v3: {}, ...story });
  await at.remember();
  if (patch) at.commit("other", "base", patch);
  expect(await at.recall({ patch: patch ? "other" : "patch" })).toBeUndefined();
});

test("is not used for the same lines of a file that both added", async () => {
  const at = remembering(TEXT);
  await at.remember();
  at.commit("without", "base", { "a.txt": null });
  at.commit("other", "without", TEXT.patch);
  expect(await at.recall({ patch: "other", onto: "v2" })).toBeUndefined();
  expect(await at.recall({ onto: "v2" })).toMatchObject({ tree: at.tree("fix") });
});

test("is used for an amended patch, whose id is in the markers, and for the last resolution of several", async () => {
  const at = remembering(TEXT);
  await at.remember();
  at.commit("amended", "base", TEXT.patch, "The same in other words");
  expect(await at.recall({ patch: "amended" })).toMatchObject({ tree: at.tree("right") });
  at.commit("better", "v2", { "a.txt": lines({ 10: "better" }) });
  await at.remember({ patch: "amended", fix: "better", by: "Bob", release: "v2.0.1" });
  at.commit("right-now", "v3", { "a.txt": lines({ 1: "newer", 10: "better" }) });
  expect(await at.recall()).toMatchObject({ tree: at.tree("right-now"), by: "Bob, for v2.0.1" });
});

const [, minor = "0"] = runGit(".", ["--version"]).match(/\d+\.(\d+)/) ?? [];
/** With the minor version of git 2 that each needs. */
const MERGINGS = Object.entries({ conversation: 39, process: 38, checkout: 34 } as const) as [Merging, number][];
const ways = MERGINGS.flatMap(([merging, needed]) => (Number(minor) >= needed ? [merging] : []));

test.each(ways)("is the same with every way to merge: %s", async (merging) => {
  const at = remembering({
    ...TEXT,
    base: { ...TEXT.base, link: LINK("a") },
    patch: { ...TEXT.patch, link: LINK("b") },
    v2: { ...TEXT.v2, link: LINK("c") },
  });
  await at.remember();
  const [entry] = refs(at.url);
  await at.remember({ merging });
  expect(refs(at.url)).toEqual([entry]);
  expect(await at.recall({ merging })).toMatchObject({ tree: at.tree("right") });
});

test("is listed, newest first, and forgotten", async () => {
  const at = remembering(TEXT);
  const [fork, engine] = [{ url: at.url }, at.engine()];
  expect(await listMemory(engine, fork)).toEqual([]);
  await at.remember();
  at.commit("other", "base", { "a.txt": lines({ 10: "mine" }) }, "Café\n\nMore words");
  at.commit("other-fix", "v2", { "a.txt": lines({ 10: "mine and theirs" }) });
  await at.remember({ patch: "other", fix: "other-fix", by: "Zoë\n\u001b[31m", release: "v2.0.0" });
  const [newer, older, ...more] = await listMemory(engine, fork);
  expect(more).toEqual([]);
  expect(older).toEqual({
    key: expect.stringMatching(/^[0-9a-f]{40}$/),
    patch: at.ids.patch,
    subject: "patch",
    files: ["a.txt"],
    release: "v2.0.0",
    by: "Ann",
    commit: at.ids.fix,
    createdAt: "2023-11-14T22:17:20.000Z",
  });
  expect(newer).toMatchObject({ subject: "Café", by: "Zoë  [31m", commit: at.ids["other-fix"] });
  const key = older?.key as string;
  expect(await forgetMemory(engine, fork, key)).toBe(true);
  expect(await forgetMemory(engine, fork, key)).toBe(false);
  expect(await forgetMemory(engine, fork, "../../heads/patch")).toBe(false);
  expect(await listMemory(engine, fork)).toEqual([newer]);
  expect(await at.recall()).toBeUndefined();
});

function refs(url: string): string[] {
  return runGit(url, ["for-each-ref", "--format=%(refname) %(objectname)", "refs/patchmoi"]).split("\n");
}

/** The story with every text changed, and perhaps its only file called otherwise. */
function mapped(story: typeof TEXT, change: (text: string) => string, names = ["a.txt"]): Story {
  const files = Object.entries(story).map(([commit, texts]) => {
    return [commit, Object.fromEntries(names.map((name) => [name, change(texts["a.txt"])]))];
  });
  return Object.fromEntries(files) as Story;
}
