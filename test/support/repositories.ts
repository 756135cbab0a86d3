/** Makes real upstream and fork repositories for tests: fixed names and dates, so that the same calls give the same commits. */

import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

export interface CommitOptions {
  /** Path to new content; `null` deletes the file. */
  files?: Record<string, string | Buffer | null>;
  author?: { name: string; email: string };
  /** Seconds since 1970; without it one minute after the commit before. */
  date?: number;
  allowEmpty?: boolean;
}

const EPOCH = 1_700_000_000;

/** A directory under the system's temporary one; `remove()` deletes it. */
export function temporaryDirectory(prefix = "patchmoi-test-"): { path: string; remove(): void } {
  const path = realpathSync(mkdtempSync(join(tmpdir(), prefix)));
  return { path, remove: () => rmSync(path, { recursive: true, force: true, maxRetries: 3 }) };
}

/** A repository with a work tree, in which a test plays upstream, the fork's maintainer or the person who resolves. */
export class TestRepository {
  readonly path: string;
  #clock: number;

  constructor(path: string, startAt = EPOCH) {
    this.path = path;
    this.#clock = startAt;
  }

  /** An empty repository on branch `main`. */
  static create(path: string, startAt?: number): TestRepository {
    mkdirSync(path, { recursive: true });
    const repository = new TestRepository(path, startAt);
    repository.git("init", "-q", "-b", "main");
    return repository;
  }

  /** An empty bare repository, ready to be served and pushed to. Fetching a commit by its id is refused, as plain git servers do. */
  static createBare(path: string): string {
    mkdirSync(path, { recursive: true });
    runGit(path, ["init", "-q", "--bare", "-b", "main"]);
    runGit(path, ["config", "http.receivepack", "true"]);
    return path;
  }

  static clone(url: string, path: string, startAt?: number): TestRepository {
    mkdirSync(dirname(path), { recursive: true });
    runGit(dirname(path), ["clone", "-q", url, path]);
    return new TestRepository(path, startAt);
  }

  /** Runs git here and returns its trimmed output; throws with git's own words when it fails. */
  git(...args: string[]): string {
    return runGit(this.path, args, this.#environment(this.#clock));
  }

  /** Writes the files and commits them; returns the full commit id. */
  commit(message: string, options: CommitOptions = {}): string {
    for (const [name, content] of Object.entries(options.files ?? {})) this.write(name, content);
    this.#clock = options.date ?? this.#clock + 60;
    const environment = this.#environment(this.#clock, options.author);
    runGit(this.path, ["add", "-A"], environment);
    const flags = options.allowEmpty ? ["--allow-empty"] : [];
    runGit(this.path, ["commit", "-q", "--no-verify", ...flags, "-m", message], environment);
    return this.head();
  }

  write(name: string, content: string | Buffer | null): void {
    const path = join(this.path, name);
    if (content === null) return rmSync(path, { recursive: true });
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
  }

  /** An annotated tag on HEAD (or `at`). */
  tag(name: string, at = "HEAD"): void {
    this.git("tag", "-a", "-m", name, "--", name, at);
  }

  head(ref = "HEAD"): string {
    return this.git("rev-parse", `${ref}^{commit}`);
  }

  /** Tries a command that may fail, such as a cherry-pick that conflicts; true when it succeeded. */
  tries(...args: string[]): boolean {
    try {
      this.git(...args);
      return true;
    } catch {
      return false;
    }
  }

  #environment(date: number, author = { name: "Ann Author", email: "ann@example.org" }): Record<string, string> {
    return {
      GIT_AUTHOR_NAME: author.name,
      GIT_AUTHOR_EMAIL: author.email,
      GIT_AUTHOR_DATE: `@${date} +0200`,
      GIT_COMMITTER_NAME: author.name,
      GIT_COMMITTER_EMAIL: author.email,
      GIT_COMMITTER_DATE: `@${date} +0200`,
    };
  }
}

export interface UpstreamAndFork {
  /** Holds everything below. */
  directory: string;
  /** Work tree of upstream; `publish()` after changing it. */
  upstream: TestRepository;
  /** Work tree of the fork's maintainer; `publish()` after changing it. */
  fork: TestRepository;
  /** Bare repositories under `served`, which a git server can serve: `upstream.git`, `fork.git`. */
  served: string;
  upstreamUrl: string;
  forkUrl: string;
  /** Pushes all branches and tags of both work trees by force, and deletes those that are gone. */
  publish(): void;
  remove(): void;
}

/**
 * An upstream with one commit of `files` tagged `v1.0.0` on `main`, and a fork of it with the branch `patches` checked
 * out on that tag, without patches yet.
 */
export function makeUpstreamAndFork(files: Record<string, string> = { "README.md": "upstream\n" }): UpstreamAndFork {
  const { path: directory, remove } = temporaryDirectory();
  const served = join(directory, "served");
  const upstreamUrl = TestRepository.createBare(join(served, "upstream.git"));
  const forkUrl = TestRepository.createBare(join(served, "fork.git"));
  const upstream = TestRepository.create(join(directory, "upstream"));
  upstream.commit("Start", { files });
  upstream.tag("v1.0.0");
  const fork = TestRepository.clone(upstream.path, join(directory, "fork"), EPOCH + 100_000);
  fork.git("checkout", "-q", "-b", "patches", "v1.0.0");
  const publish = () => {
    upstream.git(
      "push",
      "-q",
      "--force",
      "--prune",
      upstreamUrl,
      "refs/heads/*:refs/heads/*",
      "refs/tags/*:refs/tags/*",
    );
    fork.git("push", "-q", "--force", forkUrl, "refs/heads/*:refs/heads/*");
  };
  publish();
  return { directory, upstream, fork, served, upstreamUrl, forkUrl, publish, remove };
}

/** Runs git with nothing of the machine's own configuration. */
export function runGit(directory: string, args: string[], environment: Record<string, string> = {}): string {
  return execFileSync("git", ["-c", "commit.gpgsign=false", "-c", "advice.detachedHead=false", ...args], {
    cwd: directory,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
    maxBuffer: 256 * 1024 * 1024,
    env: {
      PATH: process.env.PATH,
      HOME: directory,
      LC_ALL: "C",
      GIT_CONFIG_NOSYSTEM: "1",
      GIT_CONFIG_GLOBAL: "/dev/null",
      GIT_TERMINAL_PROMPT: "0",
      GIT_EDITOR: "true",
      ...environment,
    },
  }).trimEnd();
}
