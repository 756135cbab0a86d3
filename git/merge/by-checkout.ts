/** Merges for gits that cannot do it in memory: `git merge` in a checkout that holds nothing but what is in conflict. */

import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { writeObject } from "../repository/commit-object.ts";
import type { RunRepository } from "../repository/run-repository.ts";
import { editTree, filesAt, isRegular, type TreeFile } from "../repository/tree-files.ts";
import { type Merge, parseEntry } from "./answer.ts";
import type { MergeEngine, Question } from "./engines.ts";

const SPARSE = ["-c", "core.bare=false", "-c", "core.sparseCheckout=true", "-c", "merge.conflictStyle=merge"];
const MERGE = ["merge", "--no-commit", "--no-ff", "--no-stat", "--allow-unrelated-histories", "--strategy=ort"];
/** The tree as `git merge` left it in the checkout, with markers; written since 2.32. */
const RESULT = "AUTO_MERGE";
/** What a merge that is not committed leaves behind. */
const STATE = ["MERGE_HEAD", "MERGE_MODE", "MERGE_MSG", "ORIG_HEAD", RESULT];
/** How `git merge` calls our side, whatever it is asked to merge into. */
const OURS = "HEAD";

export class CheckoutEngine implements MergeEngine {
  readonly namesBase = false;
  readonly #run: RunRepository;
  readonly #environment: Record<string, string>;
  /** The tree that the index holds. */
  #index: string | undefined;

  private constructor(run: RunRepository) {
    this.#run = run;
    this.#environment = { GIT_DIR: run.path, GIT_WORK_TREE: workTree(run), GIT_INDEX_FILE: join(run.path, "index") };
  }

  static async open(run: RunRepository): Promise<CheckoutEngine> {
    await mkdir(workTree(run), { recursive: true });
    await mkdir(join(run.path, "info"), { recursive: true });
    // Merges read attributes from files only. Nothing else is wanted in the checkout but what is in conflict.
    await writeFile(join(run.path, "info", "sparse-checkout"), ".gitattributes\n");
    return new CheckoutEngine(run);
  }

  close(): void {}

  async merge({ ours, theirs }: Question): Promise<Merge> {
    await writeFile(join(this.#run.path, "HEAD"), `${ours.at.id}\n`);
    await this.#standAt(ours.at.tree);
    const { exitCode } = await this.#git([...MERGE, theirs], [1]);
    const result = await readFile(join(this.#run.path, RESULT), "utf8").catch(() => "");
    for (const name of STATE) await rm(join(this.#run.path, name), { force: true });
    if (exitCode === 0) {
      this.#index = (await this.#git(["write-tree"])).stdout.toString().trim();
      return { clean: true, tree: this.#index };
    }
    return this.#conflict(result.trim(), ours.ref, theirs);
  }

  async #standAt(tree: string): Promise<void> {
    if (this.#index === tree) return;
    // What a conflict left in the checkout is in the way of the next merge.
    await rm(workTree(this.#run), { recursive: true, force: true });
    await rm(join(this.#run.path, "index"), { force: true });
    await mkdir(workTree(this.#run), { recursive: true });
    await this.#git(["read-tree", "--reset", "-u", tree]);
    this.#index = tree;
  }

  async #conflict(result: string, ours: string, theirs: string): Promise<Merge> {
    this.#index = undefined;
    const listed = (await this.#git(["ls-files", "--unmerged", "-z"])).stdout.toString("latin1");
    const found = listed.split("\0").filter(Boolean).map(parseEntry);
    const entries = found.map((entry) => ({ ...entry, path: renamed(entry.path, ours) }));
    const files = [...new Set(entries.map(({ path }) => path))];
    const tree = await this.#relabelled(result, new Set(found.map(({ path }) => path)), { ours, theirs });
    return { clean: false, tree, files, entries };
  }

  /** The tree with our side called `ours` in its conflicts, as the other ways of merging call it. */
  async #relabelled(tree: string, paths: Set<string>, labels: { ours: string; theirs: string }): Promise<string> {
    const edits = new Map<string, TreeFile | undefined>();
    for (const [path, file] of await filesAt(this.#run, tree, [...paths])) {
      if (!isRegular(file)) continue;
      const content = await this.#run.bytes(["cat-file", "blob", file.oid]);
      const better = relabelled(content, labels);
      const [to, oid] = [renamed(path, labels.ours), better === content ? file.oid : this.#blob(better)];
      if (to === path && oid === file.oid) continue;
      if (to !== path) edits.set(path, undefined);
      edits.set(to, { mode: file.mode, oid });
    }
    return edits.size === 0 ? tree : ((await editTree(this.#run, tree, edits)) ?? tree);
  }

  #blob(content: string): string {
    return writeObject(this.#run, "blob", Buffer.from(content, "latin1"));
  }

  async #git(args: string[], accept: number[] = []) {
    return this.#run.git([...SPARSE, ...args], { accept, environment: this.#environment });
  }
}

function workTree(run: RunRepository): string {
  return join(run.path, "checkout");
}

/** Where both sides cannot have a path, git puts the side behind it. */
function renamed(path: string, ours: string): string {
  return path.endsWith(`~${OURS}`) ? `${path.slice(0, -OURS.length)}${ours}` : path;
}

/** Only in conflicts of this merge, which end with their side's name: a file may speak of conflicts. */
function relabelled(content: string, { ours, theirs }: { ours: string; theirs: string }): string {
  const hunk = new RegExp(
    `^(<{7,} )${OURS}((?::.*)?\\r?\\n(?:(?!^<{7,} ${OURS})[^])*?^>{7,} ${theirs}(?::.*)?\\r?$)`,
    "gm",
  );
  return content.replace(hunk, `$1${ours}$2`);
}
