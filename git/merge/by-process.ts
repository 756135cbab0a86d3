/** Merges by one `git merge-tree` process each. */

import type { RunRepository } from "../repository/run-repository.ts";
import { type Merge, parseMerge } from "./answer.ts";
import type { AttributeView } from "./attributes.ts";
import type { MergeEngine, Question } from "./engines.ts";

export class ProcessEngine implements MergeEngine {
  readonly namesBase: boolean;
  readonly #run: RunRepository;
  readonly #view: AttributeView;

  constructor(run: RunRepository, namesBase: boolean, view: AttributeView) {
    this.#run = run;
    this.namesBase = namesBase;
    this.#view = view;
  }

  async merge({ base, ours, theirs }: Question): Promise<Merge> {
    const flags = ["--write-tree", "-z", ...(base ? [`--merge-base=${base}`] : [])];
    const { cwd, flags: before, environment } = this.#view;
    const args = [...before, "merge-tree", ...flags, ours.ref, theirs];
    const { engine, signal } = this.#run;
    const { exitCode, stdout } = await engine.run(cwd, args, { accept: [1], environment, signal });
    return parseMerge(exitCode === 0, stdout.toString("latin1"));
  }

  close(): void {}
}
