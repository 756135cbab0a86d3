import { type Duplex, PassThrough, type Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createBrotliDecompress, createGunzip, createInflate } from "node:zlib";
import { type Dispatcher, request } from "undici";
import { decodeFeed } from "./decode.ts";
import { agentFor, refusePrivateLiteral } from "./public-address.ts";
import { retryAfterSeconds } from "./retry-after.ts";
import { USER_AGENT } from "./user-agent.ts";

export interface FetchOptions {
  etag?: string;
  lastModified?: string;
  allowPrivateNetwork: boolean;
  signal?: AbortSignal;
  /** For tests. */
  limits?: Partial<typeof LIMITS>;
}

export type Fetched =
  /** `url` is where the redirects led; links of the feed are relative to it. */
  | { kind: "news"; body: string; url: string; etag?: string; lastModified?: string }
  | { kind: "not-modified" }
  | { kind: "failed"; reason: string; retryAfterSeconds?: number };

const LIMITS = { bytes: 10 * 1024 * 1024, milliseconds: 20_000, redirects: 5 };
type Limits = typeof LIMITS;

const REDIRECTS = [301, 302, 303, 307, 308];

class Refused extends Error {
  override name = "Refused";
}

/**
 * One conditional GET of a feed, within limits of time, size (after decompression) and redirects. Reasons name no URL but its
 * host, because feeds of private projects carry tokens in theirs.
 */
export async function fetchFeed(url: string, options: FetchOptions): Promise<Fetched> {
  const limits = { ...LIMITS, ...options.limits };
  const deadline = AbortSignal.timeout(limits.milliseconds);
  const signal = options.signal ? AbortSignal.any([deadline, options.signal]) : deadline;
  const agent = agentFor({
    allowPrivateNetwork: options.allowPrivateNetwork,
    connectTimeoutMs: limits.milliseconds,
  });
  try {
    return await follow(new URL(url), { ...options, signal, agent, limits });
  } catch (error) {
    options.signal?.throwIfAborted();
    if (deadline.aborted) return failed(`the feed took longer than ${limits.milliseconds / 1000} s`);
    return failed(reasonOf(error));
  } finally {
    await agent.destroy();
  }
}

type Hop = FetchOptions & { signal: AbortSignal; agent: Dispatcher; limits: Limits };

async function follow(start: URL, hop: Hop): Promise<Fetched> {
  let url = start;
  for (let count = 0; ; count++) {
    checkHop(url, hop);
    const answer = await request(url, {
      dispatcher: hop.agent,
      signal: hop.signal,
      headers: {
        "user-agent": USER_AGENT,
        accept: "application/atom+xml, application/rss+xml, application/feed+json, application/xml;q=0.9, */*;q=0.5",
        "accept-encoding": "gzip, deflate, br",
        ...(hop.etag && { "if-none-match": hop.etag }),
        ...(hop.lastModified && { "if-modified-since": hop.lastModified }),
      },
    });
    const location = header(answer, "location");
    if (!REDIRECTS.includes(answer.statusCode) || !location) return await read(url, answer, hop);
    drop(answer);
    if (count >= hop.limits.redirects) return failed(`the feed redirects more than ${hop.limits.redirects} times`);
    if (!URL.canParse(location, url.href)) return failed(`${url.host} redirects to an invalid address`);
    const next = new URL(location, url);
    if (url.protocol === "https:" && next.protocol === "http:") {
      return failed(`${url.host} redirects from https to http, where anyone could change the feed`);
    }
    url = next;
  }
}

function checkHop(url: URL, { allowPrivateNetwork }: Hop): void {
  if (url.protocol !== "http:" && url.protocol !== "https:") throw new Refused(`${url.protocol} is not http or https`);
  if (!allowPrivateNetwork) refusePrivateLiteral(url);
}

async function read(url: URL, answer: Dispatcher.ResponseData, hop: Hop): Promise<Fetched> {
  const { statusCode } = answer;
  if (statusCode !== 200) drop(answer);
  if (statusCode === 304 && (hop.etag || hop.lastModified)) return { kind: "not-modified" };
  if (statusCode !== 200) {
    const retryAfter = retryAfterSeconds(header(answer, "retry-after"), Date.now());
    return {
      ...failed(`${url.host} answered HTTP ${statusCode}${advice(statusCode)}`),
      ...(retryAfter !== undefined && { retryAfterSeconds: retryAfter }),
    };
  }
  const bytes = await readBody(answer, hop);
  const [etag, lastModified] = [header(answer, "etag"), header(answer, "last-modified")];
  return {
    kind: "news",
    body: decodeFeed(bytes, header(answer, "content-type")),
    url: url.href,
    ...(etag && etag.length <= 500 && { etag }),
    ...(lastModified && lastModified.length <= 100 && { lastModified }),
  };
}

/** Counts after decompression: a small body can hold a very large one. */
async function readBody(answer: Dispatcher.ResponseData, { limits, signal }: Hop): Promise<Buffer> {
  const encoding = header(answer, "content-encoding")?.trim().toLowerCase() ?? "identity";
  const decompress = DECOMPRESSORS.get(encoding);
  if (!decompress) {
    drop(answer);
    throw new Refused("the feed came in an encoding that was not asked for");
  }
  const chunks: Buffer[] = [];
  let size = 0;
  const tooLarge = new Refused(`the feed is larger than ${limits.bytes / 1024 / 1024} MiB`);
  const collect = async (source: AsyncIterable<Buffer>) => {
    for await (const chunk of source) {
      size += chunk.length;
      if (size > limits.bytes) throw tooLarge;
      chunks.push(chunk);
    }
  };
  try {
    await pipeline(answer.body as Readable, decompress(), collect, { signal });
  } catch (error) {
    // A pipeline that is torn down may tell of the tearing instead of the reason.
    throw size > limits.bytes ? tooLarge : error;
  }
  return Buffer.concat(chunks);
}

const DECOMPRESSORS = new Map<string, () => Duplex>([
  ["identity", () => new PassThrough()],
  ["gzip", () => createGunzip()],
  ["x-gzip", () => createGunzip()],
  ["deflate", () => createInflate()],
  ["br", () => createBrotliDecompress()],
]);

/** Ends the connection rather than reading what nobody wants. */
function drop(answer: Dispatcher.ResponseData): void {
  answer.body.on("error", () => {});
  answer.body.destroy();
}

function header(answer: Dispatcher.ResponseData, name: string): string | undefined {
  const value = answer.headers[name];
  return Array.isArray(value) ? value[0] : value;
}

function advice(statusCode: number): string {
  if (statusCode === 404 || statusCode === 410) return ": is the source's url right?";
  if (statusCode === 401 || statusCode === 403) return ": the feed is not public, or asks too often";
  return "";
}

function failed(reason: string): { kind: "failed"; reason: string } {
  return { kind: "failed", reason };
}

/** Node puts the cause behind a general message, and several behind none. */
function reasonOf(error: unknown): string {
  const { message, cause, code, errors } = error as Error & { code?: string; errors?: Error[] };
  if (message) return cause instanceof Error && message === "fetch failed" ? reasonOf(cause) : message;
  return errors?.[0] ? reasonOf(errors[0]) : (code ?? "the feed could not be read");
}
