/** Facts that came in from outside and what was done with them, as CONTRACT.md's records show them. */

import type { Operation } from "./attempt.ts";
import type { FeedSource, Provider, Target } from "./config.ts";
import type { Release } from "./offer.ts";

/** One feed entry or webhook delivery, understood. Key: `sourceId` + `entryId`. Times are ISO 8601. */
export interface FeedSignal {
  sourceId: string;
  provider: Provider;
  event: FeedSource["event"];
  entryId: string;
  title: string;
  url?: string;
  author?: string;
  publishedAt: string;
  repo: FeedSource["repo"];
  ref?: string;
  sha?: string;
  tag?: string;
  target?: Target;
  raw: Record<string, unknown>;
}

/** A `fork_sync` job in the shape that existing patch.moi consumers read. */
export interface FeedJob {
  id: string;
  kind: "fork_sync";
  sourceId: string;
  provider: string;
  upstreamRepoFullName: string;
  targetRepoFullName: string;
  branch: string;
  upstreamRef?: string;
  upstreamSha?: string;
  entryId: string;
  url?: string;
  createdAt: string;
}

export interface FlowEvent {
  id: string;
  type: string;
  source: "patch";
  occurredAt?: string;
  receivedAt: string;
  payload: Record<string, unknown>;
}

/** That an event was handed to a workflow here or to a workspace backend. Key: `eventId` + `createdAt`. */
export interface Dispatch {
  eventId: string;
  eventType: string;
  operation: Operation;
  target: "local" | "workspace-backend";
  transport: "temporal" | "http" | "none";
  workspaceBackendUrl?: string;
  status: "dispatched" | "failed" | "skipped";
  runIds?: string[];
  matched?: boolean;
  idempotent?: boolean;
  /** `signal` when no worker answered in time and the decision was left with Temporal for it. */
  delivered?: "update" | "signal";
  /** Set where the request carried an Idempotency-Key: the same request again finds this answer. */
  requestId?: string;
  httpStatus?: number;
  error?: string;
  createdAt: string;
}

/** What is remembered of a source between polls. Times are ISO 8601. */
export interface FeedState {
  sourceId: string;
  /** The newest entry seen, for people and for older versions of patch.moi; what counts is `seen`. */
  lastSeenId?: string;
  lastCheckedAt?: string;
  /** Keys of entries already taken, newest last, bounded. */
  seen: string[];
  /** When the source was first read; absent until a poll has succeeded. */
  primedAt?: string;
  /** SHA-256 of the URL that `etag` and `lastModified` are of, which may hold a token. */
  urlHash?: string;
  etag?: string;
  lastModified?: string;
  /** Why the last poll failed; absent after one that did not. */
  lastError?: string;
  nextPollAt?: string;
}

/** What an event asked of which fork; undefined for an event that no fork of ours was to take. */
export function releaseOf({ payload }: FlowEvent): { fork: string; release: Release } | undefined {
  const release = releaseIn(payload);
  return typeof payload.fork === "string" && release ? { fork: payload.fork, release } : undefined;
}

/** What a feed signal or an event's payload offers to a fork; undefined where a push does not tell its branch. */
export function releaseIn({ tag, ref, sha }: { tag?: unknown; ref?: unknown; sha?: unknown }): Release | undefined {
  if (typeof sha === "string" && typeof ref === "string" && ref.startsWith("refs/heads/")) {
    const name = typeof tag === "string" ? tag : `${ref.slice("refs/heads/".length)}-${sha.slice(0, 12)}`;
    return { name, ref, sha };
  }
  return typeof tag === "string" ? { name: tag, ref: `refs/tags/${tag}` } : undefined;
}
