import type { FeedSource } from "./config.ts";
import type { FeedSignal, FeedState } from "./events.ts";
import { keyPrefix, signalKey } from "./feed-entry.ts";

/** What of a feed's window is news, and what is remembered of it afterwards. */

/** Older entries of longer feeds are not looked at: what is looked at must fit into what is remembered. */
const WINDOW = 300;
const REMEMBERED = 500;

export interface Window {
  /** Not seen before, oldest first. */
  news: FeedSignal[];
  /** Count as seen without being news: what is there when a source is first read. */
  settled: FeedSignal[];
  /** No known entry is left in the window: entries in between may have been missed. */
  gap: boolean;
}

export function unseen(signals: FeedSignal[], state: FeedState | undefined, source: FeedSource): Window {
  const window = onePerKey(newestFirst(signals));
  if (isFresh(state, source)) return firstWindow(window, state, source);
  const seen = new Set(state?.seen);
  const news = window.filter((signal) => !seen.has(signalKey(signal))).reverse();
  return { news, settled: [], gap: seen.size > 0 && window.length > 0 && news.length === window.length };
}

/**
 * The state once `taken` were taken care of. Keys that are still in the window are kept alive, so that a long feed does not
 * push out of memory what it still shows.
 */
export function nextState(state: FeedState, signals: FeedSignal[], taken: FeedSignal[]): FeedState {
  const seen = new Set([...state.seen, ...taken.map(signalKey)]);
  const shown = newestFirst(signals).filter((signal) => seen.has(signalKey(signal)));
  for (const key of shown.map(signalKey).reverse()) {
    seen.delete(key);
    seen.add(key);
  }
  return { ...state, seen: [...seen].slice(-REMEMBERED), ...(shown[0] && { lastSeenId: shown[0].entryId }) };
}

/** Nothing is known of the source as it is configured now. An empty feed that was read once is known. */
export function isFresh(state: FeedState | undefined, source: FeedSource): boolean {
  if (!state?.primedAt) return true;
  return state.seen.length > 0 && !state.seen.some((key) => key.startsWith(keyPrefix(source)));
}

/** State of patch.moi before this one knows the newest entry only: what stands above it is news. */
function firstWindow(window: FeedSignal[], state: FeedState | undefined, source: FeedSource): Window {
  const newest = state?.primedAt ? undefined : state?.lastSeenId;
  const legacy = newest === undefined ? -1 : window.findIndex(({ entryId }) => entryId === newest);
  const settled = legacy >= 0 ? window.slice(legacy) : source.primeOnly ? window : [];
  return { news: window.slice(0, window.length - settled.length).reverse(), settled, gap: false };
}

/** By date; entries of the same date stay in the feed's order, which by custom is newest first. */
function newestFirst(signals: FeedSignal[]): FeedSignal[] {
  return signals.toSorted((a, b) => b.publishedAt.localeCompare(a.publishedAt)).slice(0, WINDOW);
}

function onePerKey(signals: FeedSignal[]): FeedSignal[] {
  const keys = new Set<string>();
  return signals.filter((signal) => !keys.has(signalKey(signal)) && keys.add(signalKey(signal)));
}
