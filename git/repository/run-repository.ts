/** A thin repository for one piece of work: borrows upstream's objects from the mirror, and is deleted in the end. */

import { randomUUID } from "node:crypto";
import { writeFileSync } from "node:fs";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { basename, join } from "node:path";
import type { Remote } from "../options.ts";
import type { Engine, RunOptions } from "../process/engine.ts";
import { GitFailure } from "../process/failure.ts";
import type { GitAnswer } from "../process/process.ts";
import { keepObjects } from "./kept.ts";
import { FETCH } from "./mirror.ts";

/** Runs of this process that are at work. collect() leaves them alone. */
export const liveRuns = new Set<string>();

export function runsDirectory(directory: string): string {
  return join(directory, "runs");
}

export class RunRepository {
  readonly path: string;
  readonly engine: Engine;
  readonly signal?: AbortSignal;
  readonly #closers: (() => void)[] = [];
  readonly #borrowed: string[];
  #wanted?: string;
  #keepAs?: string;

  private constructor(engine: Engine, path: string, borrowed: string[], signal?: AbortSignal) {
    this.engine = engine;
    this.path = path;
    this.#borrowed = borrowed;
    this.signal = signal;
  }

  /** Gives `work` a fresh repository. `borrowed` are the objects directories of others. */
  static async with<T>(
    engine: Engine,
    borrowed: string[],
    signal: AbortSignal | undefined,
    work: (run: RunRepository) => Promise<T>,
  ): Promise<T> {
    // The name says whose it is, so that another process can tell a leftover.
    const host = hostname().replace(/[^A-Za-z0-9.]/g, "_");
    const path = join(runsDirectory(engine.options.directory), `${host}-${process.pid}-${randomUUID()}`);
    const run = new RunRepository(engine, path, borrowed, signal);
    liveRuns.add(path);
    try {
      await makeRepository(path, borrowed);
      const result = await work(run);
      run.#keepAs = run.#wanted;
      return result;
    } finally {
      for (const close of run.#closers) close();
      if (run.#keepAs) await keepObjects(engine.options.directory, run.#keepAs, path);
      await rm(path, { recursive: true, force: true, maxRetries: 3 });
      liveRuns.delete(path);
    }
  }

  /** When the work has succeeded, the next step finds the objects of this repository by that name (kept.ts). */
  keepAs(name: string): void {
    this.#wanted = name;
  }

  /** Whether what was kept by that name is borrowed here. */
  has(name: string): boolean {
    return this.#borrowed.some((path) => basename(path).endsWith(name));
  }

  /** `close` is called before the repository is deleted. */
  onClose(close: () => void): void {
    this.#closers.push(close);
  }

  /** Makes a branch of this repository stand at a commit; the next git command sees it. */
  setBranch(name: string, commit: string): void {
    writeFileSync(join(this.path, "refs", "heads", name), `${commit}\n`);
  }

  /** Runs git here. */
  async git(args: string[], options: Omit<RunOptions, "signal"> = {}): Promise<GitAnswer> {
    return this.engine.run(this.path, args, { signal: this.signal, ...options });
  }

  /** Runs git here and returns its output as text, without the last line's end. */
  async text(args: string[], options: Omit<RunOptions, "signal"> = {}): Promise<string> {
    return (await this.git(args, options)).stdout.toString("utf8").replace(/\n$/, "");
  }

  /** Runs git here and returns its output byte for byte: one character a byte (latin1), as paths are. */
  async bytes(args: string[], options: Omit<RunOptions, "signal"> = {}): Promise<string> {
    return (await this.git(args, options)).stdout.toString("latin1");
  }

  /** Names what is asked for in one process: undefined for what is not here. */
  async types(ids: string[]): Promise<Map<string, string | undefined>> {
    if (ids.length === 0) return new Map();
    const output = await this.text(["cat-file", "--batch-check=%(objecttype)"], { input: `${ids.join("\n")}\n` });
    const lines = output.split("\n");
    return new Map(ids.map((id, index) => [id, lines[index]?.endsWith(" missing") ? undefined : lines[index]]));
  }

  async hasCommit(id: string): Promise<boolean> {
    return (await this.types([id])).get(id) === "commit";
  }

  /** Both must be here. A commit is its own ancestor. */
  async isAncestor(ancestor: string, descendant: string): Promise<boolean> {
    if (ancestor === descendant) return true;
    const { stdout } = await this.git(["merge-base", ancestor, descendant], { accept: [1] });
    return stdout.toString().trim() === ancestor;
  }

  /** Brings refs of the remote here by their full names; all must exist there. */
  async fetch(remote: Remote, refs: string[]): Promise<void> {
    if (refs.length === 0) return;
    const specs = refs.map((ref) => `+${ref}:refs/remote/${ref.slice("refs/".length)}`);
    await this.#fetch(remote, specs);
  }

  /** Brings a commit here by its id. False when the remote will not give it. */
  async fetchCommit(remote: Remote, id: string): Promise<boolean> {
    try {
      await this.#fetch(remote, [`+${id}:refs/wanted/${id}`]);
    } catch (error) {
      if (error instanceof GitFailure && ["not-found", "refused", "other"].includes(error.kind)) return false;
      throw error;
    }
    return this.hasCommit(id);
  }

  async #fetch(remote: Remote, specs: string[]): Promise<void> {
    const args = (url: string) => [...FETCH, "--", url, ...specs];
    await this.engine.runRemote(this.path, remote, "fetching from", args, { signal: this.signal });
  }
}

/** As `git init --bare` makes it (gitrepository-layout), without a process. */
async function makeRepository(path: string, borrowed: string[]): Promise<void> {
  await mkdir(join(path, "objects", "info"), { recursive: true });
  await mkdir(join(path, "objects", "pack"));
  await mkdir(join(path, "refs", "heads"), { recursive: true });
  await writeFile(join(path, "config"), "[core]\n\trepositoryformatversion = 0\n\tbare = true\n");
  await writeFile(join(path, "HEAD"), "ref: refs/heads/main\n");
  if (borrowed.length > 0) {
    await writeFile(join(path, "objects", "info", "alternates"), borrowed.map((each) => `${each}\n`).join(""));
  }
}
