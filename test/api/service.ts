import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client, Connection } from "@temporalio/client";
import { pino } from "pino";
import { startApi } from "../../api/server.ts";
import { type FeedSourcesFile, feedSourcesFile } from "../../domain/config.ts";
import { openFileRecords } from "../../records/files.ts";
import type { Records } from "../../records/records.ts";

export const CONFIG: FeedSourcesFile = feedSourcesFile.parse({
  sources: [
    {
      id: "tool/releases",
      provider: "generic",
      url: "https://reader:pass@example.org/acme/tool/releases.atom?feed_token=abc&page=1",
      event: "release",
      repo: { owner: "acme", name: "tool", fullName: "acme/tool", webUrl: "https://example.org/acme/tool" },
      target: { mode: "workspace_flow", eventType: "upstream.release", fork: "tool" },
    },
  ],
  forks: [
    {
      id: "tool",
      upstream: { url: "https://example.org/acme/tool.git" },
      fork: { url: "https://example.org/me/tool.git" },
      patchBranch: "patches",
    },
  ],
});

export interface Service {
  url: string;
  records: Records;
  temporal: Client;
  /** Every line that was logged. */
  logged: string[];
  get(path: string, headers?: Record<string, string>): Promise<Reply>;
  post(path: string, body?: unknown, headers?: Record<string, string>): Promise<Reply>;
  delete(path: string, headers?: Record<string, string>): Promise<Reply>;
  close(): Promise<void>;
}

export interface Reply {
  status: number;
  headers: Headers;
  text: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape
  json: any;
}

/** The API over HTTP, with records of its own and a Temporal at `address`. */
export async function startService(address: string, adminToken?: string): Promise<Service> {
  const directory = await mkdtemp(join(tmpdir(), "api-"));
  const records = await openFileRecords({ directory, warn: (message) => logged.push(message) });
  const logged: string[] = [];
  const log = pino({ level: "debug" }, { write: (line: string) => void logged.push(line) });
  const temporal = new Client({ connection: Connection.lazy({ address }) });
  const settings = { host: "127.0.0.1", port: 0, ...(adminToken && { adminToken }) };
  const api = await startApi({ settings, config: () => CONFIG, records, temporal, log });
  const ask = async (path: string, init: RequestInit): Promise<Reply> => {
    const response = await fetch(`${api.url}${path}`, init);
    const text = await response.text();
    const isJson = /json/.test(response.headers.get("content-type") ?? "");
    return { status: response.status, headers: response.headers, text, json: isJson && text ? JSON.parse(text) : {} };
  };
  return {
    url: api.url,
    records,
    temporal,
    logged,
    get: (path, headers = {}) => ask(path, { headers }),
    post: (path, body, headers = {}) =>
      ask(path, {
        method: "POST",
        ...(body !== undefined && { body: JSON.stringify(body) }),
        headers: { ...(body !== undefined && { "content-type": "application/json" }), ...headers },
      }),
    delete: (path, headers = {}) => ask(path, { method: "DELETE", headers }),
    async close() {
      await api.close();
      await records.close();
      await rm(directory, { recursive: true });
    },
  };
}

/** A port of this machine that nothing listens on. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}
