/** An upstream, a fork and an engine, set up for one test. */

import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import type { Decision } from "../../domain/attempt.ts";
import {
  type Git,
  type GitOptions,
  openGit,
  type Plan,
  type Recipe,
  type Stopped,
  type Target,
} from "../../git/index.ts";
import { shownPath } from "../../git/repository/paths.ts";
import { makeUpstreamAndFork, runGit, TestRepository, type UpstreamAndFork } from "../support/repositories.ts";

export interface Scene extends UpstreamAndFork {
  git: Git;
  /** The engine's directory. */
  data: string;
  target: Target;
  plan(overrides?: { stackBase?: string; target?: Target }): Promise<Plan>;
  /** Publishes and plans; fails the test when there is nothing to carry. */
  recipe(decisions?: Decision[]): Promise<Recipe>;
  /** Commit that a ref of the served fork stands at; undefined when it is absent. */
  forkRef(ref: string): string | undefined;
  /** A fresh clone of the fork, as a person makes one. */
  person(): TestRepository;
}

export const LINES = Array.from({ length: 20 }, (_, index) => `line ${index + 1}`);

/** Twenty lines, some of them replaced: `{3: "three"}`. */
export function lines(changes: Record<number, string> = {}): string {
  return `${LINES.map((line, index) => changes[index + 1] ?? line).join("\n")}\n`;
}

export function engineOptions(directory: string, more: Partial<GitOptions> = {}): GitOptions {
  const environment = { PATH: process.env.PATH ?? "" };
  return { directory, allowPrivateNetwork: true, allowLocalRepos: true, environment, ...more };
}

export function scene(files: Record<string, string> = { "a.txt": lines(), "b.txt": lines(), "c.txt": lines() }): Scene {
  const pair = makeUpstreamAndFork(files);
  onTestFinished(() => pair.remove());
  const data = join(pair.directory, "data");
  const git = openGit(engineOptions(data));
  const target: Target = { name: "v2.0.0", ref: "refs/tags/v2.0.0" };
  const remotes = { upstream: { url: pair.upstreamUrl }, fork: { url: pair.forkUrl }, patchBranch: "patches" };
  let persons = 0;
  const planned = (overrides = {}) => git.plan({ ...remotes, target, ...overrides });
  return {
    ...pair,
    git,
    data,
    target,
    plan: planned,
    async recipe(decisions = []) {
      pair.publish();
      const found = await planned();
      if (found.kind !== "carry") throw new Error(`nothing to carry: ${found.kind}: ${found.reason}`);
      const { release, tip, base } = found;
      return { ...remotes, target, release, tip, base, decisions };
    },
    forkRef(ref) {
      return runGit(pair.forkUrl, ["for-each-ref", "--format=%(objectname)", ref]) || undefined;
    },
    person() {
      return TestRepository.clone(pair.forkUrl, join(pair.directory, `person-${++persons}`), 1_800_000_000);
    },
  };
}

/** Carries, and fails the test unless it stops at a conflict. */
export async function carryToConflict(at: Scene, recipe: Recipe) {
  const carried = await at.git.carry(recipe);
  if (carried.kind !== "conflict") throw new Error(`expected a conflict, got ${JSON.stringify(carried)}`);
  const stopped: Required<Stopped> = { progress: carried.progress, conflict: carried.conflict, patch: carried.patch };
  return { carried, stopped };
}

/** Carries, and fails the test unless everything was carried. */
export async function carryAll(at: Scene, recipe: Recipe) {
  const carried = await at.git.carry(recipe);
  if (carried.kind !== "carried") throw new Error(`expected it to carry, got ${JSON.stringify(carried)}`);
  return carried;
}

/** What a full `git rebase` with a pinned committer makes of the stack. */
export function rebased(at: Served, recipe: Recipe, options?: RebaseOptions): string {
  const outcome = askRebase(at, recipe, options);
  if ("tip" in outcome) return outcome.tip;
  throw new Error(`git rebase stopped at ${outcome.patch} with ${outcome.files.join(", ")}`);
}

export interface RebaseOptions {
  /** As `rebase --rebase-merges` does. */
  merges?: boolean;
  /** Leaves out what `git cherry` says upstream has. */
  taken?: boolean;
}

type Served = Pick<Scene, "directory" | "upstreamUrl" | "forkUrl">;

/** Where a full `git rebase` comes to: its tip, or the commit and the files it stops at, as an engine's answer names them. */
export function askRebase(
  at: Served,
  recipe: Recipe,
  { merges = false, taken = false }: RebaseOptions = {},
): { tip: string } | { patch: string; files: string[]; progress?: string } {
  const path = mkdtempSync(join(at.directory, "oracle-"));
  runGit(path, ["init", "-q"]);
  writeFileSync(join(path, ".git/objects/info/alternates"), `${at.upstreamUrl}/objects\n${at.forkUrl}/objects\n`);
  const { release, base, tip } = recipe;
  const environment: Record<string, string> = {
    GIT_COMMITTER_NAME: "patch.moi",
    GIT_COMMITTER_EMAIL: "noreply@patch.moi",
    GIT_COMMITTER_DATE: `@${runGit(path, ["log", "-1", "--format=%ct", release])} +0000`,
  };
  const flags = merges ? ["--rebase-merges"] : [];
  if (taken) {
    const marked = runGit(path, ["cherry", release, tip, base]).split("\n");
    const left = marked.flatMap((line) => (line.startsWith("- ") ? [line.slice(2)] : []));
    flags.push("--interactive", "--empty=drop");
    environment.GIT_SEQUENCE_EDITOR = `sed -i -E '/^pick (${left.join("|") || "none"})/d'`;
  }
  runGit(path, ["checkout", "-q", "--detach", tip]);
  try {
    runGit(path, ["-c", "core.abbrev=40", "rebase", "-q", ...flags, "--onto", release, base], environment);
    return { tip: runGit(path, ["rev-parse", "HEAD"]) };
  } catch (error) {
    const done = join(path, ".git/rebase-merge/done");
    if (!existsSync(done)) throw error;
    // `pick <commit> …` or `merge -C <commit> …`
    const patch = /[0-9a-f]{40}/.exec(readFileSync(done, "utf8").trim().split("\n").at(-1) ?? "")?.[0] as string;
    const unmerged = execFileSync("git", ["ls-files", "-u", "-z"], { cwd: path, encoding: "latin1" });
    const names = unmerged.split("\0").flatMap((line) => (line ? [line.slice(line.indexOf("\t") + 1)] : []));
    const files = [...new Set(names)].map(shownPath).sort();
    return { patch, files, ...(!merges && { progress: runGit(path, ["rev-parse", "HEAD"]) }) };
  }
}

/** The text of a file in a commit of the served fork or of any repository path. */
export function fileAt(repository: string, commit: string, path: string): string {
  return `${runGit(repository, ["show", `${commit}:${path}`])}\n`;
}
