import { ApplicationFailure } from "@temporalio/activity";
import type { FeedSourcesFile, Fork } from "../domain/config.ts";
import type { Recipe, Remote } from "../git/index.ts";
import type { Work } from "./steps.ts";

/** The config as it is now, and the secrets that it names. */
export interface ForkLookup {
  config: () => FeedSourcesFile;
  secret: (variable: string) => string | undefined;
}

/** Read afresh by each step, so that an edited config counts from the next try on. */
export function forkOf(deps: ForkLookup, id: string): Fork {
  const fork = deps.config().forks.find((each) => each.id === id);
  if (fork) return fork;
  throw ApplicationFailure.nonRetryable(
    `forks[] has no "${id}" any more: put it back and retry, or abort the attempt`,
    "ForkGone",
  );
}

export function forkRemote(deps: ForkLookup, fork: Fork): Remote {
  const { url, tokenEnv } = fork.fork;
  if (!tokenEnv) return { url };
  const token = deps.secret(tokenEnv);
  if (token) return { url, token };
  throw ApplicationFailure.nonRetryable(
    `${tokenEnv}, which forks[] names for "${fork.id}", is not set`,
    "TokenMissing",
  );
}

export function recipeOf(deps: ForkLookup, work: Work): Recipe {
  const fork = forkOf(deps, work.fork);
  return {
    upstream: { url: fork.upstream.url },
    fork: forkRemote(deps, fork),
    target: work.release,
    patchBranch: fork.patchBranch,
    ...work.pinned,
    decisions: work.decisions,
  };
}
