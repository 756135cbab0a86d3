import { afterEach, beforeEach, expect, test } from "vitest";
import { type ReleaseFeed, startReleaseFeed } from "../../scripts/quickstart/release-feed.ts";

let feed: ReleaseFeed;
beforeEach(async () => {
  feed = await startReleaseFeed();
});
afterEach(() => feed.close());

const publish = (tag: string, day: number, title = `Release ${tag}`) =>
  feed.publish({ tag, title, updated: new Date(Date.UTC(2026, 0, day)) });

test("is shaped as GitHub's: ids and links with the tag, the 10 newest first", async () => {
  for (let day = 1; day <= 12; day++) publish(`v${day}`, day);
  const text = await (await fetch(feed.url)).text();
  const ids = [...text.matchAll(/<id>(tag:github\.com,2008:Repository\/[^<]*)<\/id>/g)].map(([, id]) => id);
  expect(ids).toEqual(Array.from({ length: 10 }, (_, n) => `tag:github.com,2008:Repository/41881900/v${12 - n}`));
  expect(text).toContain(`<link rel="alternate" type="text/html" href="${feed.webUrl}/releases/tag/v12"/>`);
  expect(text).toContain("<updated>2026-01-12T00:00:00Z</updated>");
});

test("escapes what would break it", async () => {
  publish("@scope/x@1.0", 1, `A & B <c> "d"`);
  const text = await (await fetch(feed.url)).text();
  expect(text).toContain("<title>A &amp; B &lt;c&gt; &quot;d&quot;</title>");
  expect(text).toContain("/releases/tag/%40scope%2Fx%401.0");
});

test("answers 304 until something is published", async () => {
  publish("v1", 1);
  const etag = (await fetch(feed.url)).headers.get("etag") ?? "";
  const again = () => fetch(feed.url, { headers: { "If-None-Match": etag } });
  expect((await again()).status).toBe(304);
  publish("v2", 2);
  expect((await again()).status).toBe(200);
  expect((await fetch(`${feed.url}x`)).status).toBe(404);
});
