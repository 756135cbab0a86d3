/** Merges trees in memory: no checkout, no index, nothing to clean up. */

import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { COMMITTER, type Commit, writeCommits, writeObject } from "./commit-object.ts";
import type { RunRepository } from "./run-repository.ts";

/** One stage of a path in conflict: 1 base, 2 ours, 3 theirs (git-merge-tree(1), "conflicted file info"). */
export interface ConflictEntry {
  path: string;
  stage: 1 | 2 | 3;
  mode: string;
  oid: string;
}

export type Merge =
  | { clean: true; tree: string }
  | { clean: false; tree: string; files: string[]; entries: ConflictEntry[] };

/** Carries patches in one thin repository. */
export class Merger {
  readonly #run: RunRepository;
  readonly #environment?: Record<string, string>;
  /** Whether git takes the merge base as an option. */
  readonly #namesBase: boolean;
  /** Commits of a tree whose history says that it was made from the base, by `<tree> <base>`. */
  readonly #ours = new Map<string, string>();

  private constructor(run: RunRepository, namesBase: boolean, environment?: Record<string, string>) {
    this.#run = run;
    this.#namesBase = namesBase;
    this.#environment = environment;
  }

  /** `attributes` is the commit whose .gitattributes count. */
  static async open(run: RunRepository, attributes: string): Promise<Merger> {
    const environment = (await run.engine.atLeast("2.41")) ? { GIT_ATTR_SOURCE: attributes } : undefined;
    return new Merger(run, await run.engine.atLeast("2.40"), environment);
  }

  /**
   * Applies what `patch` changes against its parent to the tree of `onto`. In conflict the tree holds markers, labelled
   * `progress` and with the patch's id, so that every git version makes the same tree.
   */
  async apply(patch: Commit, onto: Commit): Promise<Merge> {
    const base = patch.parents[0] as string;
    const ours = this.#namesBase ? onto.id : await this.#withBase(onto.tree, base);
    await writeFile(join(this.#run.path, "refs", "heads", "progress"), `${ours}\n`);
    const flags = ["--write-tree", "-z", ...(this.#namesBase ? [`--merge-base=${base}`] : [])];
    const { exitCode, stdout } = await this.#run.git(["merge-tree", ...flags, "progress", patch.id], {
      accept: [1],
      environment: this.#environment,
    });
    return parseMerge(exitCode, stdout.toString("latin1"));
  }

  /** Stores a commit of `tree`, and in the same process what applying `next` to it will need. */
  async commit(raw: Buffer, tree: string, next?: Commit): Promise<string> {
    const base = next?.parents[0];
    if (this.#namesBase || !base) return writeObject(this.#run, "commit", raw);
    const [id, ours] = await writeCommits(this.#run, [raw, withParent(tree, base)]);
    this.#ours.set(`${tree} ${base}`, ours as string);
    return id as string;
  }

  /** Before 2.40 the base is what history says, so ours is given a history that says the patch's parent. */
  async #withBase(tree: string, base: string): Promise<string> {
    const key = `${tree} ${base}`;
    const ours = this.#ours.get(key) ?? (await writeObject(this.#run, "commit", withParent(tree, base)));
    this.#ours.set(key, ours);
    return ours;
  }
}

function withParent(tree: string, parent: string): Buffer {
  const line = `${COMMITTER} 0 +0000`;
  return Buffer.from(`tree ${tree}\nparent ${parent}\nauthor ${line}\ncommitter ${line}\n\n`);
}

/** `<tree> NUL {<mode> <oid> <stage> TAB <path> NUL} NUL {<count> NUL {<path> NUL} <type> NUL <message> NUL}` (git-merge-tree(1), OUTPUT). */
function parseMerge(exitCode: number, output: string): Merge {
  const [tree = "", ...fields] = output.split("\0");
  if (exitCode === 0) return { clean: true, tree };
  const end = fields.indexOf("");
  const entries = (end < 0 ? [] : fields.slice(0, end)).map(parseEntry);
  const files = new Set(entries.map(({ path }) => path));
  // Some conflicts (a directory that was renamed) leave no file in conflict: then the messages name the paths.
  if (files.size === 0) for (const path of pathsOfMessages(fields.slice(end + 1))) files.add(path);
  return { clean: false, tree, files: [...files], entries };
}

function parseEntry(line: string): ConflictEntry {
  const tab = line.indexOf("\t");
  const [mode = "", oid = "", stage] = line.slice(0, tab).split(" ");
  return { path: line.slice(tab + 1), stage: Number(stage) as 1 | 2 | 3, mode, oid };
}

function pathsOfMessages(fields: string[]): string[] {
  const paths: string[] = [];
  for (let at = 0; /^\d+$/.test(fields[at] ?? ""); ) {
    const count = Number(fields[at]);
    const [type] = fields.slice(at + 1 + count, at + 2 + count);
    if (type?.startsWith("CONFLICT")) paths.push(...fields.slice(at + 1, at + 1 + count));
    at += count + 3;
  }
  return paths;
}
