/** The names of refs on the fork, and what may be a name at all. */

import { isSafeRefName } from "../../domain/config.ts";
import { conflictRef, progressRef, resolutionRef } from "../../domain/hand-off.ts";
import { Blocked } from "../blocked.ts";

/** The hand-off refs of one release, by its name. */
export function handOffRefs(name: string) {
  const refs = {
    progress: progressRef(name),
    resolution: resolutionRef(name),
    conflict: conflictRef(name),
    /** Keeps an accepted resolution reachable, whatever is pushed to the refs above later. */
    accepted: (commit: string) => `refs/patchmoi/decisions/${name}/${commit}`,
  };
  checkRef(refs.progress);
  return refs;
}

/** What this service last left on a channel. */
export function channelMarker(channel: string): string {
  return `refs/patchmoi/channels/${channel}`;
}

/** Throws Blocked unless it is a full ref that can be neither an option nor a pattern nor a path out of the repository. */
export function checkRef(ref: string): void {
  if (!/^refs\/[^/]/.test(ref) || !isSafeRefName(ref))
    throw new Blocked(`${JSON.stringify(ref)} is not a valid git ref, and is not handed to git`);
}

/** `refs/heads/x` for x, `refs/tags/x` and other full refs for themselves. */
export function asBranch(name: string): string {
  const ref = `refs/heads/${name}`;
  checkRef(ref);
  // git reads a branch name that starts with a dash as an option wherever a person types it (git-check-ref-format --branch).
  if (name.startsWith("-")) throw new Blocked(`"${name}" cannot be a branch: it starts with a dash`);
  return ref;
}
