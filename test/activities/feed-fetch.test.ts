import { createServer, type IncomingHttpHeaders, type RequestListener } from "node:http";
import { brotliCompressSync, deflateSync, gzipSync } from "node:zlib";
import { afterEach, describe, expect, test } from "vitest";
import { decodeFeed } from "../../activities/feed/decode.ts";
import { fetchFeed } from "../../activities/feed/fetch.ts";
import { isPublicAddress } from "../../activities/feed/public-address.ts";
import { retryAfterSeconds } from "../../activities/feed/retry-after.ts";
import { listen } from "../../scripts/quickstart/listen.ts";

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((each) => each.close()));
});

async function serve(listener: RequestListener): Promise<string> {
  const server = await listen(createServer(listener));
  open.push(server);
  return `http://127.0.0.1:${server.port}`;
}

const inside = { allowPrivateNetwork: true };
const reasonOf = async (url: string, options: Parameters<typeof fetchFeed>[1] = inside) => {
  const fetched = await fetchFeed(url, options);
  return fetched.kind === "failed" ? fetched.reason : fetched.kind;
};

test("sends validators and a name, and understands 304", async () => {
  const seen: IncomingHttpHeaders[] = [];
  const url = await serve((request, response) => {
    seen.push(request.headers);
    if (request.headers["if-none-match"] === 'W/"1"') return response.writeHead(304).end();
    return response.writeHead(200, { ETag: 'W/"1"', "Last-Modified": "Fri, 01 May 2026 00:00:00 GMT" }).end("<feed/>");
  });
  const first = await fetchFeed(url, inside);
  const validators = { etag: 'W/"1"', lastModified: "Fri, 01 May 2026 00:00:00 GMT" };
  expect(first).toEqual({ kind: "news", body: "<feed/>", url: `${url}/`, ...validators });
  expect(await fetchFeed(url, { ...inside, ...validators })).toEqual({ kind: "not-modified" });
  expect(seen[0]?.["user-agent"]).toMatch(/^patch\.moi\/\d+\.\d+\.\d+ \(\+https:\/\/patch\.moi\)$/);
  expect(seen[1]).toMatchObject({ "if-modified-since": validators.lastModified });
});

test("other answers are failures, with what the server asks to wait", async () => {
  const url = await serve((request, response) => {
    const status = Number(request.url?.slice(1));
    response.writeHead(status, status === 429 ? { "Retry-After": "120" } : {}).end("no");
  });
  const host = new URL(url).host;
  const busy = { kind: "failed", reason: `${host} answered HTTP 429`, retryAfterSeconds: 120 };
  expect(await fetchFeed(`${url}/429`, inside)).toEqual(busy);
  expect(await reasonOf(`${url}/404`)).toBe(`${host} answered HTTP 404: is the source's url right?`);
  expect(await reasonOf(`${url}/304`)).toBe(`${host} answered HTTP 304`);
});

test("no token of a feed's address is repeated in a reason", async () => {
  const url = await serve((_, response) => response.writeHead(500).end());
  expect(await reasonOf(`${url.replace("//", "//user:hunter2@")}/x?feed_token=s3cret`)).not.toMatch(/s3cret|hunter2/);
});

test("Retry-After is seconds or a date, and a day at most", () => {
  const now = Date.parse("2026-05-01T00:00:00Z");
  expect(retryAfterSeconds("Fri, 01 May 2026 00:01:00 GMT", now)).toBe(60);
  expect(retryAfterSeconds("Thu, 30 Apr 2026 00:00:00 GMT", now)).toBe(0);
  expect(retryAfterSeconds("999999999", now)).toBe(86_400);
  for (const text of [undefined, "", "soon"]) expect(retryAfterSeconds(text, now)).toBeUndefined();
});

describe("limits", () => {
  test.each([
    ["identity", (text: Buffer) => text],
    ["gzip", gzipSync],
    ["deflate", deflateSync],
    ["br", brotliCompressSync],
  ] as const)("size is counted after decompression (%s)", async (encoding, compress) => {
    const url = await serve((request, response) => {
      const size = request.url === "/bomb" ? 12 * 1024 * 1024 : 1000;
      response.writeHead(200, { "Content-Encoding": encoding }).end(compress(Buffer.alloc(size, "x")));
    });
    expect(await reasonOf(`${url}/bomb`)).toBe("the feed is larger than 10 MiB");
    expect(await fetchFeed(url, inside)).toMatchObject({ kind: "news", body: "x".repeat(1000) });
  });

  test("an endless body ends", async () => {
    const url = await serve((_, response) => {
      const more = () => {
        while (!response.destroyed && response.write(Buffer.alloc(65_536, "x")));
      };
      response.on("drain", more);
      more();
    });
    expect(await reasonOf(url)).toBe("the feed is larger than 10 MiB");
  });

  test("a slow body ends", async () => {
    const url = await serve((_, response) => {
      response.write("<feed");
      const timer = setInterval(() => response.write(" "), 50);
      response.on("close", () => clearInterval(timer));
    });
    expect(await reasonOf(url, { ...inside, limits: { milliseconds: 500 } })).toBe("the feed took longer than 0.5 s");
  });

  test("cancelling is not a failure", async () => {
    const url = await serve(() => {});
    await expect(fetchFeed(url, { ...inside, signal: AbortSignal.timeout(100) })).rejects.toThrow();
  });

  test("broken compression, unknown compression, a closed port", async () => {
    const url = await serve((request, response) => {
      const encoding = request.url === "/gzip" ? "gzip" : "zstd";
      response.writeHead(200, { "Content-Encoding": encoding }).end("not that");
    });
    expect(await reasonOf(`${url}/gzip`)).toBe("incorrect header check");
    expect(await reasonOf(`${url}/zstd`)).toBe("the feed came in an encoding that was not asked for");
    await open.splice(0)[0]?.close();
    expect(await reasonOf(url)).toMatch(/ECONNREFUSED/);
  });
});

describe("redirects", () => {
  test("five are followed, a sixth is not, and links are relative to the last", async () => {
    const url = await serve((request, response) => {
      const left = Number(request.url?.slice(1));
      if (!left) return response.end("here");
      return response.writeHead(302, { Location: `/${left - 1}` }).end();
    });
    expect(await fetchFeed(`${url}/5`, inside)).toEqual({ kind: "news", body: "here", url: `${url}/0` });
    expect(await reasonOf(`${url}/6`)).toBe("the feed redirects more than 5 times");
  });

  test("every hop is checked", async () => {
    const targets = ["file:///etc/passwd", "ftp://127.0.0.1/x", "http://[", "gopher://x"];
    const url = await serve((request, response) => {
      response.writeHead(301, { Location: targets[Number(request.url?.slice(1))] }).end();
    });
    expect(await reasonOf(`${url}/0`)).toBe("file: is not http or https");
    expect(await reasonOf(`${url}/1`)).toBe("ftp: is not http or https");
    expect(await reasonOf(`${url}/2`)).toMatch(/redirects to an invalid address/);
    expect(await reasonOf(`${url}/3`)).toBe("gopher: is not http or https");
  });
});

describe("the private network", () => {
  test.each(["http://127.0.0.1", "http://localhost", "http://2130706433", "http://0x7f.1", "http://[::1]", "http://0"])(
    "%s is refused, without being asked",
    async (host) => {
      let asked = 0;
      const url = await serve((_, response) => {
        asked++;
        response.end();
      });
      expect(await reasonOf(`${host}:${new URL(url).port}/`, { allowPrivateNetwork: false })).toMatch(
        /is a private or local address; set PATCH_ALLOW_PRIVATE_NETWORK=true if it is meant$/,
      );
      expect(asked).toBe(0);
    },
  );

  test.each([
    "10.0.0.1",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "0.0.0.0",
    "::",
    "fe80::1",
    "fc00::1",
    "::ffff:127.0.0.1",
    "[::ffff:10.0.0.1]",
    "64:ff9b::7f00:1",
    "2002:7f00:1::",
    "224.0.0.1",
    "255.255.255.255",
  ])("%s is not public", (address) => expect(isPublicAddress(address)).toBe(false));

  test.each(["140.82.121.4", "2606:50c0:8000::153"])("%s is public", (address) =>
    expect(isPublicAddress(address)).toBe(true),
  );
});

test("text is decoded by byte order mark, header or XML declaration", () => {
  const latin1 = Buffer.from('<?xml version="1.0" encoding="ISO-8859-1"?><feed>Café</feed>', "latin1");
  expect(decodeFeed(latin1, "application/xml")).toContain("Café");
  expect(decodeFeed(Buffer.from("Café", "latin1"), "text/xml; charset=windows-1252")).toBe("Café");
  expect(decodeFeed(Buffer.from("Café"), "text/xml; charset=nonsense")).toBe("Café");
  expect(decodeFeed(Buffer.from("\ufeffCafé", "utf16le"), "text/xml; charset=utf-8")).toBe("Café");
  expect(decodeFeed(Buffer.from("Café"), undefined)).toBe("Café");
});
