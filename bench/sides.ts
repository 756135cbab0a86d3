/** The ways to carry a stack that are compared. */

import { spawnSync } from "node:child_process";
import { join } from "node:path";
import type { Carried } from "../git/index.ts";
import { plainEnvironment } from "./git.ts";
import type { Side } from "./interleave.ts";
import { forgetLoose, forgetSteps, type Place, warm } from "./place.ts";
import { runScript } from "./script.ts";
import { variantBranch } from "./variants.ts";

/**
 * Through the engine's door, with all that it does: reading the fork's refs, fetching, merging, the ledger, the range-diff.
 * `afterPlan`: the stack has been fetched already, as the workflow's step before does.
 */
export function byEngine(place: Place, { afterPlan = false } = {}): Side {
  const { git, recipe } = place;
  return {
    async before(round) {
      forgetSteps(place);
      if (afterPlan) await warm(git, recipe(round));
    },
    async run(round) {
      return tipOf(await git.carry(recipe(round)));
    },
  };
}

export function tipOf(carried: Carried): string {
  if (carried.kind === "carried") return carried.tip;
  throw new Error(
    `the engine did not carry: ${carried.kind === "blocked" ? carried.reason : `"${carried.subject}" stopped`}`,
  );
}

const REBASE = `
set -e
git worktree add --quiet --detach "$WORK" "$TIP"
cd "$WORK"
git rebase --quiet $FLAGS --onto "$RELEASE" "$BASE"
git rev-parse HEAD
cd "$CLONE"
git worktree remove --force "$WORK"
`;

/** As a maintainer does it: a worktree, a rebase, and the worktree removed. */
export function byRebase(place: Place, flags = ""): Side {
  return byScript(place, REBASE, { FLAGS: flags });
}

const REPLAY = `
set -e
git replay $FLAGS --onto "$RELEASE" "$BASE..$BRANCH" | cut -d" " -f3
`;

/** git-replay(1), experimental. */
export function byReplay(place: Place): Side {
  return byScript(place, REPLAY, { FLAGS: replayFlags() });
}

/** Newer ones move the branch unless they are told to print what they would do. */
export function replayFlags(): string {
  const { stdout, stderr } = spawnSync("git", ["replay", "-h"], { encoding: "utf8", env: plainEnvironment() });
  return `${stdout}${stderr}`.includes("--ref-action") ? "--ref-action=print" : "";
}

function byScript(place: Place, script: string, more: Record<string, string> = {}): Side {
  return {
    before: () => forgetLoose(place.clone),
    run(round) {
      const environment = {
        ...place.committer,
        ...more,
        CLONE: place.clone,
        WORK: join(place.directory, "worktree"),
        BASE: place.base,
        RELEASE: place.release,
        TIP: place.tips[round] as string,
        BRANCH: `refs/heads/${variantBranch(round)}`,
      };
      return runScript(script, place.clone, environment);
    },
  };
}
