/** A whole small world for end-to-end tests: the service, git over HTTP, and as many forks with feeds as a test wants. */

import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { MaintenanceAttempt } from "../../domain/attempt.ts";
import { type GitServer, startGitServer } from "../../scripts/quickstart/git-server.ts";
import { startReleaseFeed } from "../../scripts/quickstart/release-feed.ts";
import { recordHistories } from "./record-histories.ts";
import {
  makeUpstreamAndFork,
  runGit,
  TestRepository,
  temporaryDirectory,
  type UpstreamAndFork,
} from "./repositories.ts";
import { Service } from "./service.ts";

type Json = Record<string, unknown>;

export interface World {
  service: Service;
  directory: string;
  addFork(name: string, options?: ForkOptions): Promise<ForkWorld>;
  close(): Promise<void>;
}

export interface ForkOptions {
  /** Merged into the fork's entry of `forks[]`. */
  fork?: Json;
  /** With a feed that is watched; without, releases are started by hand. */
  feed?: boolean;
}

export interface ForkWorld {
  id: string;
  repositories: UpstreamAndFork;
  server: GitServer;
  /** URL of the fork, as people clone it. */
  forkUrl: string;
  /** Commits to upstream, tags, publishes, and puts the release into the feed under a title that is not the tag. */
  release(tag: string, files: Record<string, string | null>): string;
  /** Starts the release by hand and answers the attempt's id. */
  startByHand(tag: string): Promise<string>;
  /** Refs of the fork as they are now, without `refs/`. */
  refs(): Record<string, string>;
  /** A file at a ref of the fork. */
  show(ref: string, path: string): string;
  /** A fresh clone of the fork, as a person has it; by its path, because our git server cannot answer while we wait for git. */
  clone(): TestRepository;
  setFork(change: Json): void;
}

const BASE = {
  "app.txt": "one\ntwo\nthree\nfour\nfive\nsix\nseven\neight\n",
  "other.txt": "other\n",
  "taken.txt": "before\n",
};

/** Starts the service with an empty config; forks are added to its file while it runs. */
export async function startWorld(temporalCli: string, env: Record<string, string> = {}): Promise<World> {
  const { path: directory, remove } = temporaryDirectory("patchmoi-e2e-");
  const service = await Service.at({ directory, temporalCli, env });
  const config: { sources: Json[]; forks: Json[] } = { sources: [], forks: [] };
  const save = () => writeFileSync(join(directory, "feed-sources.json"), JSON.stringify(config, null, 2));
  save();
  await service.start();
  const closers: (() => Promise<void> | void)[] = [];
  const addFork = async (name: string, { fork = {}, feed = false }: ForkOptions = {}): Promise<ForkWorld> => {
    const repositories = makeUpstreamAndFork(BASE);
    addPatches(repositories);
    const server = await startGitServer({ root: repositories.served });
    closers.push(() => server.close(), repositories.remove);
    const entry: Json = {
      id: name,
      upstream: { url: `${server.url}/upstream.git` },
      fork: { url: `${server.url}/fork.git` },
      patchBranch: "patches",
      ...fork,
    };
    config.forks.push(entry);
    const published = feed ? await startReleaseFeed({ owner: name, name: "app" }) : undefined;
    if (published) {
      closers.push(() => published.close());
      published.publish({ tag: "v1.0.0", title: "The first", updated: new Date("2026-01-01") });
      const repo = { owner: name, name: "app", fullName: `${name}/app`, webUrl: published.webUrl };
      const target = { mode: "workspace_flow", eventType: "upstream.release", fork: name };
      config.sources.push({
        id: `${name}-releases`,
        provider: "github",
        url: published.url,
        event: "release",
        repo,
        target,
      });
    }
    save();
    const bare = repositories.forkUrl;
    let releases = 0;
    return {
      id: name,
      repositories,
      server,
      forkUrl: `${server.url}/fork.git`,
      release(tag, files) {
        const sha = repositories.upstream.commit(`Release ${tag}`, { files });
        repositories.upstream.tag(tag);
        repositories.publish();
        releases += 1;
        const updated = new Date(Date.UTC(2026, 1, releases));
        published?.publish({ tag, title: `Release number ${releases}`, updated });
        return sha;
      },
      async startByHand(tag) {
        const { status, body } = await service.post<{ record: { runIds: string[] } }>("/flow-events", {
          type: "upstream.release",
          payload: { fork: name, tag },
        });
        if (status !== 202) throw new Error(`POST /flow-events answered ${status}: ${JSON.stringify(body)}`);
        return body.record.runIds[0] as string;
      },
      refs() {
        const lines = runGit(bare, ["for-each-ref", "--format=%(refname) %(objectname)"]).split("\n").filter(Boolean);
        return Object.fromEntries(lines.map((line) => line.slice("refs/".length).split(" ")));
      },
      show: (ref, path) => runGit(bare, ["show", `${ref}:${path}`]),
      clone() {
        const { path, remove } = temporaryDirectory("patchmoi-person-");
        closers.push(remove);
        return TestRepository.clone(bare, join(path, "clone"), 1_800_000_000);
      },
      setFork(change) {
        Object.assign(entry, change);
        save();
      },
    };
  };
  const close = async () => {
    const histories = process.env.PATCHMOI_RECORD_HISTORIES;
    try {
      if (histories) await recordHistories(service.temporalAddress, histories);
    } finally {
      await service.stop();
      for (const closer of closers.reverse()) await closer();
      remove();
    }
  };
  return { service, directory, addFork, close };
}

/** Waits until the first poll of a source has remembered what was there. */
export async function primed({ service }: World, sourceId: string): Promise<void> {
  type Sources = { sources: { id: string; lastCheckedAt: string | null }[] };
  const isChecked = async () =>
    (await service.get<Sources>("/feed-sources")).body.sources.some(
      ({ id, lastCheckedAt }) => id === sourceId && lastCheckedAt,
    );
  for (const deadline = Date.now() + 30_000; Date.now() < deadline; await sleep(100)) if (await isChecked()) return;
  throw new Error(`${sourceId} was not polled:\n${service.log()}`);
}

/** Three patches: one in a file of its own, one that upstream will take or clash with, one at the end of a shared file. */
function addPatches({ fork, publish }: UpstreamAndFork): void {
  fork.commit("Add our own file", { files: { "ours.txt": "ours\n" } });
  fork.commit("Shout the second line", { files: { "app.txt": BASE["app.txt"].replace("two", "TWO") } });
  fork.commit("Shout the last line", {
    files: { "app.txt": BASE["app.txt"].replace("two", "TWO").replace("eight", "EIGHT") },
  });
  publish();
}

/** Upstream changes the line that the second patch changes. */
export const CLASHING = { "app.txt": BASE["app.txt"].replace("two", "zwei") };
/** What a person makes of it. */
export const RESOLVED = BASE["app.txt"].replace("two", "ZWEI");
/** Upstream changes nothing that a patch touches. */
export const HARMLESS = { "other.txt": "another\n" };

export const waits = (attempt: MaintenanceAttempt) =>
  attempt.status === "needs_intervention" || attempt.status === "blocked";
export const done = (attempt: MaintenanceAttempt) => attempt.status === "changed";

/** Runs an intervention's commands as a person who pastes them: at the first comment the files are put right. */
export function follow(commands: string[], clone: TestRepository, fix: () => void): void {
  let fixed = false;
  for (const line of commands) {
    if (!line.startsWith("#")) runAsPerson(line, clone.path);
    else if (!fixed) fix();
    fixed ||= line.startsWith("#");
  }
}

/** One line in a person's shell. A cherry-pick that stops at the conflict is expected; anything else must work. */
function runAsPerson(line: string, cwd: string): void {
  const person = { NAME: "Pat Person", EMAIL: "pat@example.org" };
  const env = {
    PATH: process.env.PATH as string,
    HOME: cwd,
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_AUTHOR_NAME: person.NAME,
    GIT_AUTHOR_EMAIL: person.EMAIL,
    GIT_COMMITTER_NAME: person.NAME,
    GIT_COMMITTER_EMAIL: person.EMAIL,
  };
  const { status, stderr } = spawnSync("sh", ["-c", line], { cwd, env, encoding: "utf8" });
  if (status !== 0 && !line.startsWith("git cherry-pick")) throw new Error(`${line}\n${stderr}`);
}
