/** A line of history while it is generated: what each file holds now. */

import { type Random, random } from "./random.ts";
import { layOut, writeFile, writeLine } from "./tree.ts";

/** Where in a file somebody edits, as parts of its length. Edits of different zones never meet, however many there are. */
export const UPSTREAMS_ZONE = [0.05, 0.4] as const;
export const OUR_ZONE = [0.6, 0.95] as const;

export interface Change {
  path: string;
  /** Undefined deletes. */
  content?: string;
}

/** The files that all branches start from; their numbers are their places in `paths`. */
export interface Project {
  paths: string[];
  seed: number;
}

export function makeProject(files: number, seed: number): Project {
  return { paths: layOut(files, seed), seed };
}

/** However large a project is, in one release's time people work on a part of it. */
const MOST_ACTIVE = 8_000;
/** Half of all edits fall on few files: those that upstream and the fork both work on. */
const MOST_HOT = 300;

/** Chooses files to edit. */
export function chooser({ paths, seed }: Project, source: Random): () => number {
  const { below } = random(seed + 1);
  const active = Math.min(MOST_ACTIVE, paths.length);
  const often = Array.from({ length: Math.min(MOST_HOT, Math.ceil(active / 30)) }, () => below(active));
  return () => (source.chance(0.5) ? source.pick(often) : source.below(active));
}

interface File {
  path: string;
  lines: string[];
}

export class Branch {
  readonly #project: Project;
  /** What differs from the project; undefined was deleted. */
  readonly #files: Map<number, File | undefined>;

  constructor(from: Project | Branch) {
    this.#project = from instanceof Branch ? from.#project : from;
    this.#files = new Map(from instanceof Branch ? from.#files : []);
  }

  has(file: number): boolean {
    return this.#files.get(file) !== undefined || !this.#files.has(file);
  }

  /** Replaces a line and often adds some. */
  edit(number: number, [from, to]: readonly [number, number], source: Random): Change {
    const { path, lines } = this.#file(number);
    const at = Math.floor(lines.length * (from + ((to - from) * source.below(1000)) / 1000));
    const fresh = Array.from({ length: 1 + source.below(3) }, () => `${writeLine(source)} // ${source.below(1e9)}`);
    return this.#put(number, { path, lines: [...lines.slice(0, at), ...fresh, ...lines.slice(at + 1)] });
  }

  /** A new file beside another one. */
  add(beside: number, source: Random): Change {
    const name = source.below(1e9);
    const path = `${this.#file(beside).path.replace(/\/[^/]*$/, "")}/added-${name}.ts`;
    return this.#put(-name, { path, lines: writeFile(name, this.#project.seed) });
  }

  /** In its directory: whole directories that move are another matter. */
  rename(number: number): Change[] {
    const { path, lines } = this.#file(number);
    return [{ path }, this.#put(number, { path: path.replace(/\.(\w+)$/, "-renamed.$1"), lines })];
  }

  delete(number: number): Change {
    const { path } = this.#file(number);
    this.#files.set(number, undefined);
    return { path };
  }

  /** Makes the files what they are on the other branch. */
  take(other: Branch, paths: string[]): Change[] {
    const wanted = new Set(paths);
    return [...other.#files].flatMap(([number, file]) =>
      file && wanted.has(file.path) ? [this.#put(number, file)] : [],
    );
  }

  #put(number: number, file: File): Change {
    this.#files.set(number, file);
    return { path: file.path, content: `${file.lines.join("\n")}\n` };
  }

  #file(number: number): File {
    const changed = this.#files.get(number);
    return changed ?? { path: this.#project.paths[number] as string, lines: writeFile(number, this.#project.seed) };
  }
}
