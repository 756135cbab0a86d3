/** What all rows measure on: repositories that are made once, and places where both sides are warm. */

import { mkdtempSync, rmSync } from "node:fs";
import { cp } from "node:fs/promises";
import { join } from "node:path";
import type { GitOptions } from "../git/index.ts";
import type { Measuring } from "./arguments.ts";
import { GENERATED, type Shape, writeRepositories } from "./generate/repositories.ts";
import { runGit } from "./git.ts";
import { type Pair, type Place, prepare } from "./place.ts";
import { writeVariants } from "./variants.ts";

/** Upstream commits between two releases, fewer in a small project. */
const SPAN = 300;
const FILES_PER_COMMIT = 20;

export class Grounds {
  readonly wish: Measuring;
  /** On memory and on disk. */
  readonly #roots: { memory: string; disk: string };
  readonly #pairs = new Map<string, Pair>();
  readonly #places = new Map<string, Place>();
  readonly #directories: string[] = [];
  readonly #say: (line: string) => void;

  constructor(wish: Measuring, say: (line: string) => void) {
    this.wish = wish;
    this.#say = say;
    const make = (directory: string) => mkdtempSync(join(directory, "patchmoi-bench-"));
    this.#roots = { memory: make(wish.memory), disk: make(wish.disk) };
  }

  /** Such as "2.39.5", of the git that is first on PATH now. */
  version(): string {
    return /\d+(\.\d+)+/.exec(runGit("/", ["--version"]))?.[0] ?? "0";
  }

  atLeast(version: string): boolean {
    return this.version().localeCompare(version, "en", { numeric: true }) >= 0;
  }

  /** How many times faster it has to be: since 2.45 git merges trees that are no commits, before 2.38 none in memory. */
  goal(least: number, lately = least): number | undefined {
    if (!this.atLeast("2.38")) return undefined;
    return this.atLeast("2.45") ? lately : least;
  }

  /** A tenth of everything that is many, where things are to be quick. */
  shape({ files, patches, merges = 0 }: { files: number; patches: number; merges?: number }): Shape {
    const tenth = (count: number) => (this.wish.quick ? Math.ceil(count / 10) : count);
    return {
      files: tenth(files),
      patches: patches < 100 ? patches : tenth(patches),
      merges: tenth(merges),
      span: Math.min(SPAN, Math.ceil(tenth(files) / FILES_PER_COMMIT)),
    };
  }

  /** Rounds of a row whose rounds take long. */
  get fewRuns(): number {
    return Math.min(3, this.wish.runs);
  }

  async pair(shape: Shape): Promise<Pair> {
    const key = JSON.stringify(shape);
    const known = this.#pairs.get(key);
    if (known) return known;
    this.#say(`making ${shape.files} files and ${shape.patches} patches …`);
    const directory = join(this.#roots.memory, `pair-${this.#pairs.size}`);
    const { upstream, fork } = await writeRepositories(directory, shape);
    const { tag, branch } = GENERATED;
    const [base, release] = [commitAt(upstream, GENERATED.base), commitAt(upstream, `refs/tags/${tag}`)];
    const pair = this.#withVariants({ upstream, fork, tag, base, release }, branch);
    this.#pairs.set(key, pair);
    return pair;
  }

  /** Where a generated pair is measured with the git that is first on PATH now. */
  async place(shape: Shape, on: "memory" | "disk" = "memory", options: Partial<GitOptions> = {}): Promise<Place> {
    const key = JSON.stringify([shape, on, options]);
    const known = this.#places.get(key);
    if (known) return known;
    const pair = await this.pair(shape);
    const directory = this.directory(on);
    const place = await prepare(directory, on === "disk" ? await copied(pair, directory) : pair, options);
    this.#places.set(key, place);
    return place;
  }

  /** An empty directory, until forgetPlaces. */
  directory(on: "memory" | "disk" = "memory"): string {
    const path = mkdtempSync(join(this.#roots[on], "place-"));
    this.#directories.push(path);
    return path;
  }

  /** A real pair, copied: nothing is written to what belongs to somebody. */
  async realPlace(branch: string, pair: Omit<Pair, "tips">): Promise<Place> {
    return prepare(this.directory(), this.#withVariants(pair, branch));
  }

  /** Between one git and the next. */
  forgetPlaces(): void {
    for (const path of this.#directories.splice(0)) rmSync(path, { recursive: true, force: true, maxRetries: 3 });
    this.#places.clear();
  }

  remove(): void {
    for (const root of Object.values(this.#roots)) rmSync(root, { recursive: true, force: true, maxRetries: 3 });
  }

  /** One for the warm-up and each round, and one more to record. */
  #withVariants(pair: Omit<Pair, "tips">, branch: string): Pair {
    const tip = commitAt(pair.fork, `refs/heads/${branch}`);
    return { ...pair, tips: writeVariants(pair.fork, pair.base, tip, this.wish.runs + 2) };
  }
}

function commitAt(repository: string, ref: string): string {
  return runGit(repository, ["rev-parse", "--verify", `${ref}^{commit}`]);
}

async function copied(pair: Pair, directory: string): Promise<Pair> {
  const copies = { upstream: join(directory, "upstream.git"), fork: join(directory, "fork.git") };
  for (const name of ["upstream", "fork"] as const) await cp(pair[name], copies[name], { recursive: true });
  return { ...pair, ...copies };
}
