import { join } from "node:path";
import { expect, test } from "vitest";
import { parseConfig } from "../../domain/config.ts";
import { GitFailure, openGit, type PlanInput, RefusedRemote } from "../../git/index.ts";
import { engineOptions, lines } from "../git/scene.ts";
import { type Ground, ground } from "./ground.ts";

/** Names and URLs from feeds, webhooks and forges, none of which may become an option, a path, a pattern or a command. */
const NAMES: ((at: Ground) => string)[] = [
  (at) => `--upload-pack=${at.bite}`,
  () => "--output=canary",
  () => "-x",
  (at) => `$(${at.bite})`,
  (at) => `v1;${at.bite}`,
  (at) => `v1\n${at.bite}`,
  (at) => `\`${at.bite}\``,
  () => "../../../../etc/passwd",
  () => "a/../b",
  () => "/absolute",
  () => "trailing/",
  () => "a//b",
  () => ".hidden",
  () => "a/.hidden",
  () => "v1.lock",
  () => "v1..v2",
  () => "v1^{}",
  () => "v1~3",
  () => "HEAD@{1}",
  () => "*",
  () => "v[1]",
  () => "v?",
  () => "a:b",
  () => "a\\b",
  () => "a b",
  () => "\u0000",
  () => "\u001b[2J",
  () => "",
];

/** Remotes that run a command, read this machine, or are something else than they seem, by git's own rules. */
const REMOTES: ((at: Ground) => string)[] = [
  (at) => `ext::sh -c ${at.bite.replaceAll(" ", "% ")}`,
  (at) => `ext::${at.bite}`,
  () => "fd::17",
  () => "fd::0,1/x",
  (at) => `--upload-pack=${at.bite}`,
  (at) => `ssh://-oProxyCommand=${at.bite.replaceAll(" ", "%20")}/x`,
  (at) => `-oProxyCommand=${at.bite}@packages.example:x`,
  (at) => `git@-oProxyCommand=${at.bite}:x`,
  () => "ssh://-x@packages.example/x",
  () => "git://packages.example/x",
  () => "ftp://packages.example/x",
  () => "gopher://packages.example/x",
  () => "rsync://packages.example/x",
  () => "https://packages.example/x\n--upload-pack=id",
  () => "https://user:secret-password@packages.example/x",
  () => "https://",
  () => "",
  () => " /x",
  () => "bundle.bundle",
  () => "::1:x",
];

const TARGET = { name: "v2.0.0", ref: "refs/tags/v2.0.0" };

async function prepared() {
  const at = await ground({ "a.txt": lines() });
  at.fork.commit("One", { files: { "a.txt": lines({ 3: "one" }) } });
  at.upstream.commit("Theirs", { files: { "a.txt": lines({ 15: "theirs" }) } });
  at.upstream.tag("v2.0.0");
  at.publish();
  const git = openGit(engineOptions(join(at.directory, "data")));
  const remotes = { upstream: { url: at.upstreamUrl }, fork: { url: at.forkUrl }, patchBranch: "patches" };
  const tell = async (input: Partial<PlanInput>) => {
    try {
      const plan = await git.plan({ ...remotes, target: TARGET, ...input });
      return plan.kind === "blocked" ? plan.reason : plan.kind;
    } catch (error) {
      if (error instanceof RefusedRemote || error instanceof GitFailure) return error.message;
      throw error;
    }
  };
  return { at, git, remotes, tell };
}

test("no name is more than a name: neither of a release, nor of a branch, nor of what is pushed", async () => {
  const { at, git, remotes, tell } = await prepared();
  const plan = await git.plan({ ...remotes, target: TARGET });
  if (plan.kind !== "carry") throw new Error(plan.kind);
  const { release, tip, base } = plan;
  const recipe = { ...remotes, target: TARGET, release, tip, base, decisions: [] };
  const carried = await git.carry(recipe);
  if (carried.kind !== "carried") throw new Error(carried.kind);
  for (const make of NAMES) {
    const name = make(at);
    const told = [
      await tell({ target: { name, ref: `refs/tags/${name}` } }),
      await tell({ target: { name: "v2.0.0", ref: name } }),
      await tell({ patchBranch: name }),
      ...(name ? [await tell({ stackBase: name })] : []),
    ];
    for (const words of told)
      expect(words, JSON.stringify(name)).toMatch(/not a valid git ref|has no|cannot be a branch/);
    const refused = { kind: "blocked", reason: expect.stringMatching(/not a valid git ref|cannot be a branch/) };
    const push = { tip: carried.tip, message: "m" };
    expect(await git.pushCandidate(recipe, { ...push, branch: name }), JSON.stringify(name)).toMatchObject(refused);
    const file = {
      sources: [],
      forks: [
        {
          id: "f",
          upstream: { url: "https://packages.example/u" },
          fork: { url: "https://packages.example/f" },
          patchBranch: name,
        },
      ],
    };
    if (!name.startsWith("-")) expect(parseConfig(JSON.stringify(file)).ok, JSON.stringify(name)).toBe(false);
  }
  at.isUnharmed();
});

test("no remote is more than a repository", async () => {
  const { at, tell } = await prepared();
  for (const make of REMOTES) {
    const url = make(at);
    for (const input of [{ upstream: { url } }, { fork: { url } }]) {
      expect(await tell(input), JSON.stringify(url)).toMatch(
        /refused|is not a git URL|not a URL|holds a secret|not allowed/,
      );
    }
  }
  at.isUnharmed();
});
