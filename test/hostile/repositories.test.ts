import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { type Git, GitFailure, openGit, type Recipe } from "../../git/index.ts";
import { engineOptions, lines } from "../git/scene.ts";
import { runGit, TestRepository } from "../support/repositories.ts";
import { type Entry, type Ground, ground, rootOf, store, storeCommit, storeTree } from "./ground.ts";

/**
 * What hostile upstreams and forks hold. Each is taken through all that the engine does with one: read, carried, handed
 * over, exported for a build, pushed. It may be refused or carried; no canary may be touched, and nothing may leave.
 */
interface Hostile {
  name: string;
  /** Files that upstream's release gets beside its own; the marker is replaced by a command that bites. */
  files?: (at: Ground) => Record<string, string>;
  /** Entries that are put into the release's root tree as they are. */
  entries?: (at: Ground, blob: (content: string) => string) => Entry[];
  /** Anything else that is done to both repositories before they are published. */
  then?: (at: Ground) => void;
  /** Anything that is done to the served repositories. */
  served?: (at: Ground) => void;
  /** What becomes of it: by default it is carried like any other. Of some, older gits think otherwise than newer. */
  outcome?: "refused" | "either";
}

const bitingConfig = (at: Ground) =>
  `[filter "evil"]\n\tclean = ${at.bite}\n\tsmudge = ${at.bite}\n\trequired\n[diff "evil"]\n\tcommand = ${at.bite}\n\ttextconv = ${at.bite}\n[merge "evil"]\n\tdriver = ${at.bite}\n[core]\n\tfsmonitor = ${at.bite}\n\tsshCommand = ${at.bite}\n`;
const submodule = (name: string, lines: string) => ({ ".gitmodules": `[submodule "${name}"]\n${lines}` });
const ID = "1111111111111111111111111111111111111111";

const CONTENTS: Hostile[] = [
  {
    name: "filters, diff and merge drivers named by .gitattributes",
    files: (at) => ({ ".gitattributes": "* filter=evil diff=evil merge=evil\n", ".gitconfig": bitingConfig(at) }),
  },
  {
    name: "a config file where a bare repository has it",
    files: (at) => ({ config: bitingConfig(at), HEAD: "ref: x\n" }),
  },
  {
    name: "a whole bare repository with hooks inside the tree",
    files: (at) => ({
      "sub/HEAD": "ref: refs/heads/main\n",
      "sub/config": bitingConfig(at),
      "sub/objects/x": "",
      "sub/refs/x": "",
      "sub/hooks/post-checkout": `#!/bin/sh\n${at.bite}\n`,
    }),
  },
  { name: "hooks in the tree", files: (at) => ({ ".githooks/post-checkout": `#!/bin/sh\n${at.bite}\n` }) },
  {
    name: "encodings that git would have to convert",
    files: () => ({ ".gitattributes": "*.txt working-tree-encoding=UTF-16LE\n" }),
  },
  {
    name: "an encoding that does not exist",
    outcome: "either",
    entries: (_at, blob) => [["100644", ".gitattributes", blob("*.txt working-tree-encoding=$(id)\n")]],
  },
  { name: "keywords and line ends", files: () => ({ ".gitattributes": "*.txt ident text eol=crlf export-subst\n" }) },
  {
    name: "an attributes line of a megabyte",
    outcome: "either",
    files: () => ({ ".gitattributes": `${"x".repeat(1_000_000)} text\n` }),
  },
  { name: "10,000 attributes", files: () => ({ ".gitattributes": "*.txt a b c\n".repeat(10_000) }) },
  {
    name: "an LFS configuration that points elsewhere",
    files: (at) => ({
      ".lfsconfig": `[lfs]\n\turl = ${at.lure}\n`,
      ".gitattributes": "*.txt filter=lfs diff=lfs merge=lfs\n",
    }),
  },
  {
    name: "a submodule whose URL runs a command",
    files: (at) => submodule("m", `\tpath = m\n\turl = ext::sh -c '${at.bite}'\n`),
  },
  {
    name: "a submodule whose URL is an option",
    outcome: "refused",
    files: (at) => submodule("m", `\tpath = m\n\turl = --upload-pack=${at.bite}\n`),
  },
  {
    name: "a submodule whose path is an option",
    outcome: "refused",
    files: () => submodule("m", "\tpath = --template=/tmp\n\turl = https://packages.example/x\n"),
  },
  {
    name: "a submodule whose name leaves its directory",
    outcome: "refused",
    files: () => submodule("../../x", "\tpath = m\n\turl = https://packages.example/x\n"),
  },
  {
    name: "a submodule with an update command",
    outcome: "refused",
    files: (at) => submodule("m", `\tpath = m\n\turl = https://packages.example/x\n\tupdate = !${at.bite}\n`),
  },
  {
    name: "a submodule that is there",
    files: (at) => submodule("m", `\tpath = m\n\turl = ${at.lure}/m.git\n`),
    entries: () => [["160000", "m", ID]],
  },
  {
    name: "a .gitmodules that is a symbolic link",
    outcome: "refused",
    entries: (at, blob) => [["120000", ".gitmodules", blob(at.outside)]],
  },
  {
    name: "a .gitattributes that is a symbolic link",
    outcome: "either",
    entries: (at, blob) => [["120000", ".gitattributes", blob(join(at.outside, "file"))]],
  },
  ...[".git", ".GIT", ".Git", "git~1", ".git ", ".git.", ".g\u00e2\u0080\u008cit", ".git::$INDEX_ALLOCATION"].map(
    (name): Hostile => ({
      name: `a directory ${JSON.stringify(name)} with a hook`,
      ...(/[ .:]$|::/.test(name) ? { outcome: "either" as const } : { outcome: "refused" as const }),
      entries: (at, blob) => {
        const hook: Entry = ["100755", "post-checkout", blob(`#!/bin/sh\n${at.bite}\n`)];
        const hooks: Entry = ["40000", "hooks", storeTree(at.upstream.path, [hook])];
        const config: Entry = ["100644", "config", blob(bitingConfig(at))];
        return [["40000", name, storeTree(at.upstream.path, [config, hooks])]];
      },
    }),
  ),
  ...["..", ".", "a/../../outside/file"].map(
    (name): Hostile => ({
      name: `a tree entry named ${JSON.stringify(name)}`,
      outcome: "refused",
      entries: (_at, blob) => [["100644", name, blob("out\n")]],
    }),
  ),
  {
    name: "two entries of one name, a link and a directory",
    outcome: "refused",
    entries: (at, blob) => [
      ["120000", "twice", blob(at.outside)],
      ["40000", "twice", storeTree(at.upstream.path, [["100644", "file", blob("overwritten\n")]])],
    ],
  },
  {
    name: "entries in the wrong order",
    outcome: "refused",
    entries: (_at, blob) => [
      ["100644", "zz", blob("z\n")],
      ["100644", "aa", blob("a\n")],
    ],
  },
  {
    name: "a link to a directory outside, which the stack writes through",
    entries: (at, blob) => [["120000", "linked", blob(at.outside)]],
    then: (at) => at.fork.commit("Write", { files: { "linked/file": "overwritten\n" } }),
  },
  {
    name: "a link to /, and one to itself",
    entries: (_at, blob) => [
      ["120000", "loop", blob("loop")],
      ["120000", "root", blob("/")],
    ],
  },
  {
    name: "names that are options, commands and escape sequences",
    files: (at) => ({
      "--output=x": "x\n",
      "$(id)": "x\n",
      [`;${at.bite.replaceAll("/", ":")};`]: "x\n",
      "\u001b[2J": "x\n",
    }),
  },
  {
    name: "a name with a line break and a command behind it",
    files: (at) => ({ [`a\n${at.bite.replaceAll("/", ":")}`]: "x\n" }),
  },
  {
    name: "a name of 4,000 bytes below 100 directories",
    files: () => ({ [`${"d/".repeat(100)}${"n".repeat(200)}`]: "x\n" }),
  },
];

const HISTORIES: Hostile[] = [
  {
    name: "a subject that is a command",
    then: (at) => void at.fork.commit(`$(${at.bite}); \`${at.bite}\``, { files: { "x.txt": "x\n" } }),
  },
  {
    name: "a subject with escape sequences",
    then: (at) => void at.fork.commit("\u001b]0;owned\u0007\u001b[2J", { files: { "x.txt": "x\n" } }),
  },
  { name: "a message of three megabytes", then: (at) => writeMessage(at, "m".repeat(3_000_000)) },
  {
    name: "a message that looks like a diff and a commit",
    then: (at) => writeMessage(at, `x\n\ndiff --git a/x b/x\ncommit ${ID}\n--- a/x\n+++ b/x\n@@ -1 +1 @@\n-x\n+y\n`),
  },
  {
    name: "an author who is a command",
    then: (at) =>
      void at.fork.commit("X", {
        files: { "x.txt": "x\n" },
        author: { name: `$(${at.bite})`, email: "-x@example.org" },
      }),
  },
  {
    name: "an author whose date is beyond time",
    then: (at) => graft(at, { author: "Eve <eve@example.org> 99999999999999999999999" }),
  },
  {
    name: "a header line inside the author",
    outcome: "refused",
    then: (at) => graft(at, { author: `Eve <eve@example.org> 1 +0000\ntree ${ID}\nauthor Eve <eve@example.org>` }),
  },
  { name: "a zero byte in the message", outcome: "either", then: (at) => graft(at, { message: "a\0b\n" }) },
  { name: "replacements on both sides", then: (at) => replaceAll(at) },
  { name: "5,000 refs", served: (at) => manyRefs(at) },
  {
    name: "a branch of upstream named as an option",
    served: (at) => writeFileSync(join(at.upstreamUrl, "refs", "heads", "--upload-pack=id"), `${at.upstream.head()}\n`),
  },
  { name: "a tag of a tag of a tag, 50 deep", then: (at) => nestTags(at) },
  { name: "a merge with 100 parents upstream", then: (at) => manyParents(at) },
];

function writeMessage(at: Ground, message: string): void {
  at.fork.write("x.txt", "x\n");
  writeFileSync(join(at.directory, "message"), message);
  at.fork.git("add", "-A");
  at.fork.git("commit", "-q", "-F", join(at.directory, "message"));
}

/** Puts a commit that git would not write on top of the stack. */
function graft(at: Ground, more: { author?: string; message?: string }): void {
  const tree = runGit(at.fork.path, ["rev-parse", "HEAD^{tree}"]);
  at.fork.git("reset", "-q", "--soft", storeCommit(at.fork.path, tree, [at.fork.head()], more));
}

function replaceAll(at: Ground): void {
  for (const [url, repository] of [
    [at.upstreamUrl, at.upstream],
    [at.forkUrl, at.fork],
  ] as const) {
    const evil = storeCommit(
      repository.path,
      storeTree(repository.path, [["100644", "evil", store(repository.path, "blob", "evil\n")]]),
      [],
    );
    repository.git("push", "-q", url, `${evil}:refs/replace/${repository.head()}`);
  }
}

function manyRefs(at: Ground): void {
  const head = at.upstream.head();
  const packed = Array.from(
    { length: 5_000 },
    (_, index) => `${head} refs/heads/n/${String(index).padStart(5, "0")}\n`,
  );
  writeFileSync(
    join(at.upstreamUrl, "packed-refs"),
    `# pack-refs with: peeled fully-peeled sorted \n${packed.join("")}`,
  );
}

function nestTags(at: Ground): void {
  let [id, type] = [at.upstream.head(), "commit"];
  for (let depth = 0; depth < 50; depth++) {
    id = store(
      at.upstream.path,
      "tag",
      `object ${id}\ntype ${type}\ntag n\ntagger Eve <eve@example.org> 1 +0000\n\nx\n`,
    );
    type = "tag";
  }
  at.upstream.git("update-ref", "refs/tags/v2.0.0", id);
}

function manyParents(at: Ground): void {
  const tree = runGit(at.upstream.path, ["rev-parse", "HEAD^{tree}"]);
  const sides = Array.from({ length: 100 }, (_, index) =>
    storeCommit(at.upstream.path, tree, [at.upstream.head()], { message: `side ${index}\n` }),
  );
  at.upstream.git("reset", "-q", "--soft", storeCommit(at.upstream.path, tree, [at.upstream.head(), ...sides]));
  at.upstream.git("tag", "-f", "v2.0.0");
}

async function prepared(hostile: Hostile): Promise<Ground> {
  const at = await ground({ "a.txt": lines(), "b.txt": lines() });
  at.fork.commit("One", { files: { "a.txt": lines({ 3: "one" }) } });
  at.fork.commit("Two", { files: { "b.txt": lines({ 10: "two" }) } });
  at.upstream.commit("Theirs", {
    files: { "a.txt": lines({ 15: "theirs" }), "b.txt": lines({ 10: "theirs" }), ...hostile.files?.(at) },
  });
  if (hostile.entries) {
    const { path } = at.upstream;
    const added = hostile.entries(at, (content) => store(path, "blob", content));
    const tree = storeTree(path, [...rootOf(path, "HEAD"), ...added]);
    const commit = storeCommit(path, tree, [at.upstream.head()]);
    at.upstream.git("update-ref", "refs/heads/main", commit);
  }
  at.upstream.git("tag", "v2.0.0", "refs/heads/main");
  hostile.then?.(at);
  // A work tree of what is hostile is nothing that this test wants: only refs are published.
  at.publish();
  hostile.served?.(at);
  return at;
}

/** All that the engine does with a repository; a conflict is handed over, taken back as a skip, and the rest exported and pushed. */
async function everything(at: Ground, git: Git): Promise<"carried" | "refused"> {
  const remotes = { upstream: { url: at.upstreamUrl }, fork: { url: at.forkUrl }, patchBranch: "patches" };
  const target = { name: "v2.0.0", ref: "refs/tags/v2.0.0" };
  try {
    const plan = await git.plan({ ...remotes, target });
    if (plan.kind !== "carry") return "refused";
    const { release, tip, base } = plan;
    let recipe: Recipe = { ...remotes, target, release, tip, base, decisions: [] };
    for (;;) {
      const carried = await git.carry(recipe);
      if (carried.kind === "blocked") return "refused";
      if (carried.kind === "conflict") {
        const { progress, conflict, patch } = carried;
        await git.pushHandOff(recipe, { progress, conflict, patch });
        await git.readResolution(recipe, { progress, conflict, patch });
        recipe = { ...recipe, decisions: [...recipe.decisions, { kind: "skip", patch, reason: "hostile" }] };
        continue;
      }
      const tree = join(at.directory, "export");
      await git.exportTree(recipe, carried.tip, tree);
      expect(existsSync(join(tree, ".git"))).toBe(false);
      expect(await git.pushCandidate(recipe, { tip: carried.tip, branch: "out", message: "m" })).toMatchObject({
        kind: "pushed",
      });
      return "carried";
    }
  } catch (error) {
    if (error instanceof GitFailure && error.message.length > 0) return "refused";
    throw error;
  }
}

describe.each([
  ["contents", CONTENTS],
  ["histories", HISTORIES],
] as const)("hostile %s", (_, corpus) => {
  test.each(corpus)("$name", async (hostile) => {
    const at = await prepared(hostile);
    const git = openGit(engineOptions(join(at.directory, "data")));
    const outcome = await everything(at, git);
    if (hostile.outcome !== "either") expect(outcome).toBe(hostile.outcome ?? "carried");
    at.isUnharmed();
    const runs = join(at.directory, "data", "runs");
    expect(existsSync(runs) ? readdirSync(runs) : []).toEqual([]);
  });
});

test("what a person's clone and a build see of a carried hostile tree is inert", async () => {
  const at = await prepared(CONTENTS[0] as Hostile);
  const git = openGit(engineOptions(join(at.directory, "data")));
  await everything(at, git);
  expect(readFileSync(join(at.directory, "export", "a.txt"), "utf8")).toBe(lines({ 3: "one", 15: "theirs" }));
  TestRepository.clone(at.forkUrl, join(at.directory, "person"));
  at.isUnharmed();
});
