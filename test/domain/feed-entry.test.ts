import { describe, expect, test } from "vitest";
import type { FeedSource } from "../../domain/config.ts";
import { type FeedEntry, readEntry, signalKey } from "../../domain/feed-entry.ts";

const source = (over: Partial<FeedSource> = {}): FeedSource => ({
  id: "codex",
  provider: "github",
  url: "https://github.com/openai/codex/releases.atom",
  event: "release",
  repo: { owner: "openai", name: "codex", fullName: "openai/codex", webUrl: "https://github.com/openai/codex" },
  pollIntervalSeconds: 300,
  primeOnly: true,
  ...over,
});

const entry = (over: Partial<FeedEntry> = {}): FeedEntry => ({
  id: "tag:github.com,2008:Repository/965415649/rust-v0.130.0",
  title: "0.130.0",
  url: "https://github.com/openai/codex/releases/tag/rust-v0.130.0",
  publishedAt: "2026-05-01T10:00:00.000Z",
  raw: {},
  ...over,
});

function tagOf(over: Partial<FeedEntry>, of: Partial<FeedSource> = {}): string | undefined {
  const read = readEntry(entry({ id: undefined, title: "x", url: undefined, ...over }), source(of));
  return read.ok ? read.signal.tag : undefined;
}

test("a release whose title is not its tag", () => {
  expect(readEntry(entry({ author: "bot" }), source())).toEqual({
    ok: true,
    signal: {
      sourceId: "codex",
      provider: "github",
      event: "release",
      entryId: "tag:github.com,2008:Repository/965415649/rust-v0.130.0",
      title: "0.130.0",
      url: "https://github.com/openai/codex/releases/tag/rust-v0.130.0",
      author: "bot",
      publishedAt: "2026-05-01T10:00:00.000Z",
      repo: source().repo,
      tag: "rust-v0.130.0",
      ref: "refs/tags/rust-v0.130.0",
      raw: {},
    },
  });
});

describe("the tag", () => {
  test.each<[string, Partial<FeedEntry>, Partial<FeedSource>]>([
    ["@scope/cli@2.27.1", { url: "https://github.com/a/b/releases/tag/%40scope%2Fcli%402.27.1" }, {}],
    ["v1.2", { id: "tag:github.com,2008:Repository/1/v1.2" }, {}],
    ["a/b", { id: "tag:github.com,2008:Repository/1/a/b" }, {}],
    ["v11.0.1", { url: "https://codeberg.org/forgejo/forgejo/releases/tag/v11.0.1" }, { provider: "codeberg" }],
    ["v1", { id: "123: https://gitea.com/a/b/releases/tag/v1" }, { provider: "gitea" }],
    ["v1.2.3", { url: "https://gitea.com/gitea/tea/src/tag/v1.2.3" }, { provider: "gitea" }],
    ["v17.0.0-ee", { url: "https://gitlab.com/gitlab-org/gitlab/-/releases/v17.0.0-ee" }, { provider: "gitlab" }],
    ["v1/2", { url: "https://gitlab.com/a/b/-/tags/v1%2F2" }, { provider: "gitlab" }],
    ["1.4", { url: "https://example.org/project/releases/1.4.html" }, { provider: "generic" }],
    ["v3", { url: "https://example.org/tags/v3/" }, { provider: "generic" }],
    ["1.2.3", { title: "1.2.3", url: "https://packages.example/project/x/1.2.3/" }, { provider: "generic" }],
    ["v7", { title: " v7 ", url: "https://example.org/news/7" }, { provider: "jojo" }],
    ["100%", { url: "https://github.com/a/b/releases/tag/100%" }, {}],
  ])("is %s for %o", (tag, given, of) => expect(tagOf(given, of)).toBe(tag));

  test.each<[string, Partial<FeedEntry>, Partial<FeedSource>]>([
    ["a title of a forge's entry", { title: "v1.2.3", url: "https://github.com/a/b/discussions/1" }, {}],
    ["prose", { title: "Version 1.2.3 is out", url: "https://example.org/news/1" }, { provider: "generic" }],
    ["a word", { title: "news", url: "https://example.org/releases/news" }, { provider: "generic" }],
    ["a flag", { url: "https://github.com/a/b/releases/tag/--upload-pack=x" }, {}],
    ["a path escape", { url: "https://github.com/a/b/releases/tag/..%2F..%2Fetc" }, {}],
    ["a refspec", { url: "https://github.com/a/b/releases/tag/a%3Ab" }, {}],
    ["a line break", { id: "tag:github.com,2008:Repository/1/v1\nx", url: undefined }, {}],
    ["a long one", { url: `https://github.com/a/b/releases/tag/${"v".repeat(300)}` }, {}],
  ])("is not taken from %s", (_, given, of) => expect(tagOf(given, of)).toBeUndefined());
});

test("refusals say which entry and why", () => {
  expect(readEntry(entry({ id: undefined, url: undefined }), source())).toEqual({
    ok: false,
    reason: '"0.130.0" has neither an id nor a link',
  });
  expect(readEntry(entry({ url: "https://github.com/a/b/releases/tag/-x" }), source())).toEqual({
    ok: false,
    reason: '"0.130.0" has "-x" as its tag, which is not a valid git tag name',
  });
});

describe("a pushed commit", () => {
  const sha = "0123456789abcdef0123456789abcdef01234567";
  const push = (url: string, of: Partial<FeedSource>, id?: string) => {
    const read = readEntry(entry({ id, url, title: "fix" }), source({ event: "push", ...of }));
    return read.ok ? [read.signal.sha, read.signal.ref] : read.reason;
  };

  test.each<[string, Partial<FeedSource>, string | undefined]>([
    [`https://github.com/a/b/commit/${sha}`, { url: "https://github.com/a/b/commits/main.atom" }, "refs/heads/main"],
    [
      `https://gitlab.com/a/b/-/commit/${sha}`,
      { url: "https://gitlab.com/a/b/-/commits/x%2Fy?format=atom" },
      "refs/heads/x/y",
    ],
    [
      `https://codeberg.org/a/b/commit/${sha}`,
      { url: "https://codeberg.org/a/b/rss/branch/forgejo" },
      "refs/heads/forgejo",
    ],
    [`https://git.example.org/x/commit/?h=dev&id=${sha}`, { url: "https://git.example.org/x/atom/?h=dev" }, undefined],
  ])("%s", (url, of, ref) => expect(push(url, of)).toEqual([sha, ref]));

  test("takes the branch from the config where the feed's address has none", () => {
    const repo = { ...source().repo, defaultBranch: "trunk" };
    expect(push(`https://x.org/commit/${sha}`, { repo, url: "https://x.org/feed" })).toEqual([sha, "refs/heads/trunk"]);
  });

  test("needs a whole commit id", () => {
    expect(push("https://github.com/a/b/commit/0123456", {})).toMatch(/names no full commit id/);
  });
});

test("signalKey stands on repository and tag or commit alone", () => {
  const key = (over: Partial<FeedEntry>) => {
    const read = readEntry(entry(over), source());
    return read.ok && signalKey(read.signal);
  };
  const first = key({});
  expect(first).toBe("release:openai/codex:rust-v0.130.0");
  expect(key({ title: "renamed", publishedAt: "2027-01-01T00:00:00.000Z", id: "another" })).toBe(first);
  expect(key({ url: "https://github.com/openai/codex/releases/tag/other" })).not.toBe(first);
});
