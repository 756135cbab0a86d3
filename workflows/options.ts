import { defineSearchAttributeKey } from "@temporalio/common";
import { type ActivityOptions, proxyActivities, proxyLocalActivities } from "@temporalio/workflow";
import type { Activities } from "../activities/index.ts";

/** Timeouts and retries of every kind of activity, in one place. */

/** A step over the network. Its heartbeats notice a dead worker; what still fails after the retries becomes a wait with a reason. */
const NETWORK_STEP: ActivityOptions = {
  startToCloseTimeout: "1 hour",
  heartbeatTimeout: "20 seconds",
  retry: { initialInterval: "1 second", backoffCoefficient: 3, maximumInterval: "1 minute", maximumAttempts: 5 },
};

type GitSteps = Pick<
  Activities,
  "prepare" | "carry" | "takeResolution" | "pushHandOff" | "clearHandOff" | "pushCandidate" | "promote" | "readRefs"
>;

/** `summary` is what the Web UI shows beside the step. */
export const git = (summary: string) => proxyActivities<GitSteps>({ ...NETWORK_STEP, summary });

/** Somebody waits for the answer: what fails is said soon, and can be asked again. */
export const asked = (summary: string) =>
  proxyActivities<Pick<Activities, "listResolutions" | "forgetResolution">>({
    startToCloseTimeout: "2 minutes",
    heartbeatTimeout: "20 seconds",
    retry: { initialInterval: "1 second", maximumAttempts: 2 },
    summary,
  });

/** The build has its own time limit (`build.timeoutSeconds`, a day at most); a failed build is an outcome, so retries are for dead workers. */
export const builder = (summary: string) =>
  proxyActivities<Pick<Activities, "build">>({ ...NETWORK_STEP, startToCloseTimeout: "25 hours", summary });

/** Nothing waits on a sink for long, and nothing fails because of one. */
export const sinks = (summary: string) =>
  proxyActivities<Pick<Activities, "notify" | "notifyUpstream">>({
    startToCloseTimeout: "20 seconds",
    retry: { initialInterval: "2 seconds", maximumAttempts: 4 },
    summary,
  });

/** Writing to our own records must work in the end: retried until it does. */
export const recorder = proxyLocalActivities<
  Pick<Activities, "openAttempt" | "recordAttempt" | "recallFork" | "supersededBy" | "takeSignal" | "commitFeed">
>({ startToCloseTimeout: "10 seconds", retry: { initialInterval: "200 milliseconds", maximumInterval: "10 seconds" } });

/** One poll, "failing" until there is news: no history grows meanwhile. */
export const feed = (summary: string) =>
  proxyActivities<Pick<Activities, "pollFeed">>({
    // A poll has 20 s to fetch and 5 s to parse; what takes longer is a worker that died.
    startToCloseTimeout: "40 seconds",
    retry: { initialInterval: "30 seconds", backoffCoefficient: 1 },
    summary,
  });

export const temporal = (summary: string) =>
  proxyActivities<Pick<Activities, "dispatch" | "describeAttempt">>({
    startToCloseTimeout: "30 seconds",
    retry: { initialInterval: "1 second", maximumInterval: "1 minute" },
    summary,
  });

export const PATCH_FORK = defineSearchAttributeKey("PatchFork", "KEYWORD");
export const PATCH_TAG = defineSearchAttributeKey("PatchTag", "KEYWORD");
export const PATCH_STATUS = defineSearchAttributeKey("PatchStatus", "KEYWORD");
export const PATCH_EVENT_ID = defineSearchAttributeKey("PatchEventId", "KEYWORD");
