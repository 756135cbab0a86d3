import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { parseFeed } from "../../activities/feed/parse.ts";
import { readOnThread } from "../../activities/feed/reader-thread.ts";

const NOW = "2026-06-01T00:00:00.000Z";
const OPTIONS = { url: "https://example.org/o/r/releases.atom", now: NOW };

const fixture = (name: string) => readFile(new URL(`feeds/${name}`, import.meta.url), "utf8");

async function entriesOf(text: string, options = OPTIONS) {
  const parsed = await parseFeed(text, options);
  if (!parsed.ok) throw new Error(parsed.reason);
  return parsed.entries;
}

const bare = async (text: string) => (await entriesOf(text)).map(({ raw: _, ...entry }) => entry);

describe("feeds as the forges make them", () => {
  test("GitHub", async () => {
    const entries = await entriesOf(await fixture("github.atom"));
    expect(entries[1]).toMatchObject({
      id: "tag:github.com,2008:Repository/965415649/rust-v0.130.0",
      title: "0.130.0",
      url: "https://github.com/openai/codex/releases/tag/rust-v0.130.0",
      author: "github-actions[bot]",
      publishedAt: "2026-05-07T18:00:00.000Z",
      raw: { title: "0.130.0", pubDate: "2026-05-07T18:00:00.000Z" },
    });
    expect(entries).toHaveLength(2);
  });

  test("Gitea (RSS)", async () => {
    expect((await bare(await fixture("gitea.rss")))[1]).toEqual({
      id: "163001: https://gitea.com/gitea/tea/releases/tag/v0.10.0",
      title: "Tea time",
      url: "https://gitea.com/gitea/tea/releases/tag/v0.10.0",
      author: "techknowlogick",
      publishedAt: "2026-03-07T08:00:00.000Z",
    });
  });

  test("Forgejo (Atom)", async () => {
    expect(await bare(await fixture("forgejo.atom"))).toEqual([
      {
        id: "1200345: https://codeberg.org/forgejo/forgejo/releases/tag/v11.0.1",
        title: "v11.0.1",
        url: "https://codeberg.org/forgejo/forgejo/releases/tag/v11.0.1",
        author: "forgejo",
        publishedAt: "2026-05-01T09:00:00.000Z",
      },
    ]);
  });

  test("GitLab", async () => {
    const [release, tag] = await bare(await fixture("gitlab.atom"));
    expect(release).toMatchObject({ title: "Inkscape 1.4.2", publishedAt: "2026-04-02T12:00:00.000Z" });
    expect(tag?.url).toBe("https://gitlab.com/inkscape/inkscape/-/tags/beta%2F1.4");
  });

  test("RSS 2 without ids", async () => {
    expect(await bare(await fixture("rss2.xml"))).toEqual([
      {
        title: "3.2.5",
        url: "https://packages.example/project/httpie/3.2.5/",
        author: "jakub",
        publishedAt: "2025-11-01T19:00:00.000Z",
      },
    ]);
  });

  test("JSON Feed", async () => {
    const item = { id: 7, url: "https://example.org/releases/v7", title: "v7", date_published: "2026-01-01T00:00:00Z" };
    const feed = {
      version: "https://jsonfeed.org/version/1.1",
      title: "x",
      items: [{ ...item, authors: [{ name: "A" }] }],
    };
    expect((await bare(JSON.stringify(feed)))[0]).toMatchObject({ url: item.url, author: "A", title: "v7" });
  });
});

test("the compiled reader reads the same", async () => {
  const module = new URL("../../dist/activities/feed/parse.js", import.meta.url);
  const program = `import { readFileSync } from "node:fs"; const { parseFeed } = await import(process.argv[1]);
    console.log(JSON.stringify(await parseFeed(readFileSync(0, "utf8"), JSON.parse(process.argv[2]))));`;
  for (const name of ["github.atom", "broken.atom"]) {
    const args = ["--input-type=module", "--eval", program, module.href, JSON.stringify(OPTIONS)];
    const running = promisify(execFile)(process.execPath, args);
    running.child.stdin?.end(await fixture(name));
    expect(JSON.parse((await running).stdout)).toEqual({ ok: true, entries: await entriesOf(await fixture(name)) });
  }
});

test("what rss-parser rejects or loses is read all the same", async () => {
  expect(await bare(await fixture("broken.atom"))).toEqual([
    {
      id: "tag:github.com,2008:Repository/1/v3",
      title: "Version 3",
      url: "https://example.org/o/r/releases/tag/v3",
      publishedAt: "2026-01-02T23:00:00.000Z",
    },
    { id: "tag:github.com,2008:Repository/1/v2", title: "Version 2", publishedAt: NOW },
  ]);
});

describe("hostile feeds", () => {
  const atom = (
    content: string,
    before = "",
  ) => `<?xml version="1.0"?>${before}<feed xmlns="http://www.w3.org/2005/Atom">
    <id>x</id><title>t</title><entry><id>a</id><title>v1</title><link href="https://example.org/releases/tag/v1"/>
    <updated>2026-01-01T00:00:00Z</updated><content type="html">${content}</content></entry></feed>`;

  test("160 KB of unclosed tags, which keep rss-parser busy for 15 s, neither block nor get lost", async () => {
    let ticks = 0;
    const timer = setInterval(() => ticks++, 20);
    const limits = { milliseconds: 1_000, megabytes: 256 };
    const entries = await parseFeed(atom("&lt;p".repeat(40_000)), { ...OPTIONS, limits });
    clearInterval(timer);
    expect(entries).toMatchObject({ ok: true, entries: [{ url: "https://example.org/releases/tag/v1" }] });
    expect(ticks).toBeGreaterThan(20);
  });

  test("billion laughs and files as entities are refused", async () => {
    const lol = Array.from({ length: 9 }, (_, n) => `<!ENTITY l${n + 1} "${`&l${n};`.repeat(10)}">`).join("");
    const bomb = atom("&l9;", `<!DOCTYPE x [<!ENTITY l0 "lol">${lol}]>`);
    const refused = { ok: false, reason: "not a readable feed: it declares entities of its own" };
    expect(await parseFeed(bomb, OPTIONS)).toEqual(refused);
    const file = atom("&xxe;", '<!DOCTYPE x [<!ENTITY xxe SYSTEM "file:///etc/passwd">]>');
    expect(await parseFeed(file, OPTIONS)).toEqual(refused);
  });

  test("a reader that needs too much memory is ended, and the service is not", async () => {
    const text = atom(`<![CDATA[${"<a>".repeat(10)}]]>${"<i><b/></i>".repeat(700_000)}`);
    const read = await readOnThread("rss-parser", text, { milliseconds: 20_000, megabytes: 24 });
    expect(read).toEqual({ ok: false, reason: "reading it took more than 24 MB" });
  });

  test("raw is bounded", async () => {
    const [entry] = await entriesOf(atom("x".repeat(1_000_000)));
    expect(JSON.stringify(entry?.raw).length).toBeLessThan(5_000);
  });

  test.each(["", "<html><body>Not found</body></html>", "{}", "[]", "null", "<rss version='2.0'/>", "<feed", "\0\0"])(
    "%j is no feed",
    async (text) => {
      expect(await parseFeed(text, OPTIONS)).toMatchObject({
        ok: false,
        reason: expect.stringMatching(/^not a readable feed: /),
      });
    },
  );

  test("a feed without entries is a feed", async () => {
    expect(await entriesOf('<feed xmlns="http://www.w3.org/2005/Atom"><id>x</id><title>t</title></feed>')).toEqual([]);
  });
});
