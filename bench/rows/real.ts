/** The same questions, asked of repositories that exist. */

import { join } from "node:path";
import type { RealPair } from "../arguments.ts";
import type { Figure, Skipped } from "../figure.ts";
import { runGit } from "../git.ts";
import type { Grounds } from "../grounds.ts";
import { interleave, type Side } from "../interleave.ts";
import { openEngine, type Pair } from "../place.ts";
import { byEngine, byRebase, byReplay } from "../sides.ts";
import { compareWithCommands } from "./bare.ts";

export async function* real(grounds: Grounds): AsyncGenerator<Figure | Skipped> {
  const { wish } = grounds;
  if (!wish.real) {
    yield { measure: "a real fork", skipped: "none was named" };
    return;
  }
  const pair = await copy(wish.real, grounds.directory());
  const place = await grounds.realPlace(wish.real.branch, pair);
  const stack = [`${pair.base}..${place.tips[0]}`];
  const patches = runGit(pair.fork, ["rev-list", "--count", ...stack]);
  const hasMerges = runGit(pair.fork, ["rev-list", "--count", "--merges", ...stack]) !== "0";
  const files = runGit(pair.upstream, ["ls-tree", "-r", "--name-only", pair.release]).split("\n").length;
  const what = `${patches} patches on ${files} files of a real fork`;

  const sides: Record<string, Side> = {
    engine: byEngine(place),
    rebase: byRebase(place, hasMerges ? "--rebase-merges" : ""),
  };
  if (grounds.atLeast("2.45") && !hasMerges) sides.replay = byReplay(place);
  const seconds = await interleave(sides, wish.runs);
  const { engine = [], rebase = [] } = seconds;
  const goal = grounds.goal(3, 10);
  yield {
    measure: `carrying ${what} ÷ worktree add + rebase --onto + remove, in memory`,
    as: "times",
    goal,
    ours: engine,
    theirs: rebase,
  };
  if (seconds.replay) {
    const against = `carrying ${what} ÷ \`git replay\``;
    yield { measure: against, as: "share", goal: 1.5, ours: engine, theirs: seconds.replay };
  }
  yield await compareWithCommands(grounds, place, what);
}

/** Nothing is written to what belongs to somebody. */
async function copy({ upstream, fork, branch, tag }: RealPair, directory: string): Promise<Omit<Pair, "tips">> {
  const copies = { upstream: join(directory, "upstream.git"), fork: join(directory, "fork.git") };
  runGit("/", ["clone", "--quiet", "--mirror", upstream, copies.upstream]);
  runGit("/", ["clone", "--quiet", "--mirror", fork, copies.fork]);
  const plan = await openEngine(join(directory, "planner")).plan({
    upstream: { url: copies.upstream },
    fork: { url: copies.fork },
    target: { name: tag, ref: `refs/tags/${tag}` },
    patchBranch: branch,
  });
  if (plan.kind !== "carry") throw new Error(`there is nothing to carry: ${plan.reason}`);
  return { ...copies, tag, base: plan.base, release: plan.release };
}
