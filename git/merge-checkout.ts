/** Merges for gits that cannot do it in memory: `git merge` in a checkout that holds nothing but what is in conflict. */

import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { writeObject } from "./commit-object.ts";
import { type Merge, parseEntry } from "./merge-answer.ts";
import type { MergeEngine, Question } from "./merge-engines.ts";
import type { RunRepository } from "./run-repository.ts";

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
    // No path is wanted in the checkout (git-sparse-checkout(1), "FULL PATTERN SET"): only conflicts get there.
    await writeFile(join(run.path, "info", "sparse-checkout"), "!/*\n");
    return new CheckoutEngine(run);
  }

  async merge({ ours, theirs }: Question): Promise<Merge> {
    const [head = "", tree = ""] = (await this.#run.text(["rev-parse", `${ours}^{commit}`, `${ours}^{tree}`])).split(
      "\n",
    );
    await writeFile(join(this.#run.path, "HEAD"), `${head}\n`);
    await this.#standAt(tree);
    const { exitCode } = await this.#git([...MERGE, theirs], [1]);
    const result = await readFile(join(this.#run.path, RESULT), "utf8").catch(() => "");
    for (const name of STATE) await rm(join(this.#run.path, name), { force: true });
    if (exitCode === 0) {
      this.#index = (await this.#git(["write-tree"])).stdout.toString().trim();
      return { clean: true, tree: this.#index };
    }
    return this.#conflict(result.trim(), ours);
  }

  async #standAt(tree: string): Promise<void> {
    if (this.#index === tree) return;
    // What a conflict left in the checkout is in the way of the next merge.
    await rm(workTree(this.#run), { recursive: true, force: true });
    await rm(join(this.#run.path, "index"), { force: true });
    await mkdir(workTree(this.#run), { recursive: true });
    await this.#git(["read-tree", tree]);
    await this.#git(["read-tree", "-m", "-u", tree]);
    this.#index = tree;
  }

  async #conflict(result: string, ours: string): Promise<Merge> {
    this.#index = undefined;
    const listed = (await this.#git(["ls-files", "--unmerged", "-z"])).stdout.toString("latin1");
    const entries = listed.split("\0").filter(Boolean).map(parseEntry);
    const files = [...new Set(entries.map(({ path }) => path))];
    return { clean: false, tree: await this.#relabelled(result, ours), files, entries };
  }

  /** The tree with our side called `ours`, as the other ways of merging call it. */
  async #relabelled(tree: string, ours: string): Promise<string> {
    const changed = (await this.#run.bytes(["diff-tree", "-r", "-z", "--no-renames", "HEAD^{tree}", tree])).split("\0");
    const lines: string[] = [];
    for (let at = 0; at + 1 < changed.length; at += 2) {
      const [, mode = "", , blob = ""] = (changed[at] as string).split(" ");
      const path = changed[at + 1] as string;
      if (/^0+$/.test(blob) || !mode.startsWith("10")) continue;
      const content = await this.#run.bytes(["cat-file", "blob", blob]);
      const renamed = path.endsWith(`~${OURS}`) ? `${path.slice(0, -OURS.length)}${ours}` : path;
      const better = content
        .replaceAll(`<<<<<<< ${OURS}\n`, `<<<<<<< ${ours}\n`)
        .replaceAll(`<<<<<<< ${OURS}\r\n`, `<<<<<<< ${ours}\r\n`);
      if (better === content && renamed === path) continue;
      if (renamed !== path) lines.push(`0 ${"0".repeat(40)}\t${path}\0`);
      lines.push(`${mode} ${writeObject(this.#run, "blob", Buffer.from(better, "latin1"))}\t${renamed}\0`);
    }
    if (lines.length === 0) return tree;
    const environment = { ...this.#environment, GIT_INDEX_FILE: join(this.#run.path, "relabelled") };
    await this.#run.git(["read-tree", tree], { environment });
    const input = Buffer.from(lines.join(""), "latin1");
    await this.#run.git(["update-index", "-z", "--index-info"], { environment, input });
    return this.#run.text(["write-tree"], { environment });
  }

  async #git(args: string[], accept: number[] = []) {
    return this.#run.git([...SPARSE, ...args], { accept, environment: this.#environment });
  }
}

function workTree(run: RunRepository): string {
  return join(run.path, "checkout");
}
