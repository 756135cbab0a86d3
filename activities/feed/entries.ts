import type { FeedEntry } from "../../domain/feed-entry.ts";

/** Entries out of what a parser returned, which is trusted in nothing: every field may be missing or of another type. */

export type Loose = Partial<Omit<FeedEntry, "raw">> & { raw: FeedEntry["raw"] };

/** More than any real feed has; the window that is looked at is smaller still. */
const MOST_ENTRIES = 1000;

type Fields = Record<string, unknown>;

export function entriesOfRssParser(feed: unknown): Loose[] {
  return list(fields(feed).items).map((item) =>
    loose(item, {
      id: text(item.id) ?? text(item.guid),
      title: text(item.title),
      url: text(item.link),
      author: text(item.author) ?? text(item.creator),
      publishedAt: date(item.isoDate) ?? date(item.pubDate),
    }),
  );
}

/** Feedsmith keeps each format's own names. */
export function entriesOfFeedsmith(parsed: unknown): Loose[] {
  const { format, feed } = fields(parsed);
  const { entries, items } = fields(feed);
  if (format === "atom") return list(entries).map(atomEntry);
  return list(items).map((item) =>
    loose(item, {
      id: text(item.id) ?? text(item.guid),
      title: text(item.title),
      url: text(item.link) ?? text(item.url),
      author: name(item.authors) ?? text(list(fields(item.dc).creators)[0]) ?? text(fields(item.dc).creator),
      publishedAt:
        date(item.pubDate) ??
        date(item.date_published) ??
        date(item.date_modified) ??
        date(list(fields(item.dc).dates)[0]),
    }),
  );
}

function atomEntry(entry: Fields): Loose {
  const links = list(entry.links).filter((link) => text(link.href));
  const link = links.find(({ rel }) => rel === undefined || rel === "alternate") ?? links[0];
  return loose(entry, {
    id: text(entry.id),
    title: withoutTags(text(entry.title), fields(entry.title).type),
    url: text(link?.href),
    author: name(entry.authors),
    publishedAt: date(entry.published) ?? date(entry.updated),
  });
}

function loose(raw: Fields, found: { [K in keyof Omit<FeedEntry, "raw">]: string | undefined }): Loose {
  const present = Object.entries(found).filter(([, value]) => value !== undefined);
  return { ...Object.fromEntries(present), raw: bounded(raw) };
}

function fields(value: unknown): Fields {
  return typeof value === "object" && value !== null ? (value as Fields) : {};
}

function list(value: unknown): Fields[] {
  return Array.isArray(value) ? value.slice(0, MOST_ENTRIES) : [];
}

/** A text, or an element with attributes that holds one. */
function text(value: unknown): string | undefined {
  const inner = typeof value === "object" && value !== null ? (fields(value).value ?? fields(value)._) : value;
  return typeof inner === "string" && inner.trim() ? inner.trim() : undefined;
}

function name(authors: unknown): string | undefined {
  const [first] = list(authors);
  return text(first?.name) ?? text(first);
}

function date(value: unknown): string | undefined {
  const time = new Date(text(value) ?? Number.NaN);
  return Number.isNaN(time.getTime()) ? undefined : time.toISOString();
}

function withoutTags(title: string | undefined, type: unknown): string | undefined {
  return type === "xhtml" || type === "html" ? title?.replace(/<[^<>]*>/g, "") : title;
}

const LONGEST_TEXT = 500;
const LARGEST_RAW = 4_000;

/** Release notes can be megabytes, and `raw` travels through workflow history: long texts are cut, then whole fields left out. */
function bounded(raw: Fields): Fields {
  const kept: Fields = {};
  let size = 0;
  for (const [key, value] of Object.entries(raw)) {
    const short = typeof value === "string" && value.length > LONGEST_TEXT ? `${value.slice(0, LONGEST_TEXT)}…` : value;
    const length = JSON.stringify([key, short])?.length ?? 0;
    if (size + length > LARGEST_RAW) continue;
    size += length;
    kept[key] = short;
  }
  return kept;
}
