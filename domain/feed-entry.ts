import { type FeedSource, isSafeRefName } from "./config.ts";
import type { FeedSignal } from "./events.ts";

/** One entry of a feed, whichever format it had. Strings are as the feed has them; `publishedAt` is ISO 8601. */
export interface FeedEntry {
  id?: string;
  title: string;
  /** Absolute. */
  url?: string;
  author?: string;
  publishedAt: string;
  raw: Record<string, unknown>;
}

export type ReadEntry = { ok: true; signal: FeedSignal } | { ok: false; reason: string };

/** Long enough for every real name, short enough for a ref's file name and a workflow id. */
const LONGEST_TAG = 200;

/**
 * Understands an entry. A release's tag comes from the entry's link or id: the title of a release is a name that people
 * choose (codex 0.130.0 is tagged rust-v0.130.0). A pushed commit's id comes from the link or id.
 */
export function readEntry(entry: FeedEntry, source: FeedSource): ReadEntry {
  const entryId = clip(entry.id ?? entry.url ?? "", 1000);
  const title = clip(entry.title, 300);
  if (!entryId) return { ok: false, reason: `"${title}" has neither an id nor a link` };
  const found = source.event === "release" ? releaseOf(entry, source) : commitOf(entry, source);
  if (typeof found === "string") return { ok: false, reason: `"${title || entryId}" ${found}` };
  return {
    ok: true,
    signal: {
      sourceId: source.id,
      provider: source.provider,
      event: source.event,
      entryId,
      title: title || found.tag || found.sha || entryId,
      ...(entry.url && { url: clip(entry.url, 2000) }),
      ...(entry.author && { author: clip(entry.author, 200) }),
      publishedAt: entry.publishedAt,
      repo: source.repo,
      ...found,
      ...(source.target && { target: source.target }),
      raw: entry.raw,
    },
  };
}

/**
 * The key by which a source remembers what it has seen: repository and tag, or commit. Entry ids, titles and dates change
 * when a release is edited or republished.
 */
export function signalKey(signal: FeedSignal): string {
  return `${keyPrefix(signal)}${signal.tag ?? signal.sha}`;
}

/** What all keys of a source as configured now begin with. */
export function keyPrefix({ event, repo }: Pick<FeedSource, "event" | "repo">): string {
  return `${event}:${repo.fullName}:`;
}

type Found = { tag?: string; sha?: string; ref?: string };

function releaseOf(entry: FeedEntry, source: FeedSource): Found | string {
  const tag = tagOfLink(entry.url, source) ?? tagOfId(entry.id, source) ?? tagOfTitle(entry.title, source);
  if (tag === undefined) return "names no release tag in its link or id";
  if (tag.length > LONGEST_TAG) return `has a tag of more than ${LONGEST_TAG} characters`;
  if (!isSafeRefName(tag)) return `has "${tag}" as its tag, which is not a valid git tag name`;
  return { tag, ref: `refs/tags/${tag}` };
}

/** GitLab; GitHub, Gitea, Forgejo and Codeberg; Gitea's feed of tags. The tag is all that follows, and may hold slashes. */
const TAG_PATHS = [/\/-\/(?:releases|tags)\/(.+)$/, /\/releases\/tag\/(.+)$/, /\/src\/tag\/(.+)$/];
/** On other sites only one segment can be trusted to be the tag, and only if it has a number. */
const LOOSE_TAG_PATH = /.*\/(?:tags?|releases?)\/([^/]*\d[^/]*)$/;

function tagOfLink(url: string | undefined, source: FeedSource): string | undefined {
  const path = pathOf(url);
  if (path === undefined) return undefined;
  const patterns = isForge(source) ? TAG_PATHS : [...TAG_PATHS, LOOSE_TAG_PATH];
  for (const pattern of patterns) {
    const tag = decoded(pattern.exec(path)?.[1]);
    if (tag === undefined) continue;
    return pattern === LOOSE_TAG_PATH ? tag.replace(/\.(?:html?|md)$/i, "") : tag;
  }
  return undefined;
}

/** GitHub's ids hold the tag as it is; Gitea's hold the link behind a number; others are the link. */
function tagOfId(id: string | undefined, source: FeedSource): string | undefined {
  const github = /^tag:[^:]+:Repository\/\d+\/(.+)$/s.exec(id ?? "")?.[1];
  return github ?? tagOfLink(/https?:\/\/\S+/.exec(id ?? "")?.[0], source);
}

/** Only where the site is not a known forge: there the title is often all there is. */
function tagOfTitle(title: string, source: FeedSource): string | undefined {
  const text = title.trim();
  if (isForge(source) || text.length > LONGEST_TAG) return undefined;
  return /^[A-Za-z._/-]*v?(?:\d+[._]\d[\w.+-]*|(?<=v)\d+)$/.test(text) ? text : undefined;
}

function commitOf(entry: FeedEntry, source: FeedSource): Found | string {
  const text = `${entry.url ?? ""}\n${entry.id ?? ""}`;
  const sha = /commit\/(?:\?(?:[^\s#]*&)?id=)?([0-9a-f]{40}(?:[0-9a-f]{24})?)(?![0-9a-z])/i.exec(text)?.[1];
  if (!sha) return "names no full commit id in its link or id";
  const branch = branchOfFeed(source.url) ?? source.repo.defaultBranch;
  return { sha: sha.toLowerCase(), ...(branch && isSafeRefName(branch) && { ref: `refs/heads/${branch}` }) };
}

/** The branch that a feed of commits is about: GitHub `/commits/<b>.atom`, GitLab `/-/commits/<b>`, Gitea `/atom/branch/<b>`. */
function branchOfFeed(url: string): string | undefined {
  const match = /\/(?:commits|(?:rss|atom)\/branch)\/(.+?)(?:\.atom|\.rss)?$/.exec(pathOf(url) ?? "");
  return decoded(match?.[1]);
}

function isForge(source: FeedSource): boolean {
  return source.provider !== "generic" && source.provider !== "jojo";
}

function pathOf(url: string | undefined): string | undefined {
  return url && URL.canParse(url) ? new URL(url).pathname.replace(/\/+$/, "") : undefined;
}

function decoded(text: string | undefined): string | undefined {
  if (!text) return undefined;
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function clip(text: string, length: number): string {
  const line = text.replace(/\s+/g, " ").trim();
  return line.length > length ? `${line.slice(0, length - 1)}…` : line;
}
