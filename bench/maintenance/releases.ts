/** An upstream that publishes one release a round, and forks of it with the same stack, served over HTTP. */

import { cp } from "node:fs/promises";
import { join } from "node:path";
import { type GitServer, startGitServer } from "../../scripts/quickstart/git-server.ts";
import { runGit } from "../git.ts";
import type { Pair } from "../place.ts";

export const PATCH_BRANCH = "patches";

export interface Releases {
  directory: string;
  server: GitServer;
  base: string;
  /** The release of a round. */
  tag(round: number): string;
  /** Commits appear on upstream with the tag, as when people push. */
  publish(round: number): void;
  /** Name, email and date that all carried commits of a round get. */
  committer(round: number): Record<string, string>;
}

/** `forks` are names; each is served as `<name>.git`, upstream as `upstream.git`. */
export async function serveReleases(directory: string, pair: Pair, forks: string[], rounds: number): Promise<Releases> {
  const upstream = join(directory, "upstream.git");
  await cp(pair.upstream, upstream, { recursive: true });
  const commits = runGit(upstream, ["rev-list", "--reverse", `${pair.base}..${pair.release}`]).split("\n");
  const step = Math.max(1, Math.floor(commits.length / (rounds + 1)));
  const commit = (round: number) => commits[step * (round + 1) - 1] as string;
  runGit(upstream, ["update-ref", "refs/heads/main", pair.base]);
  runGit(upstream, ["update-ref", "-d", `refs/tags/${pair.tag}`]);
  for (const fork of forks) await makeFork(pair, join(directory, `${fork}.git`));
  const tag = (round: number) => `v2.${round}.0`;
  return {
    directory,
    server: await startGitServer({ root: directory }),
    base: pair.base,
    tag,
    publish(round) {
      for (const ref of ["refs/heads/main", `refs/tags/${tag(round)}`])
        runGit(upstream, ["update-ref", ref, commit(round)]);
    },
    committer(round) {
      const seconds = runGit(upstream, ["log", "-1", "--format=%ct", commit(round)]);
      return {
        GIT_COMMITTER_NAME: "patch.moi",
        GIT_COMMITTER_EMAIL: "noreply@patch.moi",
        GIT_COMMITTER_DATE: `@${seconds} +0000`,
      };
    },
  };
}

async function makeFork(pair: Pair, path: string): Promise<void> {
  await cp(pair.fork, path, { recursive: true });
  const refs = runGit(path, ["for-each-ref", "--format=%(refname)", "refs/heads/bench"]).split("\n");
  for (const ref of refs) runGit(path, ["update-ref", "-d", ref]);
  runGit(path, ["update-ref", `refs/heads/${PATCH_BRANCH}`, pair.tips[0] as string]);
}
