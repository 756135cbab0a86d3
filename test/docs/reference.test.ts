import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Client } from "@temporalio/client";
import { pino } from "pino";
import { describe, expect, it } from "vitest";
import { createApi } from "../../api/app.ts";
import { ATTEMPT_STATUSES, DECISIONS } from "../../domain/attempt.ts";
import { configJsonSchema, EMPTY_CONFIG, parseConfig } from "../../domain/config.ts";
import { DISCORD_EVENTS, parseSettings, SETTINGS_VARIABLES } from "../../domain/settings.ts";
import { channelMarker, handOffRefs } from "../../git/index.ts";
import { openFileRecords } from "../../records/files.ts";
import { SEARCH_ATTRIBUTES } from "../../worker/embedded/namespace.ts";
import { temporaryDirectory } from "../support/repositories.ts";
import { page, pages, ROOT } from "./markdown.ts";

const all = pages();
const read = (path: string) => readFileSync(join(ROOT, path), "utf8");

describe("environment", () => {
  const { text } = page("docs/reference/environment.md");
  /** Read outside of settings.ts, by Temporal's client library. */
  const elsewhere = [
    ...["NAMESPACE", "API_KEY", "TLS", "TLS_CLIENT_CERT_PATH", "TLS_CLIENT_KEY_PATH"].map((name) => `TEMPORAL_${name}`),
    ...["TLS_SERVER_CA_CERT_PATH", "TLS_SERVER_NAME"].map((name) => `TEMPORAL_${name}`),
  ];

  it("has every variable that is read", () => {
    expect([...SETTINGS_VARIABLES, ...elsewhere].filter((name) => !text.includes(`\`${name}\``))).toEqual([]);
  });

  it("has the defaults that hold", () => {
    const settings = parseSettings({});
    expect(settings).toMatchObject({ ok: true, value: { temporal: { kind: "embedded" } } });
    if (!settings.ok || settings.value.temporal.kind !== "embedded") return;
    const { host, port, dataDirectory, feedSourcesPath, temporal, discord } = settings.value;
    const defaults = {
      HOST: host,
      PORT: port,
      DATA_DIR: dataDirectory,
      FEED_SOURCES_PATH: feedSourcesPath,
      DISCORD_NOTIFY_EVENTS: discord.notifyEvents.join(),
      PATCH_TEMPORAL_PORT: temporal.port,
      PATCH_TEMPORAL_UI_PORT: temporal.uiPort,
    };
    for (const [name, value] of Object.entries(defaults)) expect(text).toContain(`| \`${name}\` | \`${value}\` |`);
  });

  it.each(all.map((each) => [each.path, each] as const))("%s names only variables that exist", (_, { text: any }) => {
    const known = [...SETTINGS_VARIABLES, ...elsewhere];
    // Shown as examples, set by us for builds and shells, or of the containers alone.
    const others = ["PATCH_URL", "PATCHMOI_RELEASE", "POSTGRES_PASSWORD"];
    const named = any.match(/\b(?:PATCH|PATCHMOI|DISCORD|TEMPORAL|POSTGRES)_[A-Z_]*[A-Z]\b/g) ?? [];
    expect(named.filter((name) => ![...known, ...others].includes(name))).toEqual([]);
  });

  it("has every event that can be told", () => {
    expect(DISCORD_EVENTS.filter((event) => !text.includes(`\`${event}\``))).toEqual([]);
  });
});

describe("feed sources", () => {
  it("has a JSON Schema that is current", async () => {
    // `npm test -- test/docs -u` writes it anew.
    await expect(asFormatted(configJsonSchema())).toMatchFileSnapshot(join(ROOT, "docs/feed-sources.schema.json"));
  });

  it("documents every field", () => {
    const { code } = page("docs/reference/feed-sources.md");
    const words = new Set(code.split(/[^\w$]+/));
    expect([...fields(configJsonSchema())].filter((field) => !words.has(field))).toEqual([]);
  });

  it("has an example that loads", () => {
    expect(parseConfig(read("feed-sources.example.json"))).toMatchObject({ ok: true });
  });
});

describe("HTTP API", () => {
  it("documents every route, and no other", async () => {
    const documented = [...page("docs/reference/http-api.md").text.matchAll(/`((?:GET|POST|DELETE) \/[^`\s]+)`/g)].map(
      ([, route]) => route,
    );
    expect(new Set(documented)).toEqual(new Set(await routes()));
  });

  it.each(all.map((each) => [each.path, each] as const))("%s names only routes that exist", async (_, { text }) => {
    const patterns = (await routes()).map(
      (route) => new RegExp(`^${route.replace(/^\w+ /, "").replaceAll(/:\w+/g, "[^/]+")}$`),
    );
    const paths = [
      ...text.matchAll(/(?:\$PATCH_URL|127\.0\.0\.1:(?:3000|40447)|(?:GET|POST|DELETE) )(\/[^\s"'`?)|]*)/g),
    ]
      .map(([, path]) => path as string)
      // Of the quickstart's repositories and feed.
      .filter((path) => !/^\/(?:acme|notch)\//.test(path));
    expect(paths.filter((path) => !patterns.some((pattern) => pattern.test(path)))).toEqual([]);
  });

  it("has every error code", () => {
    const sources = readdirSync(join(ROOT, "api")).map((name) => read(`api/${name}`));
    const codes = sources.flatMap((source) =>
      [...source.matchAll(/(?:new Problem\(|Problem\(\s*)\d{3},\s*"(\w+)"/g)].map(([, code]) => code as string),
    );
    const { text } = page("docs/reference/http-api.md");
    expect(codes.length).toBeGreaterThan(10);
    expect([...new Set(codes)].filter((code) => !text.includes(`\`${code}\``))).toEqual([]);
  });
});

describe("records, refs and words", () => {
  it("has every file that records make", async () => {
    const { path, remove } = temporaryDirectory();
    const records = await openFileRecords({ directory: path, warn: () => {} });
    await records.feedStates.put({ sourceId: "a", seen: [] });
    await records.close();
    const { text } = page("docs/reference/records.md");
    const missing = readdirSync(path).filter((name) => !name.endsWith(".lock") && !text.includes(`\`${name}`));
    remove();
    expect(missing).toEqual([]);
  });

  it("has every status, wherever statuses are explained", () => {
    for (const path of ["docs/reference/records.md", "docs/concepts/how-an-attempt-works.md"])
      expect(ATTEMPT_STATUSES.filter((status) => !page(path).text.includes(`\`${status}\``))).toEqual([]);
  });

  it("has every ref", () => {
    const { text } = page("docs/reference/git-refs.md");
    const { progress, conflict, resolution, accepted } = handOffRefs("<tag>");
    const refs = [progress, conflict, resolution, accepted("<commit>"), channelMarker("<channel>")];
    expect(refs.filter((ref) => !text.includes(`\`${ref}\``))).toEqual([]);
  });

  it("has the signals and the search attributes", () => {
    const { text } = page("docs/concepts/how-an-attempt-works.md");
    expect(DECISIONS.filter((name) => !text.includes(`\`${name}\``))).toEqual([]);
    const guide = page("docs/guides/run-on-a-temporal-cluster.md").text;
    expect(SEARCH_ATTRIBUTES.filter((name) => !guide.includes(`\`${name}\``))).toEqual([]);
    const script = read("docker/temporal/set-up-namespace.sh");
    expect(script).toContain(`for name in ${SEARCH_ATTRIBUTES.join(" ")};`);
  });
});

/** JSON as the formatter leaves it: lists of words on one line where they fit. */
function asFormatted(value: unknown): string {
  const text = JSON.stringify(value, null, 2).replace(
    /^( *(?:"[^"]*": )?)\[\n((?: *"[^"]*",?\n)+) *\](,?)$/gm,
    (all, start: string, items: string, comma: string) => {
      const line = `${start}[${items.trim().split(/,\n */).join(", ")}]${comma}`;
      return line.length <= 120 ? line : all;
    },
  );
  return `${text}\n`;
}

/** Names of all properties of a JSON Schema. `$schema` is an editor's. */
function fields(schema: unknown, found = new Set<string>()): Set<string> {
  if (Array.isArray(schema)) for (const each of schema) fields(each, found);
  else if (typeof schema === "object" && schema !== null) {
    for (const [key, value] of Object.entries(schema)) {
      if (key === "properties") for (const name of Object.keys(value as object)) found.add(name);
      fields(value, found);
    }
  }
  return found;
}

/** `METHOD /path` of everything that the API answers; nothing is asked of Temporal or the records for it. */
async function routes(): Promise<string[]> {
  const { path, remove } = temporaryDirectory();
  const records = await openFileRecords({ directory: path, warn: () => {} });
  const app = createApi({ config: () => EMPTY_CONFIG, records, temporal: {} as Client, log: pino({ enabled: false }) });
  await records.close();
  remove();
  return routesIn((app.router as unknown as { stack: Layer[] }).stack);
}

interface Layer {
  route?: { path: string | string[]; methods: Record<string, boolean> };
  handle: { stack?: Layer[] };
}

function routesIn(stack: Layer[]): string[] {
  return stack.flatMap(({ route, handle }) => {
    if (!route) return routesIn(handle.stack ?? []);
    const methods = Object.keys(route.methods).filter((method) => ["get", "post", "delete"].includes(method));
    return methods.flatMap((method) => [route.path].flat().map((path) => `${method.toUpperCase()} ${path}`));
  });
}
