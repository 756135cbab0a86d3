/** What reaches a fork: a release to take, and who wishes it. Plain data that travels through Temporal. */

import type { Operation } from "./attempt.ts";
import type { FlowEvent } from "./events.ts";

/** A release (or pushed commit) of upstream that the fork should take. */
export interface Release {
  /** What refs and ids call it: the tag, or `<branch>-<first 12 of the sha>` for a pushed commit. */
  name: string;
  /** Full ref on upstream: `refs/tags/<tag>` or `refs/heads/<branch>`. */
  ref: string;
  /** The commit to take, for a pushed commit; a tag is resolved when the attempt starts. */
  sha?: string;
}

export interface ReleaseOffer {
  fork: string;
  release: Release;
  event: FlowEvent;
  operation: Operation;
  /** One wish has one id: the same offer twice, by update, signal or redelivery, counts once. */
  requestId: string;
}

export interface OfferAnswer {
  attemptId: string;
  /** True when the offer changed nothing because its attempt was there. */
  idempotent: boolean;
}
