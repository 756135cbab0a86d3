/** One stop that many tests push resolutions for. */

import { spawnSync } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll } from "vitest";
import type { Decision } from "../../domain/attempt.ts";
import { type Conflict, type Git, openGit, type Recipe, type Stopped } from "../../git/index.ts";
import { makeUpstreamAndFork, runGit, TestRepository, type UpstreamAndFork } from "../support/repositories.ts";
import { carryToConflict, engineOptions, lines, type Scene } from "./scene.ts";

export const PROGRESS = "patchmoi/progress/v2.0.0";
export const CONFLICT = "patchmoi/conflict/v2.0.0";
export const RESOLUTION = "patchmoi/resolution/v2.0.0";

type Resolved = Decision & { kind: "resolution" };

export class Stop {
  readonly pair: UpstreamAndFork;
  readonly git: Git;
  readonly recipe: Recipe;
  readonly conflict: Conflict;
  readonly stopped: Required<Stopped>;
  #persons = 0;

  private constructor(
    pair: UpstreamAndFork,
    git: Git,
    recipe: Recipe,
    found: Awaited<ReturnType<typeof carryToConflict>>,
  ) {
    this.pair = pair;
    this.git = git;
    this.recipe = recipe;
    this.conflict = found.carried;
    this.stopped = found.stopped;
  }

  /** Tags upstream's head as v2.0.0, carries to it, and hands over where it stops. */
  static async of(pair: UpstreamAndFork, before: Decision[] = []): Promise<Stop> {
    const git = openGit(engineOptions(join(pair.directory, "data")));
    if (!pair.upstream.tries("rev-parse", "v2.0.0^{commit}")) pair.upstream.tag("v2.0.0");
    pair.publish();
    const remotes = { upstream: { url: pair.upstreamUrl }, fork: { url: pair.forkUrl }, patchBranch: "patches" };
    const target = { name: "v2.0.0", ref: "refs/tags/v2.0.0" };
    const plan = await git.plan({ ...remotes, target });
    if (plan.kind !== "carry") throw new Error(`nothing to carry: ${plan.reason}`);
    const { release, tip, base } = plan;
    const recipe = { ...remotes, target, release, tip, base, decisions: before };
    const stop = new Stop(pair, git, recipe, await carryToConflict({ git } as Scene, recipe));
    await stop.handOver();
    return stop;
  }

  async handOver(): Promise<void> {
    const pushed = await this.git.pushHandOff(this.recipe, this.stopped);
    if (pushed.kind !== "pushed") throw new Error(pushed.reason);
  }

  /** A fresh clone of the fork, detached at a branch of it. */
  person(start = PROGRESS): TestRepository {
    const path = join(mkdtempSync(join(this.pair.directory, "person-")), "clone");
    const person = TestRepository.clone(this.pair.forkUrl, path, 1_800_000_000 + ++this.#persons * 100_000);
    person.git("checkout", "-q", "--detach", `origin/${start}`);
    return person;
  }

  /** What a person does: picks the patch onto progress, writes the files, and goes on. */
  pick(person: TestRepository, files: Record<string, string | null>, patch = this.stopped.patch): void {
    if (person.tries("cherry-pick", patch)) throw new Error(`${patch} applies`);
    resolve(person, files);
    person.git("cherry-pick", "--continue");
  }

  /** Pushes where the person stands, and answers why it is refused. */
  async refusal(person: TestRepository, to = RESOLUTION): Promise<string> {
    push(person, to);
    return this.refused();
  }

  async refused(): Promise<string> {
    const answer = await this.git.readResolution(this.recipe, this.stopped);
    return answer.kind === "refused" ? answer.reason : `taken: ${JSON.stringify(answer)}`;
  }

  /** Pushes where the person stands, and answers with what was taken of it. */
  async taken(person: TestRepository, to = RESOLUTION): Promise<Taken> {
    push(person, to);
    return this.accepted();
  }

  async accepted(): Promise<Taken> {
    const answer = await this.git.readResolution(this.recipe, this.stopped);
    if (answer.kind === "refused") throw new Error(`refused: ${answer.reason}`);
    if (answer.warning) throw new Error(answer.warning);
    const decision = answer.decision as Resolved;
    const carried = await this.git.carry({ ...this.recipe, decisions: [...this.recipe.decisions, decision] });
    if (carried.kind === "blocked") throw new Error(carried.reason);
    const log = this.show(
      "log",
      "--reverse",
      "--first-parent",
      "--format=%s",
      decision.commit,
      `^${this.stopped.progress}`,
    );
    return {
      ...decision,
      carried,
      outcomes: carried.ledger.map(({ outcome }) => outcome),
      subjects: log.split("\n"),
      file: (name) => `${this.show("show", `${decision.commit}:${name}`)}\n`,
    };
  }

  /** Asks the served fork. */
  show(...args: string[]): string {
    return runGit(this.pair.forkUrl, args);
  }

  /** As it was right after the hand-off. */
  reset(): void {
    const refs = this.show(
      "for-each-ref",
      "--format=%(refname)",
      `refs/heads/${RESOLUTION}`,
      "refs/tags",
      "refs/patchmoi",
    );
    for (const ref of refs.split("\n").filter(Boolean)) this.show("update-ref", "-d", ref);
    this.show("update-ref", `refs/heads/${PROGRESS}`, this.stopped.progress);
    this.show("update-ref", `refs/heads/${CONFLICT}`, this.stopped.conflict);
  }
}

export interface Taken extends Resolved {
  carried: Exclude<Awaited<ReturnType<Git["carry"]>>, { kind: "blocked" }>;
  outcomes: string[];
  /** Of the commits from progress to what was taken. */
  subjects: string[];
  file(name: string): string;
}

export function push(person: TestRepository, to: string): void {
  person.git("push", "-q", "--force", "origin", `HEAD:refs/heads/${to}`);
}

/** Writes files, and adds all there is, as `git add -A` does. */
export function resolve(person: TestRepository, files: Record<string, string | null>): void {
  for (const [name, content] of Object.entries(files)) person.write(name, content);
  person.git("add", "-A");
}

/** A stop for all tests of a file, each of which finds it as it was right after the hand-off. */
export function aStop(tell: (pair: UpstreamAndFork) => void, files = FILES): () => Stop {
  let stop: Stop;
  beforeAll(async () => {
    const pair = makeUpstreamAndFork(files);
    tell(pair);
    stop = await Stop.of(pair);
  });
  afterEach(() => stop.reset());
  afterAll(() => stop.pair.remove());
  return () => stop;
}

export const FILES: Record<string, string> = { "a.txt": lines(), "b.txt": lines(), "c.txt": lines() };

/** A stack of five, of which the second stops in a.txt, and the fourth would in c.txt. */
export function fivePatches({ fork, upstream }: UpstreamAndFork): void {
  fork.commit("One", { files: { "b.txt": lines({ 3: "one" }) } });
  fork.commit("Two", { files: { "a.txt": lines({ 10: "two" }), "two.txt": "two\n" } });
  fork.commit("Three", { files: { "b.txt": lines({ 3: "one", 15: "three" }) } });
  fork.commit("Four", { files: { "c.txt": lines({ 10: "four" }) } });
  fork.commit("Five", { files: { "five.txt": "five\n" } });
  upstream.commit("Theirs", { files: { "a.txt": lines({ 10: "theirs" }), "c.txt": lines({ 10: "theirs" }) } });
}

/** Runs lines in a shell, as a person pastes them: each one whatever became of the one before. Answers with the last one's exit code. */
export function paste(shell: string, person: TestRepository, text: string): number | null {
  const env = {
    PATH: process.env.PATH as string,
    HOME: person.path,
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_AUTHOR_NAME: "Pat Person",
    GIT_AUTHOR_EMAIL: "pat@example.org",
    GIT_COMMITTER_NAME: "Pat Person",
    GIT_COMMITTER_EMAIL: "pat@example.org",
  };
  return spawnSync(shell, ["-s"], { cwd: person.path, env, input: `${text}\n` }).status;
}
