import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { afterEach, beforeEach, expect, inject, it } from "vitest";
import { examine } from "../../scripts/doctor/examine.ts";
import { formatFinding } from "../../scripts/doctor/finding.ts";
import { startEmbeddedTemporal } from "../../worker/embedded/start.ts";
import { freePorts } from "../embedded/free-ports.ts";
import { makeUpstreamAndFork, type UpstreamAndFork } from "../support/repositories.ts";

let repositories: UpstreamAndFork;
let environment: Record<string, string>;

beforeEach(async () => {
  repositories = makeUpstreamAndFork();
  repositories.publish();
  const [port, temporal, ui] = await freePorts(3);
  environment = {
    PATH: process.env.PATH ?? "",
    PORT: String(port),
    PATCH_TEMPORAL_PORT: String(temporal),
    PATCH_TEMPORAL_UI_PORT: String(ui),
    PATCH_TEMPORAL_CLI: inject("temporalCli"),
    DATA_DIR: join(repositories.directory, "data"),
    FEED_SOURCES_PATH: join(repositories.directory, "feed-sources.json"),
    PATCH_ALLOW_LOCAL_REPOS: "true",
    FORK_TOKEN: "very-secret",
  };
  configure({});
});

afterEach(() => repositories.remove());

function configure(fork: Record<string, unknown>): void {
  const { upstreamUrl, forkUrl } = repositories;
  const entry = {
    id: "notch",
    upstream: { url: upstreamUrl },
    fork: { url: forkUrl, tokenEnv: "FORK_TOKEN" },
    patchBranch: "patches",
    ...fork,
  };
  writeFileSync(environment.FEED_SOURCES_PATH ?? "", JSON.stringify({ sources: [], forks: [entry] }));
}

async function lines(more: Record<string, string> = {}): Promise<string[]> {
  const found: string[] = [];
  for await (const finding of examine({ ...environment, ...more })) found.push(formatFinding(finding));
  return found;
}

async function complaints(more: Record<string, string> = {}): Promise<string[]> {
  return (await lines(more)).filter((line) => line.startsWith("fail"));
}

it("finds nothing wrong where nothing is, and says what it looked at", async () => {
  const all = await lines();
  expect(all.filter((line) => line.startsWith("fail"))).toEqual([]);
  expect(all.join("\n")).toMatch(
    /Node\.js .*[^]*1 fork\(s\)[^]*DATA_DIR[^]*PORT[^]*CLI 1\.9\.1[^]*git 2[^]*patch branch patches/,
  );
  expect(all.join("\n")).not.toContain("very-secret");
});

it("names every error of settings and of the config file", async () => {
  const settings = await complaints({ PORT: "x", HOST: "0.0.0.0" });
  expect(settings).toEqual([expect.stringMatching(/^fail PORT: /), expect.stringMatching(/^fail HOST: /)]);
  writeFileSync(environment.FEED_SOURCES_PATH ?? "", '{"sources":[{"id":""}],"forks":[]}');
  expect((await complaints()).join("\n")).toMatch(/sources\[0\]\.id: [^]*sources\[0\]\.provider: /);
});

it("finds a missing patch branch, token and remote", async () => {
  configure({ patchBranch: "nowhere" });
  expect(await complaints()).toEqual([expect.stringMatching(/notch: the fork has no branch nowhere — push it/)]);
  configure({});
  expect(await complaints({ FORK_TOKEN: "" })).toEqual([expect.stringMatching(/FORK_TOKEN.* is not set — set/)]);
  configure({ upstream: { url: join(repositories.directory, "gone.git") } });
  expect(await complaints()).toEqual([expect.stringMatching(/notch: upstream: /)]);
  configure({});
  expect((await complaints({ PATCH_ALLOW_LOCAL_REPOS: "0" })).join("\n")).toContain("PATCH_ALLOW_LOCAL_REPOS=true");
});

it("finds ports in use, a bad DATA_DIR, a bad binary and a foreign database", async () => {
  const server = createServer().listen(Number(environment.PORT), "127.0.0.1");
  await once(server, "listening");
  const inUse = await complaints();
  server.close();
  expect(inUse).toEqual([expect.stringMatching(/PORT: port \d+ on 127\.0\.0\.1 is in use — stop/)]);
  expect((await complaints({ DATA_DIR: environment.FEED_SOURCES_PATH ?? "" })).join()).toContain("is no directory");
  expect(await complaints({ PATCH_TEMPORAL_CLI: "/nowhere" })).toEqual([expect.stringContaining("/nowhere not found")]);
  const temporal = join(environment.DATA_DIR ?? "", "temporal");
  mkdirSync(temporal, { recursive: true });
  writeFileSync(join(temporal, "temporal.db"), "");
  writeFileSync(join(temporal, "database.json"), '{"cli":"1.0.0","complete":true}');
  expect(await complaints()).toEqual([expect.stringContaining("made by Temporal CLI 1.0.0")]);
});

it("tries a configured Temporal", async () => {
  const [port = 0, uiPort = 0, nobody = 0] = await freePorts(3);
  const directory = join(repositories.directory, "temporal");
  const options = { cli: inject("temporalCli"), directory, port, uiPort, log: () => {} };
  const server = await startEmbeddedTemporal(options);
  // Temporal's own client variables are read by its own client, from the process.
  const before = process.env.TEMPORAL_ADDRESS;
  try {
    process.env.TEMPORAL_ADDRESS = server.address;
    const all = (await lines({ TEMPORAL_ADDRESS: server.address })).join("\n");
    expect(all).toMatch(/ok {3}Temporal at \S+ answers, namespace default\nok {3}search attributes are registered/);
    process.env.TEMPORAL_ADDRESS = `127.0.0.1:${nobody}`;
    expect(await complaints({ TEMPORAL_ADDRESS: `127.0.0.1:${nobody}` })).toEqual([
      expect.stringMatching(/cannot be reached/),
    ]);
  } finally {
    if (before === undefined) delete process.env.TEMPORAL_ADDRESS;
    else process.env.TEMPORAL_ADDRESS = before;
    await server.stop();
  }
});
