import { createHash } from "node:crypto";
import { createServer } from "node:http";
import { listen } from "./listen.ts";

export interface PublishedRelease {
  tag: string;
  /** GitHub shows the release's name here, which is often not the tag. */
  title: string;
  updated: Date;
  /** HTML of the release notes. */
  notes?: string;
  author?: string;
}

export interface ReleaseFeed {
  /** Of the feed: `http://127.0.0.1:<port>/<owner>/<name>/releases.atom`. */
  url: string;
  /** Of the repository's page. */
  webUrl: string;
  port: number;
  publish(release: PublishedRelease): void;
  close(): Promise<void>;
}

const NEWEST = 10;

/** A release feed in GitHub's shape: the 10 newest, ids that keep to repository and tag, a weak ETag, and 304 for it. */
export async function startReleaseFeed(
  options: { port?: number; owner?: string; name?: string; repositoryId?: number } = {},
): Promise<ReleaseFeed> {
  const { owner = "notch", name = "notch", repositoryId = 41881900 } = options;
  const releases: PublishedRelease[] = [];
  const path = `/${owner}/${name}`;
  const server = createServer((request, response) => {
    request.resume();
    if (request.url?.split("?")[0] !== `${path}/releases.atom`) {
      response.writeHead(404).end("Not found\n");
      return;
    }
    const body = render({ webUrl: `http://${request.headers.host}${path}`, name, repositoryId, releases });
    const etag = `W/"${createHash("sha256").update(body).digest("hex").slice(0, 32)}"`;
    if (request.headers["if-none-match"] === etag) {
      response.writeHead(304, { ETag: etag }).end();
      return;
    }
    response.writeHead(200, { "Content-Type": "application/atom+xml; charset=utf-8", ETag: etag }).end(body);
  });
  const { port, close } = await listen(server, options.port);
  const webUrl = `http://127.0.0.1:${port}${path}`;
  const publish = (release: PublishedRelease) => void releases.push(release);
  return { url: `${webUrl}/releases.atom`, webUrl, port, publish, close };
}

function render(feed: { webUrl: string; name: string; repositoryId: number; releases: PublishedRelease[] }): string {
  const { webUrl, repositoryId } = feed;
  const newest = feed.releases.toSorted((a, b) => b.updated.getTime() - a.updated.getTime()).slice(0, NEWEST);
  const entries = newest.map(
    ({ tag, title, updated, notes, author }) => `
  <entry>
    <id>tag:github.com,2008:Repository/${repositoryId}/${escape(tag)}</id>
    <updated>${stamp(updated)}</updated>
    <link rel="alternate" type="text/html" href="${escape(`${webUrl}/releases/tag/${encodeURIComponent(tag)}`)}"/>
    <title>${escape(title)}</title>
    <content type="html">${escape(notes ?? "")}</content>
    <author>
      <name>${escape(author ?? "notch")}</name>
    </author>
  </entry>`,
  );
  return `<?xml version="1.0" encoding="UTF-8"?>
<feed xmlns="http://www.w3.org/2005/Atom" xmlns:media="http://search.yahoo.com/mrss/" xml:lang="en-US">
  <id>tag:github.com,2008:${escape(webUrl)}/releases</id>
  <link type="text/html" rel="alternate" href="${escape(webUrl)}/releases"/>
  <link type="application/atom+xml" rel="self" href="${escape(webUrl)}/releases.atom"/>
  <title>Release notes from ${escape(feed.name)}</title>
  <updated>${stamp(newest[0]?.updated ?? new Date(0))}</updated>${entries.join("")}
</feed>
`;
}

const stamp = (date: Date) => date.toISOString().replace(/\.\d+Z$/, "Z");

function escape(text: string): string {
  const names: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };
  return text.replace(/[&<>"']/g, (character) => names[character] ?? character);
}
