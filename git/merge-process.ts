/** Merges by one `git merge-tree` process each. */

import { type Merge, parseMerge } from "./merge-answer.ts";
import type { MergeEngine, Question } from "./merge-engines.ts";
import type { RunRepository } from "./run-repository.ts";

export class ProcessEngine implements MergeEngine {
  readonly namesBase: boolean;
  readonly #run: RunRepository;
  readonly #environment: Record<string, string>;

  constructor(run: RunRepository, namesBase: boolean, environment: Record<string, string>) {
    this.#run = run;
    this.namesBase = namesBase;
    this.#environment = environment;
  }

  async merge({ base, ours, theirs }: Question): Promise<Merge> {
    const flags = ["--write-tree", "-z", ...(base ? [`--merge-base=${base}`] : [])];
    const { exitCode, stdout } = await this.#run.git(["merge-tree", ...flags, ours, theirs], {
      accept: [1],
      environment: this.#environment,
    });
    return parseMerge(exitCode === 0, stdout.toString("latin1"));
  }
}
