/** Brings here what people pushed to the fork's hand-off branches, whatever it is. */

import type { Remote } from "../options.ts";
import { GitFailure } from "../process/failure.ts";
import { listRefs } from "../repository/remote-refs.ts";
import type { RunRepository } from "../repository/run-repository.ts";

/** A branch as it was fetched, or why git does not take it in. */
export type Pushed = { sha: string } | { flaw: string };

/** Those of the branches that are there. People push meanwhile: each counts as it was when it was fetched. */
export async function fetchPushed(run: RunRepository, fork: Remote, branches: string[]): Promise<Map<string, Pushed>> {
  const there = [...(await listRefs(run.engine, fork, branches, run.signal)).keys()];
  const flaws = new Map<string, string>();
  try {
    await run.fetch(fork, there);
  } catch (error) {
    if (!isAboutContent(error)) throw error;
    for (const branch of there) {
      const flaw = await flawOf(run, fork, branch);
      if (flaw !== undefined) flaws.set(branch, flaw);
    }
  }
  const here = await run.text(["for-each-ref", "--format=%(objectname) %(refname)", "refs/remote/heads/patchmoi"]);
  const shas = new Map(
    here.split("\n").map((line) => [line.slice(line.indexOf(" ") + 1), line.split(" ")[0] as string]),
  );
  const pushed = new Map<string, Pushed>();
  for (const branch of there) {
    const [flaw, sha] = [flaws.get(branch), shas.get(`refs/remote/${branch.slice("refs/".length)}`)];
    if (flaw) pushed.set(branch, { flaw });
    else if (flaw === undefined && sha) pushed.set(branch, { sha });
  }
  return pushed;
}

/** Not of the network or the credentials, which are the same for all branches. */
function isAboutContent(error: unknown): error is GitFailure {
  return error instanceof GitFailure && ["refused", "not-found", "other"].includes(error.kind);
}

/** Empty where the branch was deleted meanwhile. */
async function flawOf(run: RunRepository, fork: Remote, branch: string): Promise<string | undefined> {
  try {
    await run.fetch(fork, [branch]);
    return undefined;
  } catch (error) {
    if (!isAboutContent(error)) throw error;
    if (error.kind === "not-found") return "";
    const [said] = /^error: object .*$/m.exec(error.message) ?? [];
    if (!said) throw error;
    return said.replace(/^error: /, "");
  }
}
