import { z } from "zod";
import type { Parsed } from "./config.ts";

/** What the operator sets in the environment (CONTRACT.md, "Environment"), and how it is read. */

const LOG_LEVELS = ["trace", "debug", "info", "warn", "error", "fatal", "silent"] as const;

export const DISCORD_EVENTS = ["push", "release", "attention", "candidate", "promoted", "failed"] as const;
export type DiscordEvent = (typeof DISCORD_EVENTS)[number];

export type TemporalSettings =
  | { kind: "embedded"; cli?: string; port: number; uiPort: number }
  /** The address, TLS and credentials are the business of Temporal's own client variables. */
  | { kind: "configured" };

export interface Settings {
  host: string;
  port: number;
  logLevel: (typeof LOG_LEVELS)[number];
  /** As given: relative paths are relative to the working directory. */
  dataDirectory: string;
  feedSourcesPath: string;
  adminToken?: string;
  discord: { enabled: boolean; webhookUrl?: string; notifyEvents: DiscordEvent[] };
  /** `url` is the base, without a trailing `/` or `/events`. The secret also serves backends that a source names. */
  workspaceBackend: { url?: string; secret?: string };
  temporal: TemporalSettings;
  databaseUrl?: string;
  allowPrivateNetwork: boolean;
  allowLocalRepos: boolean;
}

type Environment = Record<string, string | undefined>;

/**
 * Reads the environment. An empty variable counts as unset. Every error is reported at once, names its variable and says
 * what to do; values that may hold secrets are never repeated.
 */
export function parseSettings(environment: Environment): Parsed<Settings> {
  const set = Object.fromEntries(Object.entries(environment).filter(([, value]) => value?.trim()));
  const result = variables.safeParse(set);
  const errors = [
    ...(result.error?.issues ?? []).map((issue) => `${issue.path.join(".")}: ${issue.message}`),
    ...contradictions(set),
  ];
  return result.success && !errors.length ? { ok: true, value: settingsOf(result.data) } : { ok: false, errors };
}

/** The base of a workspace backend from its base URL or its `/events` URL. */
function backendBaseUrl(url: string): string {
  return url.replace(/\/+$/, "").replace(/\/events$/, "");
}

export function isLoopbackHost(host: string): boolean {
  return /^(localhost|127(\.\d{1,3}){3}|\[?::1\]?)$/i.test(host);
}

const TRUE = ["1", "true", "yes", "on"];
const FALSE = ["0", "false", "no", "off"];

const flag = z.string().transform((value, context) => {
  const word = value.trim().toLowerCase();
  if (TRUE.includes(word) || FALSE.includes(word)) return TRUE.includes(word);
  context.addIssue({ code: "custom", message: `"${value}" is neither on nor off: use true or false` });
  return z.NEVER;
});

const port = (lowest: 0 | 1) =>
  z.string().transform((value, context) => {
    const number = /^\d{1,5}$/.test(value.trim()) ? Number(value) : -1;
    if (number >= lowest && number <= 65_535) return number;
    context.addIssue({
      code: "custom",
      message: `"${value}" is not a port: use a whole number from ${lowest} to 65535`,
    });
    return z.NEVER;
  });

/** Messages do not repeat the value: webhook and database URLs hold secrets. */
function url(protocols: string[]) {
  return z.string().refine(
    (value) => {
      try {
        return protocols.includes(new URL(value).protocol);
      } catch {
        return false;
      }
    },
    `is not a URL that starts with ${protocols.map((protocol) => `${protocol}//`).join(" or ")}`,
  );
}

const host = z
  .string()
  .regex(/^[A-Za-z0-9.:[\]_-]+$/, "is not a host name or an IP address: use one without scheme, port or path")
  .transform((value) => value.replace(/^\[|\]$/g, ""));

/** HTTP trims header values and forbids control characters in them, so such a token could never be presented. */
const token = z
  .string()
  .refine(
    (value) => value === value.trim() && !/[^\x20-\x7e]/.test(value),
    "cannot be sent in a header: use printable ASCII characters, with no space at either end",
  );

const discordEvents = z.string().transform((value, context) => {
  const words = value
    .split(",")
    .map((word) => word.trim())
    .filter(Boolean);
  const known = words.filter((word): word is DiscordEvent => DISCORD_EVENTS.some((event) => event === word));
  const unknown = words.filter((word) => !known.some((each) => each === word));
  if (!unknown.length) return [...new Set(known)];
  context.addIssue({
    code: "custom",
    message: `does not know ${unknown.join(", ")}: use a comma-separated list of ${DISCORD_EVENTS.join(", ")}`,
  });
  return z.NEVER;
});

const web = url(["http:", "https:"]);

const variables = z.object({
  HOST: host.default("127.0.0.1"),
  PORT: port(0).default(3000),
  LOG_LEVEL: z.enum(LOG_LEVELS, `is none of ${LOG_LEVELS.join(", ")}`).default("info"),
  DATA_DIR: z.string().default("./data"),
  FEED_SOURCES_PATH: z.string().default("./feed-sources.json"),
  PATCH_ADMIN_TOKEN: token.optional(),
  DISCORD_OUTPUT_ENABLED: flag.default(false),
  DISCORD_WEBHOOK_URL: web.optional(),
  DISCORD_NOTIFY_EVENTS: discordEvents.default(["push", "release"]),
  PATCH_WORKSPACE_BACKEND_URL: web.optional(),
  PATCH_FLOW_BACKEND_URL: web.optional(),
  PATCH_FLOW_DISPATCH_URL: web.optional(),
  PATCH_WORKSPACE_BACKEND_SECRET: z.string().optional(),
  PATCH_FLOW_DISPATCH_SECRET: z.string().optional(),
  TEMPORAL_ADDRESS: z.string().optional(),
  TEMPORAL_PROFILE: z.string().optional(),
  TEMPORAL_CONFIG_FILE: z.string().optional(),
  PATCH_DATABASE_URL: url(["postgres:", "postgresql:"]).optional(),
  PATCH_TEMPORAL_CLI: z.string().optional(),
  PATCH_TEMPORAL_PORT: port(1).default(7233),
  PATCH_TEMPORAL_UI_PORT: port(1).default(8233),
  PATCH_ALLOW_PRIVATE_NETWORK: flag.default(false),
  PATCH_ALLOW_LOCAL_REPOS: flag.default(false),
});
type Variables = z.output<typeof variables>;

/** Every variable that is read here, for the documentation's test. */
export const SETTINGS_VARIABLES = Object.keys(variables.shape);

/** Variables that are wrong together. Works on raw text so that it speaks up also where another variable is wrong alone. */
function contradictions(set: Environment): string[] {
  const errors: string[] = [];
  const address = host.safeParse(set.HOST ?? "127.0.0.1");
  if (address.success && !isLoopbackHost(address.data) && !set.PATCH_ADMIN_TOKEN) {
    errors.push(
      `HOST: ${address.data} can be reached from other machines, and without PATCH_ADMIN_TOKEN anybody there could push` +
        ` to your forks: set PATCH_ADMIN_TOKEN, or set HOST to 127.0.0.1`,
    );
  }
  if (flag.safeParse(set.DISCORD_OUTPUT_ENABLED).data && !set.DISCORD_WEBHOOK_URL) {
    errors.push("DISCORD_WEBHOOK_URL: is needed as DISCORD_OUTPUT_ENABLED is on: set it, or turn the output off");
  }
  return isConfigured(set) ? errors : [...errors, ...clashingPorts(set)];
}

function clashingPorts(set: Environment): string[] {
  const ports = [
    ["PORT", set.PORT ?? "3000"],
    ["PATCH_TEMPORAL_PORT", set.PATCH_TEMPORAL_PORT ?? "7233"],
    ["PATCH_TEMPORAL_UI_PORT", set.PATCH_TEMPORAL_UI_PORT ?? "8233"],
  ] as const;
  return ports.flatMap(([name, value], index) => {
    const twin = ports.slice(0, index).find(([, other]) => Number(other) === Number(value));
    return twin ? [`${name}: ${value} is also ${twin[0]}: use different ports`] : [];
  });
}

type TemporalVariables = Partial<Record<"TEMPORAL_ADDRESS" | "TEMPORAL_PROFILE" | "TEMPORAL_CONFIG_FILE", string>>;

/** A namespace or a default profile file alone does not choose a cluster: both are often left over from other work. */
function isConfigured(set: TemporalVariables): boolean {
  return Boolean(set.TEMPORAL_ADDRESS ?? set.TEMPORAL_PROFILE ?? set.TEMPORAL_CONFIG_FILE);
}

function settingsOf(read: Variables): Settings {
  const backend = read.PATCH_WORKSPACE_BACKEND_URL ?? read.PATCH_FLOW_BACKEND_URL ?? read.PATCH_FLOW_DISPATCH_URL;
  const secret = read.PATCH_WORKSPACE_BACKEND_SECRET ?? read.PATCH_FLOW_DISPATCH_SECRET;
  return {
    host: read.HOST,
    port: read.PORT,
    logLevel: read.LOG_LEVEL,
    dataDirectory: read.DATA_DIR,
    feedSourcesPath: read.FEED_SOURCES_PATH,
    ...(read.PATCH_ADMIN_TOKEN && { adminToken: read.PATCH_ADMIN_TOKEN }),
    discord: {
      enabled: read.DISCORD_OUTPUT_ENABLED,
      ...(read.DISCORD_WEBHOOK_URL && { webhookUrl: read.DISCORD_WEBHOOK_URL }),
      notifyEvents: read.DISCORD_NOTIFY_EVENTS,
    },
    workspaceBackend: { ...(backend && { url: backendBaseUrl(backend) }), ...(secret && { secret }) },
    temporal: isConfigured(read)
      ? { kind: "configured" }
      : {
          kind: "embedded",
          ...(read.PATCH_TEMPORAL_CLI && { cli: read.PATCH_TEMPORAL_CLI }),
          port: read.PATCH_TEMPORAL_PORT,
          uiPort: read.PATCH_TEMPORAL_UI_PORT,
        },
    ...(read.PATCH_DATABASE_URL && { databaseUrl: read.PATCH_DATABASE_URL }),
    allowPrivateNetwork: read.PATCH_ALLOW_PRIVATE_NETWORK,
    allowLocalRepos: read.PATCH_ALLOW_LOCAL_REPOS,
  };
}
