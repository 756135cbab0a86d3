/** A served fork with every commit of a conflict that comes again, and workers that share nothing but that fork. */

import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { Memory, type Remembered, type Stop } from "../../git/memory/memory.ts";
import type { Merging } from "../../git/merge/engines.ts";
import { Merger } from "../../git/merge/merger.ts";
import { Engine } from "../../git/process/engine.ts";
import { readCommit } from "../../git/repository/commit-object.ts";
import { RunRepository } from "../../git/repository/run-repository.ts";
import { type Content, fastImport, type ImportedCommit } from "../support/fast-import.ts";
import { runGit, TestRepository, temporaryDirectory } from "../support/repositories.ts";
import { engineOptions } from "./scene.ts";

export type Files = Record<string, Content | null>;

/** Each commit but `base` stands on another: `patch` and `v2` on `base`, `v3` and `fix` on `v2`, `right` on `v3`. */
export interface Story {
  base: Files;
  patch: Files;
  v2: Files;
  /** What the person makes of the patch on v2, against v2. */
  fix: Files;
  v3?: Files;
  /** What must come of it on v3, against v3. */
  right?: Files;
}

export interface Remembering {
  url: string;
  ids: Record<string, string>;
  /** Adds commits; `on` may name those of the story. */
  commit(name: string, on: string, files: Files, message?: string): void;
  tree(name: string): string;
  /** Remembers that `fix` is what the person made of `patch` on `onto`. */
  remember(how?: Partial<Asked & { fix: string; by: string; release: string }>): Promise<void>;
  recall(how?: Partial<Asked>): Promise<Remembered | undefined>;
  /** An engine without any cache. */
  engine(merging?: Merging): Engine;
}

interface Asked {
  patch: string;
  onto: string;
  merging: Merging;
}

const START = 1_700_000_000;

export function remembering(story: Story): Remembering {
  const { path: directory, remove } = temporaryDirectory();
  onTestFinished(remove);
  const url = TestRepository.createBare(join(directory, "fork.git"));
  const ids: Record<string, string> = {};
  let [commits, workers] = [0, 0];
  const add = (added: Omit<ImportedCommit, "date">[]) => {
    const dated = added.map((commit) => ({ ...commit, date: START + 60 * ++commits }));
    const refs = Object.fromEntries(added.map(({ name }) => [`refs/heads/${name}`, name]));
    Object.assign(ids, fastImport(url, { commits: dated, refs }));
  };
  const { base, patch, v2, fix, v3 = {}, right = {} } = story;
  add([
    { name: "base", on: [], files: base },
    { name: "patch", on: ["base"], files: patch },
    { name: "v2", on: ["base"], files: v2 },
    { name: "fix", on: ["v2"], files: fix },
    { name: "v3", on: ["v2"], files: v3 },
    { name: "right", on: ["v3"], files: right },
  ]);
  const engine = (merging?: Merging) => {
    const data = join(directory, `worker-${++workers}`);
    mkdirSync(data);
    return new Engine(engineOptions(data, merging && { merging }));
  };
  const working = <T>(
    { patch: name = "patch", onto = "v2", merging }: Partial<Asked>,
    work: (memory: Memory, stop: Stop) => Promise<T>,
  ) =>
    RunRepository.with(engine(merging), [join(url, "objects")], undefined, async (run) => {
      const [stopped, on] = [await readCommit(run, ids[name] as string), await readCommit(run, ids[onto] as string)];
      const merge = await (await Merger.open(run, on.id)).apply(stopped, on);
      if (merge.clean) throw new Error(`${name} applies to ${onto}`);
      const { tree, files, entries } = merge;
      return work(Memory.of(run, { url }), { patch: stopped, tree, files, entries });
    });
  const tree = (name: string) => runGit(url, ["rev-parse", `${ids[name]}^{tree}`]);
  return {
    url,
    ids,
    commit: (name, on, files, message = name) => add([{ name, on: [ids[on] ?? on], files, message }]),
    tree,
    remember: ({ fix: fixed = "fix", by = "Ann", release = "v2.0.0", ...asked } = {}) =>
      working(asked, (memory, stop) =>
        memory.remember(stop, { tree: tree(fixed), commit: ids[fixed] as string, by, release }),
      ),
    recall: (asked = {}) => working({ onto: "v3", ...asked }, (memory, stop) => memory.recall(stop)),
    engine,
  };
}
