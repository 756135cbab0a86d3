/** Writes a generated upstream and its fork as bare repositories. */

import { mkdirSync } from "node:fs";
import { cp } from "node:fs/promises";
import { join } from "node:path";
import { runGit } from "../git.ts";
import { type Change, makeProject } from "./branch.ts";
import { type Entry, fastImport, type GeneratedCommit } from "./fast-import.ts";
import { makeStack, type Step } from "./stack.ts";
import { everything, makeSpan } from "./upstream.ts";

export interface Shape {
  files: number;
  /** Commits of the stack, merges among them. */
  patches: number;
  merges?: number;
  /** Upstream commits between the tags v1.0.0, which the stack is on, and v2.0.0. */
  span: number;
}

export interface Repositories {
  upstream: string;
  fork: string;
}

const SEED = 20_240_611;
const EPOCH = 1_700_000_000;
const AUTHORS = ["Ann Author", "Bob Builder", "Cem Coder", "Dee Developer", "Eve Engineer"].map(
  (name) => `${name} <${name.split(" ")[0]?.toLowerCase()}@example.org>`,
);

export const GENERATED = { base: "refs/tags/v1.0.0", branch: "patches", tag: "v2.0.0" } as const;

export async function writeRepositories(directory: string, shape: Shape): Promise<Repositories> {
  const [upstream, fork] = [join(directory, "upstream.git"), join(directory, "fork.git")];
  mkdirSync(upstream, { recursive: true });
  runGit(upstream, ["init", "--quiet", "--bare", "--initial-branch=main"]);
  const project = makeProject(shape.files, SEED);
  const start = { ...person(0), ref: "refs/heads/main", mark: 1, parents: [], message: "Start\n" };
  await fastImport(upstream, [
    { ...start, changes: everything(project) },
    { tag: "v1.0.0", mark: 1, date: EPOCH },
  ]);
  await cp(upstream, fork, { recursive: true });
  const base = runGit(upstream, ["rev-parse", "refs/tags/v1.0.0^{commit}"]);
  const steps = makeStack(project, { commits: shape.patches, merges: shape.merges ?? 0 }, SEED + shape.patches);
  const ours = new Set(steps.flatMap(({ files }) => files));
  await fastImport(upstream, spanEntries(makeSpan(project, shape.span, ours, SEED + 1), base));
  await fastImport(fork, stackEntries(steps, base));
  // As hosts keep them: fast-import leaves objects that nobody looked for a likeness to.
  for (const repository of [upstream, fork]) runGit(repository, ["repack", "-d", "-q", "--geometric=2"]);
  return { upstream, fork };
}

function person(at: number): { author: string; date: number } {
  return { author: AUTHORS[at % AUTHORS.length] as string, date: EPOCH + at * 600 };
}

function* spanEntries(span: Change[][], base: string): Generator<Entry> {
  for (const [at, changes] of span.entries()) {
    const message = `Improve ${changes[0]?.path}\n\nUpstream's change number ${at + 1}.\n`;
    const parents = [at === 0 ? base : at];
    yield { ...person(at + 1), ref: "refs/heads/main", mark: at + 1, parents, message, changes };
  }
  yield { tag: "v2.0.0", mark: span.length, date: EPOCH + span.length * 600 };
}

/** The marks of a line's commits; the first is what it stands on. */
type Line = (number | string)[];

function* stackEntries(steps: Step[], base: string): Generator<Entry> {
  const ref = `refs/heads/${GENERATED.branch}`;
  let mark = 0;
  const commit = (parents: Line, { changes }: Step, message: string): GeneratedCommit => {
    mark += 1;
    return { ...person(mark * 7), ref, mark, parents, changes, message };
  };
  const line: Line = [base];
  for (const step of steps) {
    const others: Line = [];
    if (step.side) {
      const { steps: aside, startsAfter } = step.side;
      let below = line[startsAfter] as number | string;
      for (const each of aside) {
        yield commit([below], each, `Add to a feature: ${each.changes[0]?.path}\n`);
        below = mark;
      }
      others.push(below);
    }
    const message = step.side
      ? `Merge feature ${line.length}\n`
      : `Patch ${line.length}: ${step.changes[0]?.path}\n\nOurs.\n`;
    yield commit([line.at(-1) as number | string, ...others], step, message);
    line.push(mark);
  }
}
