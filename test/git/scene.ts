/** An upstream, a fork and an engine, set up for one test. */

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
export function rebased(at: Scene, recipe: Recipe): string {
  const oracle = at.person();
  oracle.git("fetch", "-q", at.upstreamUrl, "+refs/tags/*:refs/tags/*", "+refs/heads/*:refs/remotes/upstream/*");
  const seconds = oracle.git("log", "-1", "--format=%ct", recipe.release);
  const environment = {
    GIT_COMMITTER_NAME: "patch.moi",
    GIT_COMMITTER_EMAIL: "noreply@patch.moi",
    GIT_COMMITTER_DATE: `@${seconds} +0000`,
  };
  runGit(oracle.path, ["checkout", "-q", "--detach", recipe.tip]);
  runGit(oracle.path, ["rebase", "-q", "--onto", recipe.release, recipe.base], environment);
  return oracle.head();
}

/** The text of a file in a commit of the served fork or of any repository path. */
export function fileAt(repository: string, commit: string, path: string): string {
  return `${runGit(repository, ["show", `${commit}:${path}`])}\n`;
}
