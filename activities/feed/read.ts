import { createHash } from "node:crypto";
import type { FeedSource } from "../../domain/config.ts";
import type { FeedSignal, FeedState } from "../../domain/events.ts";
import { readEntry } from "../../domain/feed-entry.ts";
import { fetchFeed } from "./fetch.ts";
import { parseFeed } from "./parse.ts";

export type FeedReading =
  | {
      kind: "read";
      /** In the feed's order. */
      signals: FeedSignal[];
      /** Set when the feed has entries and none could be understood: what the operator should know. */
      unreadable?: string;
      validators: { etag?: string; lastModified?: string };
    }
  | { kind: "not-modified" }
  | { kind: "failed"; reason: string; retryAfterSeconds?: number };

/** Fetches, parses and understands a source's feed. Nothing is decided or remembered here. */
export async function readFeed(
  source: FeedSource,
  state: FeedState | undefined,
  options: { allowPrivateNetwork: boolean; now: Date; signal?: AbortSignal },
): Promise<FeedReading> {
  const { allowPrivateNetwork, now, signal } = options;
  const fetched = await fetchFeed(source.url, {
    ...(state?.urlHash === urlHash(source.url) && { etag: state.etag, lastModified: state.lastModified }),
    allowPrivateNetwork,
    signal,
  });
  if (fetched.kind !== "news") return fetched;
  const parsed = await parseFeed(fetched.body, { url: fetched.url, now: now.toISOString() });
  if (!parsed.ok) return { kind: "failed", reason: parsed.reason };

  const read = parsed.entries.map((entry) => readEntry(entry, source));
  const signals = read.flatMap((each) => (each.ok ? [each.signal] : []));
  const reasons = read.flatMap((each) => (each.ok ? [] : [each.reason]));
  const { etag, lastModified } = fetched;
  return {
    kind: "read",
    signals,
    ...(!signals.length &&
      reasons.length && { unreadable: `none of ${reasons.length} entries is a ${source.event}: ${reasons[0]}` }),
    validators: { ...(etag && { etag }), ...(lastModified && { lastModified }) },
  };
}

export function urlHash(url: string): string {
  return createHash("sha256").update(url).digest("hex");
}
