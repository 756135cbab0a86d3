import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";
import { forgetMemory, listMemory } from "../../git/memory/memory.ts";
import { isSafePath } from "../../git/repository/safe-path.ts";
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

interface Named {
  mode: string;
  name: string;
  id: string;
}

function tree(at: Remembering, entries: Named[]): string {
  const place = ({ mode, name }: Named) => Buffer.from(mode === "40000" ? `${name}/` : name);
  const sorted = [...entries].sort((one, other) => Buffer.compare(place(one), place(other)));
  const raw = sorted.map(({ mode, name, id }) =>
    Buffer.concat([Buffer.from(`${mode} ${name}\0`), Buffer.from(id, "hex")]),
  );
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

type Addition = (at: Remembering, blob: string) => Named[];

const file =
  (name: string, mode = "100644"): Addition =>
  (_, id) => [{ mode, name, id }];
const inside =
  (name: string, addition: Addition): Addition =>
  (at, blob) => [{ mode: "40000", name, id: tree(at, addition(at, blob)) }];
const many =
  (count: number, addition: (name: string) => Addition): Addition =>
  (at, blob) =>
    Array.from({ length: count }, (_, index) => addition(`n${String(index).padStart(5, "0")}`)(at, blob)).flat();

/** Directories of a hundred directories each, eight deep: only eight trees. */
const bomb: Addition = (at, blob) => {
  let below = many(100, file)(at, blob);
  for (let level = 0; level < 8; level++) {
    const id = tree(at, below);
    below = many(100, (name) => () => [{ mode: "40000", name, id }])(at, blob);
  }
  return below;
};

/** The entry with more in its `resolution/`. */
function extended({ at, own, message }: Ours, addition: Addition): string {
  const [conflict, resolved] = ["conflict", "resolution/a.txt"].map((path) =>
    runGit(at.url, ["rev-parse", `${own}:${path}`]),
  );
  const blob = object(at, "blob", "x\n");
  const resolution = tree(at, [{ mode: "100644", name: "a.txt", id: resolved as string }, ...addition(at, blob)]);
  const root = [
    { mode: "40000", name: "conflict", id: conflict as string },
    { mode: "40000", name: "resolution", id: resolution },
  ];
  return commit({ at, own, message, key: "" }, { tree: tree(at, root) });
}

const additions: [name: string, addition: Addition, isUsed: boolean][] = [
  ["another file", inside("d", file("ordinary.txt")), true],
  ["a mode of its own", file("x", "100664"), false],
  ["a way out of the tree", inside("..", file("x")), false],
  [".gitmodules that is a link", file(".gitmodules", "120000"), false],
  ["a .git", inside(".git", file("config")), false],
  ["a .git of another file system", inside("GIT~1", file("config")), false],
  ["a .git behind a backslash", file("d\\.git\\config"), false],
  ["a name with a slash", file("b/c"), false],
  ["a thousand files", many(999, file), true],
  ["too many files", many(2_100, file), false],
  ["more files than there are atoms", inside("bomb", bomb), false],
];

test.each(additions)("an entry with %s", async (_, addition, isUsed) => {
  const ours = await fork();
  const { at, key } = ours;
  const id = extended(ours, addition);
  runGit(at.url, ["update-ref", `refs/patchmoi/resolutions/${key}`, id]);
  const again = await at.recall({ onto: "v2" });
  expect(again !== undefined).toBe(isUsed);
});

test("an entry that would leave markers is not used", async () => {
  const ours = await fork();
  const { at, key, own } = ours;
  const conflict = runGit(at.url, ["rev-parse", `${own}:conflict`]);
  const same = ["conflict", "resolution"].map((name) => ({ mode: "40000", name, id: conflict }));
  for (const root of [[], same]) {
    runGit(at.url, ["update-ref", `refs/patchmoi/resolutions/${key}`, commit(ours, { tree: tree(at, root) })]);
    expect(await at.recall({ onto: "v2" })).toBeUndefined();
  }
});

test("one bad entry spoils neither the list nor the others; refs beside are no entries", async () => {
  const ours = await fork();
  const { at, key } = ours;
  const bad = extended(ours, inside(".git", file("config")));
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
