import type { FeedSource, Fork, WorkspaceFlow } from "./config.ts";
import { type FeedJob, type FeedSignal, type FlowEvent, releaseIn } from "./events.ts";
import { feedEventId } from "./ids.ts";
import type { ReleaseOffer } from "./offer.ts";
import { isPrerelease } from "./release.ts";
import { matchesTags } from "./tag-glob.ts";

/** What a feed signal leads to. Pure: the caller writes the records and does the rest. */
export interface Intake {
  event?: FlowEvent;
  job?: FeedJob;
  action:
    | { kind: "maintain"; offer: ReleaseOffer }
    | { kind: "backend"; event: FlowEvent }
    | { kind: "record-only"; reason: string };
}

/** `fork` is the entry of `forks[]` that the source's target names. `receivedAt` is ISO 8601. */
export function decide(signal: FeedSignal, source: FeedSource, fork: Fork | undefined, receivedAt: string): Intake {
  const { target } = source;
  switch (target?.mode) {
    case "fork_sync": {
      const job = jobFor(signal, target, receivedAt);
      return { job, action: { kind: "record-only", reason: "recorded as a fork_sync job" } };
    }
    case "workspace_flow":
    case "flow_dispatch":
      return target.fork === undefined
        ? toBackend(signal, target, receivedAt)
        : toFork(signal, target, fork, receivedAt);
    default:
      return recordOnly(target ? "the source only notifies" : "the source has no target");
  }
}

/** Why a fork does not take a release; undefined when it does. */
export function refusal(tag: string, fork: Fork): string | undefined {
  const { tags, prereleases } = fork.releases;
  if (!matchesTags(tags, tag)) return `${tag} does not match releases.tags "${tags}" of fork ${fork.id}`;
  if (!prereleases && isPrerelease(tag)) return `${tag} is a prerelease, which fork ${fork.id} does not take`;
  return undefined;
}

function toFork(signal: FeedSignal, target: WorkspaceFlow, fork: Fork | undefined, receivedAt: string): Intake {
  if (!fork) return recordOnly(`there is no fork "${target.fork}" in forks[]`);
  const release = releaseIn(signal);
  if (!release) return recordOnly(`the branch is not known: set repo.defaultBranch of source ${signal.sourceId}`);
  const refused = signal.tag === undefined ? undefined : refusal(signal.tag, fork);
  if (refused) return recordOnly(refused);
  const event = eventFor(signal, target, receivedAt);
  const offer: ReleaseOffer = { fork: fork.id, release, event, operation: "dispatch", requestId: event.id };
  return { event, action: { kind: "maintain", offer } };
}

function toBackend(signal: FeedSignal, target: WorkspaceFlow, receivedAt: string): Intake {
  const event = eventFor(signal, target, receivedAt);
  return { event, action: { kind: "backend", event } };
}

function eventFor(signal: FeedSignal, target: WorkspaceFlow, receivedAt: string): FlowEvent {
  const { tag, ref, sha, title, url, repo, publishedAt } = signal;
  const known = { fork: target.fork, tag, ref, sha, title, url, repo: repo.fullName };
  return {
    id: feedEventId(signal.sourceId, signal.entryId, target.eventType),
    type: target.eventType,
    source: "patch",
    occurredAt: publishedAt,
    receivedAt,
    payload: {
      ...Object.fromEntries(Object.entries(known).filter(([, value]) => value !== undefined)),
      ...target.payload,
    },
  };
}

function jobFor(
  signal: FeedSignal,
  target: { provider: string; repoFullName: string; branch: string },
  createdAt: string,
): FeedJob {
  return {
    id: feedEventId(signal.sourceId, signal.entryId, "fork_sync"),
    kind: "fork_sync",
    sourceId: signal.sourceId,
    provider: target.provider,
    upstreamRepoFullName: signal.repo.fullName,
    targetRepoFullName: target.repoFullName,
    branch: target.branch,
    ...(signal.ref && { upstreamRef: signal.ref }),
    ...(signal.sha && { upstreamSha: signal.sha }),
    entryId: signal.entryId,
    ...(signal.url && { url: signal.url }),
    createdAt,
  };
}

function recordOnly(reason: string): Intake {
  return { action: { kind: "record-only", reason } };
}
