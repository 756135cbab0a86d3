/** A pair of repositories with what both sides of a comparison need to be warm: an engine's mirror, a maintainer's clone. */

import { mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { type Git, type GitOptions, openGit, type Recipe } from "../git/index.ts";
import { runGit } from "./git.ts";
import { variantBranch } from "./variants.ts";

export interface Pair {
  /** Bare repositories. */
  upstream: string;
  fork: string;
  tag: string;
  /** The commit under the stack, and the release's. */
  base: string;
  release: string;
  /** Tips of the same stack under other ids, one a round. */
  tips: string[];
}

export interface Place extends Pair {
  directory: string;
  /** Where whoever carries by hand has all commits. */
  clone: string;
  /** Committer name, email and date that everybody uses. */
  committer: Record<string, string>;
  git: Git;
  recipe(round: number): Recipe;
}

export async function prepare(directory: string, pair: Pair, options: Partial<GitOptions> = {}): Promise<Place> {
  mkdirSync(directory, { recursive: true });
  const clone = makeClone(directory, pair);
  const git = openEngine(join(directory, "engine"), options);
  const seconds = runGit(pair.upstream, ["log", "-1", "--format=%ct", pair.release]);
  const recipe = (round: number): Recipe => ({
    upstream: { url: pair.upstream },
    fork: { url: pair.fork },
    target: { name: pair.tag, ref: `refs/tags/${pair.tag}` },
    patchBranch: variantBranch(round),
    release: pair.release,
    tip: pair.tips[round] as string,
    base: pair.base,
    decisions: [],
  });
  await warm(git, recipe(0));
  const committer = {
    GIT_COMMITTER_NAME: "patch.moi",
    GIT_COMMITTER_EMAIL: "noreply@patch.moi",
    GIT_COMMITTER_DATE: `@${seconds} +0000`,
  };
  return { ...pair, directory, clone, committer, git, recipe };
}

export function openEngine(directory: string, options: Partial<GitOptions> = {}): Git {
  return openGit(engineOptions(directory, options));
}

export function engineOptions(directory: string, options: Partial<GitOptions> = {}): GitOptions {
  const environment = { PATH: process.env.PATH ?? "" };
  return { directory, allowPrivateNetwork: true, allowLocalRepos: true, environment, ...options };
}

function makeClone(directory: string, { upstream, fork }: Pair): string {
  const clone = join(directory, "clone");
  runGit(directory, ["clone", "--quiet", "--no-checkout", upstream, clone]);
  const specs = ["+refs/heads/bench/*:refs/heads/bench/*"];
  runGit(clone, ["-c", "fetch.unpackLimit=1", "fetch", "--quiet", "--no-tags", fork, ...specs]);
  return clone;
}

/** Has the mirror made, and the stack fetched. */
export async function warm(git: Git, { upstream, fork, target, patchBranch }: Recipe): Promise<void> {
  const plan = await git.plan({ upstream, fork, target, patchBranch });
  if (plan.kind !== "carry") throw new Error(`there is nothing to carry: ${plan.reason}`);
}

/** Of the engine's directory only the mirrors stay: what one step leaves to the next would save it work too. */
export function forgetSteps({ directory }: Place): void {
  const engine = join(directory, "engine");
  for (const name of readdirSync(engine)) {
    if (name !== "mirrors" && name !== "home") rmSync(join(engine, name), { recursive: true, maxRetries: 3 });
  }
}

/** What a clone got in earlier rounds would save it work: the objects that it came with are in packs. */
export function forgetLoose(clone: string): void {
  const objects = join(clone, ".git", "objects");
  for (const name of readdirSync(objects)) {
    if (/^[0-9a-f]{2}$/.test(name)) rmSync(join(objects, name), { recursive: true });
  }
}
