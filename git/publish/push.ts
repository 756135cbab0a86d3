/** Moves refs on a remote, all or none, each only from where it was seen. */

import type { CandidateRef } from "../../domain/attempt.ts";
import { Blocked, type BlockedOutcome, short } from "../blocked.ts";
import type { Remote } from "../options.ts";
import { GitFailure } from "../process/failure.ts";
import { scrub } from "../process/scrub.ts";
import { checkRef } from "../repository/ref-names.ts";
import { readRemoteRefs } from "../repository/remote-refs.ts";
import type { RunRepository } from "../repository/run-repository.ts";

export interface PushedRef {
  kind: CandidateRef["kind"];
  ref: string;
  /** The commit that the ref stands for; of an annotated tag the tagged one. */
  sha: string;
}

export type Push = { kind: "pushed"; refs: PushedRef[] } | BlockedOutcome;

export interface Move {
  ref: string;
  /** Undefined deletes. */
  to?: string;
  /** Where the ref was seen; undefined where it was absent. */
  from?: string;
}

/** Answers with the refs that had moved meanwhile, in which case nothing was pushed; none when all is done. Throws Blocked when the remote declines. */
export async function push(run: RunRepository, remote: Remote, moves: Move[]): Promise<string[]> {
  const due = moves.filter(({ from, to }) => from !== to);
  if (due.length === 0) return [];
  for (const { ref } of due) checkRef(ref);
  const leases = due.map(({ ref, from }) => `--force-with-lease=${ref}:${from ?? ""}`);
  const specs = due.map(({ ref, to }) => `${to ?? ""}:${ref}`);
  const flags = ["--porcelain", "--no-verify", "--no-thin", ...(due.length > 1 ? ["--atomic"] : [])];
  const args = (url: string) => ["push", ...flags, ...leases, "--", url, ...specs];
  let output: string;
  try {
    const answer = await run.engine.runRemote(run.path, remote, "pushing to", args, {
      signal: run.signal,
      accept: [1],
    });
    if (answer.exitCode === 0) return [];
    output = scrub(`${answer.stdout.toString("utf8")}\n${answer.stderr}`, [remote.token]);
  } catch (error) {
    // The remote may have taken it before the connection broke: what it holds now decides.
    if (!(error instanceof GitFailure) || error.kind !== "network" || !(await isDone(run, remote, due))) throw error;
    return [];
  }
  return explain(run, remote, due, output);
}

async function isDone(run: RunRepository, remote: Remote, moves: Move[]): Promise<boolean> {
  try {
    const now = await readRemoteRefs(
      run.engine,
      remote,
      moves.map(({ ref }) => ref),
      run.signal,
    );
    return moves.every(({ ref, to }) => now.get(ref)?.sha === to);
  } catch {
    return false;
  }
}

/** Asks the remote what it holds, rather than reading git's prose. */
async function explain(run: RunRepository, remote: Remote, moves: Move[], output: string): Promise<string[]> {
  const now = await readRemoteRefs(
    run.engine,
    remote,
    moves.map(({ ref }) => ref),
    run.signal,
  );
  if (moves.every(({ ref, to }) => now.get(ref)?.sha === to)) return [];
  const moved = moves.filter(({ ref, from }) => now.get(ref)?.sha !== from);
  if (moved.length > 0) {
    return moved.map(({ ref, from }) => `${ref} moved from ${shown(from)} to ${shown(now.get(ref)?.sha)}`);
  }
  // Porcelain status lines: `!` TAB <from>:<to> TAB [remote rejected] (<why>).
  const declined = output
    .split("\n")
    .filter((line) => line.startsWith("!") && !/atomic push failed|atomic transaction/.test(line));
  const words = output.split("\n").filter((line) => line.startsWith("remote:"));
  const why = [...declined.map((line) => line.split("\t").slice(1).join(" ")), ...words].join("\n").slice(0, 2000);
  throw new Blocked(
    `the fork declined the push: allow this service to push there, then retry\n${why || output.trim()}`,
  );
}

function shown(sha: string | undefined): string {
  return sha ? short(sha) : "nothing";
}

/**
 * Tries twice, so that a lease lost to a race is taken on what is there then. `attempt` reads, decides and pushes, and
 * answers with the refs pushed or with those that had moved.
 */
export async function pushTwice(attempt: () => Promise<{ refs: PushedRef[]; moved: string[] }>): Promise<Push> {
  let moved: string[] = [];
  for (let round = 0; round < 2; round++) {
    const result = await attempt();
    if (result.moved.length === 0) return { kind: "pushed", refs: result.refs };
    moved = result.moved;
  }
  throw new Blocked(`somebody else pushes to the same refs: ${moved.join("; ")}; retry when they are done`);
}
