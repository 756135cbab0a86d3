import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";
import { forgetMemory, listMemory } from "../../git/memory.ts";
import { isSafePath } from "../../git/safe-path.ts";
import { runGit } from "../support/repositories.ts";
import { type Remembering, remembering } from "./remembering.ts";
import { lines } from "./scene.ts";

const STORY = {
  base: { "a.txt": lines() },
  patch: { "a.txt": lines({ 10: "ours" }) },
  v2: { "a.txt": lines({ 10: "theirs" }) },
  fix: { "a.txt": lines({ 10: "both" }) },
};

/** A fork that remembers one resolution, and a stranger who may write there. */
async function fork() {
  const at = remembering(STORY);
  await at.remember();
  const [entry] = await listMemory(at.engine(), { url: at.url });
  const key = entry?.key as string;
  const own = runGit(at.url, ["rev-parse", `refs/patchmoi/resolutions/${key}`]);
  return { at, key, own, message: runGit(at.url, ["log", "-1", "--format=%B", own]) };
}

/** Stores an object as it is, which git would not make. */
function object(at: Remembering, type: "blob" | "tree" | "commit", raw: string | Buffer): string {
  const args = ["hash-object", "-w", "--literally", "--stdin", "-t", type];
  return execFileSync("git", args, { cwd: at.url, input: raw, encoding: "utf8" }).trim();
}

/** A tree of lines `<mode> <name>`, each with this object. */
function tree(at: Remembering, id: string, ...entries: string[]): string {
  const raw = entries.map((entry) => Buffer.concat([Buffer.from(`${entry}\0`), Buffer.from(id, "hex")]));
  return object(at, "tree", Buffer.concat(raw));
}

type Ours = Awaited<ReturnType<typeof fork>>;

function commit({ at, own, message }: Ours, changes: { tree?: string; message?: string; above?: string }): string {
  const who = "Mallory <m@example.org> 1700000000 +0000";
  const of = changes.tree ?? runGit(at.url, ["rev-parse", `${own}^{tree}`]);
  const head = `tree ${of}\n${changes.above ?? ""}author ${who}\ncommitter ${who}\n`;
  return object(at, "commit", `${head}\n${changes.message ?? message}\n`);
}

const strange: Record<string, (ours: Ours) => string> = {
  "a blob": ({ at }) => object(at, "blob", "x"),
  "a tree": ({ at, own }) => runGit(at.url, ["rev-parse", `${own}^{tree}`]),
  "a tag": ({ at, own }) => {
    runGit(at.url, ["-c", "user.name=M", "-c", "user.email=m@example.org", "tag", "-a", "-m", "m", "t", own]);
    return runGit(at.url, ["rev-parse", "refs/tags/t"]);
  },
  "a commit with a parent": (ours) => commit(ours, { above: `parent ${ours.own}\n` }),
  "no JSON": (ours) => commit(ours, { message: "Resolve\n\nnothing" }),
  "JSON of something else": (ours) => commit(ours, { message: 'Resolve\n\n{"patch": "--upload-pack=x"}' }),
  "a message without end": (ours) => commit(ours, { message: ours.message + " ".repeat(300_000) }),
};

test.each(Object.entries(strange))("an entry that is %s is listed as such, and not used", async (_, make) => {
  const ours = await fork();
  const { at, key } = ours;
  const id = make(ours);
  runGit(at.url, ["update-ref", `refs/patchmoi/resolutions/${key}`, id]);
  expect(await at.recall({ onto: "v2" })).toBeUndefined();
  const [entry] = await listMemory(at.engine(), { url: at.url });
  expect(entry).toMatchObject({ key, commit: id, subject: expect.stringContaining("not understood"), files: [] });
  expect(await forgetMemory(at.engine(), { url: at.url }, key)).toBe(true);
});

const BOMB_LEVELS = 8;

const trees: Record<string, (at: Remembering, blob: string) => string> = {
  "files elsewhere": (at, blob) => tree(at, blob, "100644 other"),
  nothing: (at, blob) => tree(at, blob),
  "a mode of its own": (at, blob) => tree(at, tree(at, blob, "100664 a.txt"), "40000 resolution"),
  "a way out of the tree": (at, blob) => tree(at, tree(at, tree(at, blob, "100644 x"), "40000 .."), "40000 resolution"),
  "a .git": (at, blob) => tree(at, tree(at, tree(at, blob, "100644 config"), "40000 .git"), "40000 resolution"),
  "a .git of another file system": (at, blob) =>
    tree(at, tree(at, tree(at, blob, "100644 config"), "40000 GIT~1"), "40000 resolution"),
  "a name that is not valid": (at, blob) => tree(at, tree(at, blob, "100644 a/b"), "40000 resolution"),
  "too many files": (at, blob) => {
    const names = Array.from({ length: 2_100 }, (_, index) => `100644 ${String(index).padStart(5, "0")}`);
    return tree(at, tree(at, blob, ...names), "40000 resolution");
  },
  "more files than there are atoms": (at, blob) => {
    const names = Array.from({ length: 100 }, (_, index) => String(index).padStart(3, "0"));
    let inner = tree(at, blob, ...names.map((name) => `100644 ${name}`));
    for (let level = 0; level < BOMB_LEVELS; level++) inner = tree(at, inner, ...names.map((name) => `40000 ${name}`));
    return tree(at, inner, "40000 resolution");
  },
};

test.each(Object.entries(trees))("an entry whose tree holds %s is not used", async (_, make) => {
  const ours = await fork();
  const { at, key } = ours;
  const id = commit(ours, { tree: make(at, object(at, "blob", "x\n")) });
  runGit(at.url, ["update-ref", `refs/patchmoi/resolutions/${key}`, id]);
  expect(await at.recall({ onto: "v2" })).toBeUndefined();
});

test("one bad entry spoils neither the list nor the others; refs beside are no entries", async () => {
  const ours = await fork();
  const { at, key } = ours;
  const blob = object(at, "blob", "x\n");
  const bad = commit(ours, { tree: tree(at, tree(at, blob, "100644 .git"), "40000 resolution") });
  for (const digit of ["0", "f"]) runGit(at.url, ["update-ref", `refs/patchmoi/resolutions/${digit.repeat(40)}`, bad]);
  runGit(at.url, ["update-ref", "refs/patchmoi/resolutions/x/y", ours.own]);
  const entries = await listMemory(at.engine(), { url: at.url });
  expect(entries.map((entry) => [entry.key, entry.by])).toEqual([
    [key, "Ann"],
    ["0".repeat(40), ""],
    ["f".repeat(40), ""],
  ]);
  expect(await at.recall({ onto: "v2" })).toMatchObject({ tree: at.tree("fix") });
});

const UNSAFE = [
  "",
  "/a",
  "a/",
  "a//b",
  ".",
  "a/..",
  "../a",
  "a\\..\\b",
  ".git",
  ".GIT/config",
  "a/.Git/b",
  "git~1/x",
  ".git . ./x",
  ".git::$INDEX_ALLOCATION/x",
  "a\\.git\\config",
  ".g\xe2\x80\x8cit/x",
  "\xef\xbb\xbf.git",
  "a".repeat(5_000),
];

test("only paths that stay where they are and out of every .git are safe", () => {
  expect(UNSAFE.filter(isSafePath)).toEqual([]);
  const safe = [
    "a",
    "a/b",
    ".gitignore",
    ".github/x",
    "a..b",
    "git~",
    "new\nline",
    "caf\xe9",
    "-x",
    "a\\b",
    "...",
    ".gitx",
  ];
  expect(safe.filter((path) => !isSafePath(path))).toEqual([]);
});
