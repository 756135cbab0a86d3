import { execFile } from "node:child_process";
import { access, readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import type { MaintenanceAttempt } from "../../domain/attempt.ts";
import { git } from "./git.ts";
import { RESOLUTION } from "./notch.ts";
import { Surprise } from "./surprise.ts";

/** Checks with git alone, from outside, that the fork has what the service says that it pushed. */

export type Refs = Map<string, string>;

/** Full ref → object; a tag's commit stands under its name with `^{}`. */
export async function refsOf(url: string): Promise<Refs> {
  const lines = (await git(process.cwd(), ["ls-remote", url])).split("\n").filter(Boolean);
  return new Map(lines.map((line) => line.split("\t") as [string, string]).map(([sha, ref]) => [ref, sha]));
}

export interface Expected {
  forkUrl: string;
  /** Where the check may clone. */
  directory: string;
  upstream: { tag: string; sha: string };
  candidateTag: string;
  patchBranch: string;
  /** What the patch branch was before. */
  patchTip: string;
  outcomes: string[];
}

/** Returns what was found right, a line each. */
export async function verify(attempt: MaintenanceAttempt, expected: Expected): Promise<string[]> {
  const { tag } = expected.upstream;
  const outcomes = (attempt.ledger ?? []).map(({ outcome }) => outcome);
  same("the ledger", outcomes.join(", "), expected.outcomes.join(", "));
  const refs = await refsOf(expected.forkUrl);
  const candidate = attempt.candidateRefs.find(({ kind }) => kind === "branch");
  const branch = `refs/heads/patchmoi/candidate/${tag}`;
  same("the candidate's branch", candidate?.ref, branch);
  same(branch, refs.get(branch), candidate?.sha);
  const tagRef = `refs/tags/${expected.candidateTag}`;
  same(`${tagRef} (annotated)`, refs.get(`${tagRef}^{}`), candidate?.sha);
  const patchRef = `refs/heads/${expected.patchBranch}`;
  same(patchRef, refs.get(patchRef), expected.patchTip);

  const clone = join(expected.directory, "check");
  await git(expected.directory, ["clone", "--quiet", "--branch", `patchmoi/candidate/${tag}`, expected.forkUrl, clone]);
  await checkCommits(clone, attempt, expected);
  await checkTree(clone);
  return [
    `${branch} and ${tagRef} stand at ${candidate?.sha?.slice(0, 10)}`,
    `${patchRef} was not touched`,
    `the candidate is ${tag} and one commit for each patch that was carried, with their authors`,
    "its tree has the fix and every patch, and its build check passes",
  ];
}

async function checkCommits(clone: string, attempt: MaintenanceAttempt, { upstream }: Expected): Promise<void> {
  const carried = (attempt.ledger ?? []).filter(({ outcome }) => outcome === "applied" || outcome === "resolved");
  const log = await git(clone, ["log", "--reverse", "--format=%H %an %s", `${upstream.sha}..HEAD`]);
  const wanted = carried.map(({ commit, subject }) => `${commit} Lin Acme ${subject}`).join("\n");
  same(`the commits on ${upstream.tag}`, log, wanted);
  same("the commit under them", await git(clone, ["rev-parse", `HEAD~${carried.length}`]), upstream.sha);
}

async function checkTree(clone: string): Promise<void> {
  same(RESOLUTION.path, await readFile(join(clone, RESOLUTION.path), "utf8"), RESOLUTION.content);
  const store = await readFile(join(clone, "lib/store.sh"), "utf8");
  if (!store.includes("XDG_DATA_HOME") || !store.includes('>> "$file"'))
    throw new Surprise("lib/store.sh lacks a patch");
  for (const test of ["tests/xdg.sh", "tests/bullet.sh", "tests/count.sh", "tests/number.sh"])
    await access(join(clone, test));
  await promisify(execFile)("sh", ["check.sh"], { cwd: clone }).catch((error: Error & { stderr?: string }) => {
    throw new Surprise(`the build check fails on the candidate: ${error.stderr ?? error.message}`);
  });
}

function same(what: string, found: string | undefined, wanted: string | undefined): void {
  if (found === undefined || found !== wanted) throw new Surprise(`${what} should be\n${wanted}\nand is\n${found}`);
}
