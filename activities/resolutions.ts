import { ATTACHMENTS } from "../domain/attempt.ts";
import { maintainForkId } from "../workflows/messages.ts";
import { forkOf, forkRemote } from "./forks.ts";
import type { GitDeps } from "./git.ts";
import { running } from "./running.ts";

/** What a fork remembers of resolved conflicts, for people to look at and to forget. */
export function resolutionActivities(deps: GitDeps) {
  const { git, records } = deps;
  return {
    /** Puts the list beside the fork's records, where the API reads it: of any length, it must not travel through history. */
    async listResolutions({ fork }: { fork: string }): Promise<void> {
      await running(async (signal) => {
        const resolutions = await git.listResolutions(forkRemote(deps, forkOf(deps, fork)), signal);
        await records.attachments.put(maintainForkId(fork), ATTACHMENTS.resolutions, JSON.stringify(resolutions));
      });
    },

    /** False when there is none of that key. */
    async forgetResolution({ fork, key }: { fork: string; key: string }): Promise<boolean> {
      return await running((signal) => git.forgetResolution(forkRemote(deps, forkOf(deps, fork)), key, signal));
    },
  };
}
