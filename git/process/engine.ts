/** What all parts of the engine share: its options, its git, and how git is run on a repository and against a remote. */

import { existsSync } from "node:fs";
import { type GitOptions, MINIMUM_GIT, type Remote } from "../options.ts";
import { GitFailure } from "./failure.ts";
import { baseEnvironment, ensureHome, type Home } from "./home.ts";
import { type GitAnswer, runGit } from "./process.ts";
import { connect } from "./remote.ts";
import { publicUrl } from "./scrub.ts";

export interface RunOptions {
  input?: string | Buffer;
  signal?: AbortSignal;
  accept?: number[];
  environment?: Record<string, string>;
}

export class Engine {
  readonly options: GitOptions;
  #version?: Promise<string>;
  #home?: Home;

  constructor(options: GitOptions) {
    this.options = options;
  }

  /** Such as "2.39.5". Throws GitFailure when git is missing or too old. */
  version(): Promise<string> {
    this.#version ??= this.#readVersion().catch((error: unknown) => {
      this.#version = undefined;
      throw error;
    });
    return this.#version;
  }

  /** Whether git is at least `wanted`, such as "2.40". */
  async atLeast(wanted: string): Promise<boolean> {
    return isAtLeast(await this.version(), wanted);
  }

  async run(cwd: string, args: string[], options: RunOptions = {}): Promise<GitAnswer> {
    const environment = { ...(await this.environment()), ...options.environment };
    return runGit({ ...options, args, cwd, environment });
  }

  /** As run, with permission to talk to this remote and its token. `what` reads on with the URL: "fetching from"../. */
  async runRemote(
    cwd: string,
    remote: Remote,
    what: string,
    args: (url: string) => string[],
    options: RunOptions = {},
  ): Promise<GitAnswer> {
    const connection = await connect(remote, this.options);
    const environment = { ...(await this.environment()), ...connection.environment, ...options.environment };
    return runGit({
      ...options,
      cwd,
      environment,
      args: [...connection.flags, ...args(connection.url)],
      what: `${what} ${publicUrl(remote.url)}`,
      secrets: connection.secrets,
    });
  }

  /** An existing directory without a repository, for commands that need none. */
  async home(): Promise<Home> {
    return ensureHome(this.options.directory);
  }

  /** The whole environment of a git process that talks to no remote. */
  async environment(): Promise<Record<string, string>> {
    // Looked at each time: somebody may have deleted the directory between two commands.
    if (!this.#home || !existsSync(this.#home.config) || !existsSync(this.#home.askpass)) {
      this.#home = await ensureHome(this.options.directory);
    }
    return baseEnvironment(this.options, this.#home);
  }

  async #readVersion(): Promise<string> {
    const { path } = await this.home();
    const { stdout } = await this.run(path, ["--version"]);
    const version = /\d+\.\d+(\.\d+)*/.exec(stdout.toString())?.[0] ?? "0";
    if (isAtLeast(version, MINIMUM_GIT)) return version;
    throw new GitFailure("other", `git ${version} is too old: install git ${MINIMUM_GIT} or newer`);
  }
}

function isAtLeast(version: string, wanted: string): boolean {
  const [have, want] = [version, wanted].map((text) => text.split(".").map(Number));
  for (const [index, number] of (want ?? []).entries()) {
    const other = have?.[index] ?? 0;
    if (other !== number) return other > number;
  }
  return true;
}
