/** Many small histories in one served upstream and one served fork, each with a root of its own. */

import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect } from "vitest";
import type { Decision } from "../../domain/attempt.ts";
import { type Carried, type Conflict, type GitOptions, openGit, type Plan, type Recipe } from "../../git/index.ts";
import { type Content, fastImport, type ImportedCommit } from "../support/fast-import.ts";
import { runGit, TestRepository, temporaryDirectory } from "../support/repositories.ts";
import { askRebase, engineOptions, type RebaseOptions } from "./scene.ts";

/** Without a name it is called by its place; without parents it stands on the commit before it in its list. */
export type Told = Partial<Omit<ImportedCommit, "date">>;

export interface Telling {
  /** Files of the commit `base`, the older release. */
  base: Record<string, Content>;
  /** From base to the release, which is also called `release`. */
  upstream?: Told[];
  /** From base to the tip of the patch branch, which is also called `tip`. */
  stack: Told[];
}

export interface Story {
  /** Commits by their names. */
  ids: Record<string, string>;
  branch: string;
  plan(stackBase?: string): Promise<Plan>;
  recipe(decisions?: Decision[]): Promise<Recipe>;
  carry(decisions?: Decision[]): Promise<Carried>;
  /** Carries, pushes the candidate, and answers with what git says of it. Fails the test when it does not carry. */
  candidate(decisions?: Decision[]): Promise<Candidate>;
  /** Does what a person does at a stop: pushes these files on top of the progress, and tells the decision it became. */
  resolve(stopped: Conflict, files: Record<string, string | null>, decisions: Decision[]): Promise<Decision>;
  rebase(options?: RebaseOptions): Promise<Outcome>;
  /** Where both come to, which must be the same. */
  sameAsRebase(options?: RebaseOptions): Promise<Carried>;
}

export interface Candidate {
  carried: Carried & { kind: "carried" };
  git(...args: string[]): string;
  file(path: string): string;
}

/** Where a carry or a rebase came to, in words that both share. */
export type Outcome = { tip: string } | { patch: string; files: string[]; progress?: string };

export interface Stories {
  directory: string;
  upstreamUrl: string;
  forkUrl: string;
  tell(telling: Telling): Story;
}

const START = 1_700_000_000;

/** For a whole test file: the stories do not see each other. */
export function stories(options: Partial<GitOptions> = {}): Stories {
  const { path: directory, remove } = temporaryDirectory();
  afterAll(remove);
  const served = { upstream: join(directory, "upstream.git"), fork: join(directory, "fork.git") };
  for (const path of Object.values(served)) TestRepository.createBare(path);
  const at = { directory, upstreamUrl: served.upstream, forkUrl: served.fork };
  let told = 0;
  return { ...at, tell: (telling) => tell(at, ++told, telling, options) };
}

function tell(at: Omit<Stories, "tell">, number: number, telling: Telling, options: Partial<GitOptions>): Story {
  const branch = `patches-${number}`;
  const [older, newer] = [`refs/tags/v1.0.0-s${number}`, `refs/tags/v2.0.0-s${number}`];
  const { upstream, stack } = dated(telling, number);
  fastImport(at.upstreamUrl, { commits: upstream.commits, refs: { [older]: "base", [newer]: upstream.last } });
  const commits = [...upstream.commits, ...stack.commits];
  const found = fastImport(at.forkUrl, { commits, refs: { [`refs/heads/${branch}`]: stack.last } });
  const ids = { ...found, release: found[upstream.last] as string, tip: found[stack.last] as string };
  mkdirSync(join(at.directory, "data"), { recursive: true });
  const git = openGit(engineOptions(join(at.directory, "data"), options));
  const target = { name: newer.slice("refs/tags/".length), ref: newer };
  const remotes = { upstream: { url: at.upstreamUrl }, fork: { url: at.forkUrl }, patchBranch: branch };
  const plan = async (stackBase?: string) => git.plan({ ...remotes, target, ...(stackBase && { stackBase }) });
  const planRecipe = async (): Promise<Recipe> => {
    const found = await plan();
    if (found.kind !== "carry") throw new Error(`nothing to carry: ${found.kind}: ${found.reason}`);
    const { release, tip, base } = found;
    return { ...remotes, target, release, tip, base, decisions: [] };
  };
  let planned: Promise<Recipe> | undefined;
  const recipe = async (decisions: Decision[] = []) => {
    planned ??= planRecipe();
    return { ...(await planned), decisions };
  };
  const carry = async (decisions?: Decision[]) => {
    const given = await recipe(decisions);
    const carried = await git.carry(given);
    if (carried.kind !== "blocked") accountsForAll(at.forkUrl, given, carried);
    return carried;
  };
  const rebase = async (how?: RebaseOptions) => askRebase(at, await recipe(), how);
  return {
    ids,
    branch,
    plan,
    recipe,
    carry,
    rebase,
    async candidate(decisions) {
      const carried = await carry(decisions);
      if (carried.kind !== "carried") throw new Error(`expected it to carry, got ${JSON.stringify(carried)}`);
      const out = { tip: carried.tip, branch: `out-${number}`, message: "m" };
      const pushed = await git.pushCandidate(await recipe(decisions), out);
      if (pushed.kind !== "pushed") throw new Error(pushed.reason);
      const ask = (...args: string[]) => runGit(at.forkUrl, args);
      return { carried, git: ask, file: (path) => ask("show", `${carried.tip}:${path}`) };
    },
    async resolve(stopped, files, decisions) {
      const given = await recipe(decisions);
      const handedOff = await git.pushHandOff(given, stopped);
      if (handedOff.kind !== "pushed") throw new Error(handedOff.reason);
      const on = [stopped.progress, ...stopped.others];
      const ref = `refs/heads/patchmoi/resolution/${target.name}`;
      const fix = { name: stopped.subject, on, files, date: START };
      // As git does where the sides have not clashed: theirs for what they alone changed.
      const merged = stopped.others.flatMap((other) => changesOf(at.forkUrl, given.release, other));
      fastImport(at.forkUrl, {
        commits: [{ ...fix, files: { ...Object.fromEntries(merged), ...files } }],
        refs: { [ref]: fix.name },
      });
      const found = await git.readResolution(given, stopped);
      if (found.kind !== "accepted") throw new Error(found.reason);
      return found.decision;
    },
    async sameAsRebase(how) {
      const carried = await carry();
      expect(outcomeOf(carried, how)).toEqual(await rebase(how));
      return carried;
    },
  };
}

interface Line {
  commits: ImportedCommit[];
  last: string;
}

/** The base, upstream's commits and the stack's, one minute after the other. */
function dated({ base, upstream = [{}], stack }: Telling, number: number): { upstream: Line; stack: Line } {
  let minutes = 0;
  const date = () => START + 60 * minutes++;
  const root: ImportedCommit = { name: "base", on: [], files: { ...base, STORY: `${number}\n` }, date: date() };
  const line = (told: Told[], prefix: string): Line => {
    const commits: ImportedCommit[] = [];
    for (const [index, commit] of told.entries()) {
      const name = `${prefix} ${index + 1}`;
      commits.push({ name, message: name, on: [commits.at(-1)?.name ?? "base"], ...commit, date: date() });
    }
    return { commits, last: commits.at(-1)?.name ?? "base" };
  };
  const upstreams = line(upstream, "upstream");
  return { upstream: { ...upstreams, commits: [root, ...upstreams.commits] }, stack: line(stack, "patch") };
}

/** Files that differ, with what `to` has. */
function changesOf(repository: string, from: string, to: string): [string, string][] {
  const names = runGit(repository, ["diff", "--name-only", "-z", from, to]).split("\0").filter(Boolean);
  return names.map((name) => [name, `${runGit(repository, ["show", `${to}:${name}`])}\n`]);
}

function accountsForAll(
  fork: string,
  { base, release, tip }: Recipe,
  { ledger }: Exclude<Carried, { kind: "blocked" }>,
): void {
  const all = runGit(fork, ["rev-list", tip, `^${base}`, `^${release}`]).split("\n");
  expect(ledger.map(({ patch }) => patch).sort()).toEqual(all.sort());
}

function outcomeOf(carried: Carried, how?: RebaseOptions): Outcome {
  if (carried.kind === "blocked") throw new Error(`blocked: ${carried.reason}`);
  if (carried.kind === "carried") return { tip: carried.tip };
  const { patch, files, progress } = carried;
  return { patch, files: [...files].sort(), ...(!how?.merges && { progress }) };
}
