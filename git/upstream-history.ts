/** Asks upstream's history between the stack's base and the release. */

import type { Commit } from "./commit-object.ts";
import type { RunRepository } from "./run-repository.ts";

export interface Span {
  base: string;
  release: string;
}

export interface UpstreamCommit {
  commit: string;
  subject: string;
  files: string[];
  /** What it did to a file that is gone from where the patch expects it: "renames src/a.c to lib/a.c", "deletes src/a.c". */
  what?: string;
}

const NAMES = ["-z", "--name-only", "--no-renames", "--no-merges", "--topo-order"];

/**
 * Commits of the span that change any of the files, newest first. `files` of each are those among the asked; with
 * `whole`, all that it changes.
 */
export async function commitsTouching(
  run: RunRepository,
  { base, release }: Span,
  files: string[],
  { most, whole = false }: { most: number; whole?: boolean },
): Promise<UpstreamCommit[]> {
  if (files.length === 0) return [];
  const flags = [...NAMES, ...(whole ? ["--full-diff"] : []), `--max-count=${most}`];
  // By standard input: a patch may change more files than a command line holds.
  const input = [release, `^${base}`, "--", ...files, ""].join("\n");
  const output = await run.text(["log", "--format=%x01%H %s", ...flags, "--stdin"], { input });
  return output.split("\x01").flatMap((piece) => {
    const match = /^([0-9a-f]{40,64}) ([^\0]*)\0([\s\S]*)$/.exec(piece);
    if (!match) return [];
    const names = (match[3] as string).split("\0").map((name) => name.replace(/^\n/, ""));
    return [{ commit: match[1] as string, subject: match[2] as string, files: names.filter(Boolean) }];
  });
}

/** The files that a patch changes, with both names of a renamed one. */
export async function filesOf(run: RunRepository, patches: Commit[]): Promise<Map<string, string[]>> {
  if (patches.length === 0) return new Map();
  const input = `${patches.map(({ id }) => id).join("\n")}\n`;
  const output = await run.text(["diff-tree", "--stdin", "-r", "-z", "--name-only", "--no-renames"], { input });
  const files = new Map<string, string[]>(patches.map(({ id }) => [id, []]));
  let current: string[] | undefined;
  for (const field of output.split("\0")) {
    if (files.has(field)) current = files.get(field);
    else if (field) current?.push(field);
  }
  return files;
}

/** The commit of the span that was made by the same author at the same time as the patch, if there is one. */
export async function sameAct(
  run: RunRepository,
  { base, release }: Span,
  patch: Commit,
): Promise<UpstreamCommit | undefined> {
  const format = "--format=%H%x00%an <%ae> %ad%x00%s";
  const output = await run.text(["log", "--no-merges", "--date=raw", format, "--end-of-options", release, `^${base}`]);
  const author = Buffer.from(patch.author, "latin1").toString("utf8");
  for (const line of output.split("\n")) {
    const [commit, act, subject] = line.split("\0");
    if (commit && act === author) return { commit, subject: subject ?? "", files: [] };
  }
  return undefined;
}
