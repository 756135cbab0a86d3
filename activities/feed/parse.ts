import type { FeedEntry } from "../../domain/feed-entry.ts";
import { entriesOfFeedsmith, entriesOfRssParser, type Loose } from "./entries.ts";
import { READER_LIMITS, readOnThread } from "./reader-thread.ts";

export type ParsedFeed = { ok: true; entries: FeedEntry[] } | { ok: false; reason: string };

export interface ParseOptions {
  /** Where the feed came from; its links are relative to it. */
  url: string;
  /** Stands for dates that the feed does not give. ISO 8601. */
  now: string;
  limits?: typeof READER_LIMITS;
}

/**
 * Reads Atom, RSS or JSON Feed. rss-parser goes first; where it rejects a feed or loses the title, link, id or date of an
 * entry (a bad date, a link without attributes, an xhtml title), Feedsmith reads the feed instead.
 */
export async function parseFeed(text: string, options: ParseOptions): Promise<ParsedFeed> {
  const { limits = READER_LIMITS } = options;
  if (declaresEntities(text)) return { ok: false, reason: "not a readable feed: it declares entities of its own" };
  const first = await readOnThread("rss-parser", text, limits);
  const entries = first.ok ? entriesOfRssParser(first.feed) : undefined;
  if (entries?.every(isWhole)) return finished(entries, options);

  const second = await readOnThread("feedsmith", text, limits);
  if (second.ok) return finished(entriesOfFeedsmith(second.feed), options);
  if (entries) return finished(entries, options);
  return { ok: false, reason: `not a readable feed: ${first.ok ? second.reason : first.reason}` };
}

/** Entities that a document declares can grow without end or name files. They stand before its root element; no feed needs any. */
function declaresEntities(text: string): boolean {
  const root = text.search(/<(?:feed|rss|rdf:RDF)[\s/>]/i);
  return /<!ENTITY/i.test(root < 0 ? text : text.slice(0, root));
}

function isWhole(entry: Loose): boolean {
  return Boolean(entry.title && (entry.url || entry.id) && entry.publishedAt);
}

function finished(entries: Loose[], { url, now }: ParseOptions): ParsedFeed {
  return {
    ok: true,
    entries: entries.map(({ publishedAt, ...entry }) => ({
      ...entry,
      title: entry.title ?? "",
      publishedAt: publishedAt ?? now,
      ...(entry.url !== undefined && { url: absolute(entry.url, url) }),
    })),
  };
}

function absolute(link: string, base: string): string {
  return URL.canParse(link, base) ? new URL(link, base).href : link;
}
