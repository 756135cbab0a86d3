import { ApplicationFailure, asyncLocalStorage } from "@temporalio/activity";
import { ApplicationFailureCategory } from "@temporalio/common";
import type { FeedSource, FeedSourcesFile } from "../domain/config.ts";
import type { FeedSignal, FeedState } from "../domain/events.ts";
import { isFresh, nextState, unseen } from "../domain/feed-window.ts";
import type { Records } from "../records/records.ts";
import { type FeedReading, readFeed, urlHash } from "./feed/read.ts";
import { take } from "./feed/take.ts";
import type { Polled, TakenSignal } from "./steps.ts";

export interface FeedDeps {
  /** As it is now: read afresh at every call. */
  config: () => FeedSourcesFile;
  records: Records;
  allowPrivateNetwork: boolean;
  now?: () => Date;
}

const MOST_SIGNALS = 100;
/** Of JSON; Temporal warns at 512 KiB a payload. */
const LARGEST_ANSWER = 300_000;
const LONGEST_BACKOFF_SECONDS = 3600;
const MISSED =
  "none of the entries was known: more came than the feed shows, so releases may be missing; start them with POST /flow-events";

export function feedActivities(deps: FeedDeps) {
  const { config, records, allowPrivateNetwork, now = () => new Date() } = deps;
  return {
    /**
     * One poll. With news it answers the oldest of them and the state to commit once they are taken care of; without, it
     * "fails" in a benign way and says when to be retried, so that waiting for news writes no history.
     */
    async pollFeed({ sourceId }: { sourceId: string }): Promise<Polled> {
      const source = sourceOf(config(), sourceId);
      const stored = await records.feedStates.get(sourceId);
      const at = now();
      const reading = await readFeed(source, stored, { allowPrivateNetwork, now: at, signal: cancellation() });
      const polled = reading.kind === "read" ? newsOf(reading, stored, source, at) : undefined;
      if (polled?.signals.length) return polled;
      const delay = secondsToNextPoll(source, stored, reading);
      const state = {
        ...(polled?.state ?? { ...(stored ?? { sourceId, seen: [] }), lastCheckedAt: at.toISOString() }),
        nextPollAt: new Date(at.getTime() + delay * 1000).toISOString(),
        lastError: reading.kind === "failed" ? reading.reason : polled?.state.lastError,
      };
      await records.feedStates.put(state);
      throw nothing(source, reading, delay);
    },

    /** Records the signal and what is decided about it. Doing it twice records it once and answers the same. */
    async takeSignal({ sourceId, signal }: { sourceId: string; signal: FeedSignal }): Promise<TakenSignal> {
      return await take(signal, sourceOf(config(), sourceId), { config: config(), records, now: now() });
    },

    async commitFeed({ state }: { state: FeedState }): Promise<void> {
      await records.feedStates.put(state);
    },
  };
}

function sourceOf(config: FeedSourcesFile, sourceId: string): FeedSource {
  const source = config.sources.find(({ id }) => id === sourceId);
  if (source) return source;
  throw ApplicationFailure.nonRetryable(`feed source ${sourceId} is not in the config any more`, "SourceGone");
}

function newsOf(
  { signals, unreadable, validators }: FeedReading & { kind: "read" },
  stored: FeedState | undefined,
  source: FeedSource,
  at: Date,
): Polled {
  const { news, settled, gap } = unseen(signals, stored, source);
  const taken = oldest(news);
  const known: FeedState = { sourceId: source.id, seen: isFresh(stored, source) ? [] : (stored?.seen ?? []) };
  const state: FeedState = {
    ...nextState(known, signals, [...settled, ...taken]),
    primedAt: stored?.primedAt ?? at.toISOString(),
    lastCheckedAt: at.toISOString(),
    nextPollAt: new Date(at.getTime() + source.pollIntervalSeconds * 1000).toISOString(),
    // What did not fit must be answered again by the next poll: no "not modified" then.
    ...(taken.length === news.length && { urlHash: urlHash(source.url), ...validators }),
    ...((unreadable || gap) && { lastError: unreadable ?? MISSED }),
  };
  return { signals: taken, state };
}

/** The first of them, at least one, as many as an answer may hold. */
function oldest(news: FeedSignal[]): FeedSignal[] {
  let size = 0;
  const end = news.slice(0, MOST_SIGNALS).findIndex((signal, index) => {
    size += JSON.stringify(signal).length;
    return index > 0 && size > LARGEST_ANSWER;
  });
  return news.slice(0, end < 0 ? MOST_SIGNALS : end);
}

/** The source's pace; after failures twice the last delay, up to an hour; never sooner than the server asked. */
function secondsToNextPoll(source: FeedSource, stored: FeedState | undefined, reading: FeedReading): number {
  const pace = source.pollIntervalSeconds;
  if (reading.kind !== "failed") return pace;
  const { lastError, lastCheckedAt, nextPollAt } = stored ?? {};
  const before =
    lastError && lastCheckedAt && nextPollAt ? (Date.parse(nextPollAt) - Date.parse(lastCheckedAt)) / 1000 : 0;
  const backoff = Math.max(pace, Math.min(before * 2, LONGEST_BACKOFF_SECONDS));
  return Math.max(backoff, reading.retryAfterSeconds ?? 0);
}

function nothing(source: FeedSource, reading: FeedReading, delay: number): ApplicationFailure {
  return ApplicationFailure.create({
    message: reading.kind === "failed" ? `${source.id}: ${reading.reason}` : `${source.id}: nothing new`,
    type: reading.kind === "failed" ? "PollFailed" : "NothingNew",
    nonRetryable: false,
    category: ApplicationFailureCategory.BENIGN,
    nextRetryDelay: delay * 1000,
  });
}

/** Of the running activity; undefined where this is called without Temporal. */
function cancellation(): AbortSignal | undefined {
  return asyncLocalStorage.getStore()?.cancellationSignal;
}
