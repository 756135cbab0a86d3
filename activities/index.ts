import { type BuildDeps, buildActivities } from "./build.ts";
import { type DispatchDeps, dispatchActivities } from "./dispatch.ts";
import { type FeedDeps, feedActivities } from "./feed.ts";
import { type GitDeps, gitActivities } from "./git.ts";
import { type NotifyDeps, notifyActivities } from "./notify.ts";
import { type RecordDeps, recordActivities } from "./record.ts";
import { resolutionActivities } from "./resolutions.ts";

export type ActivityDeps = BuildDeps & DispatchDeps & FeedDeps & GitDeps & NotifyDeps & RecordDeps;
export type Activities = ReturnType<typeof createActivities>;

/** Everything that workflows may do to the world. */
export function createActivities(deps: ActivityDeps) {
  return {
    ...buildActivities(deps),
    ...dispatchActivities(deps),
    ...feedActivities(deps),
    ...gitActivities(deps),
    ...notifyActivities(deps),
    ...recordActivities(deps),
    ...resolutionActivities(deps),
  };
}
