import { z } from "zod";

/** The shape of `feed-sources.json`, and how a file of it is read. */

const PROVIDERS = ["github", "codeberg", "forgejo", "gitea", "gitlab", "jojo", "generic"] as const;
export type Provider = (typeof PROVIDERS)[number];

const text = z.string().min(1);
const envName = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, "must be the name of an environment variable");
/** Enough of git's ref rules (git-check-ref-format) to stop a name from being a flag, a path escape or a broken ref. */
const refName = text.refine(isSafeRefName, "is not a valid git branch or tag name");
const refTemplate = text.refine(
  (name) => isSafeRefName(name.replaceAll("{tag}", "v1")),
  "is not a valid git ref name (only {tag} is replaced in it)",
);

export function isSafeRefName(name: string): boolean {
  return (
    !/^-|^\/|\/$|\/\/|\.\.|@\{|\.$|^@$|[\s~^:?*[\\\x00-\x1f\x7f]/.test(name) &&
    name.split("/").every((part) => part !== "" && !part.startsWith(".") && !part.endsWith(".lock"))
  );
}

/** A user name of a token's length is a token that somebody put where forges accept one. */
export function holdsSecret(url: string): boolean {
  const { username, password } = URL.canParse(url) ? new URL(url) : userinfoOfBroken(url);
  return password !== "" || (username.length >= 20 && !/^ssh:/i.test(url));
}

/** Up to the last @: a password with a bare slash or blank in it must not slip through. None in `git@host:path` and paths. */
function userinfoOfBroken(url: string): { username: string; password: string } {
  const [username = "", ...password] = (/^[a-z][a-z0-9+.-]*:\/\/(.*)@/is.exec(url)?.[1] ?? "").split(":");
  return { username, password: password.join(":") };
}

/** The message must not show the URL. */
const withoutSecret = (instead: string) =>
  text.refine((url) => !holdsSecret(url), `holds a password or a token: take it out of the URL${instead}`);
const link = withoutSecret(", which is only shown");

const repo = z.object({
  owner: z.string(),
  name: text,
  fullName: text,
  webUrl: link,
  defaultBranch: text.optional(),
});

const notifyOnly = z.object({
  mode: z.literal("notify_only"),
  provider: text.optional(),
  repoFullName: text.optional(),
  branch: text.optional(),
});
const forkSync = z.object({ mode: z.literal("fork_sync"), provider: text, repoFullName: text, branch: refName });
const workspaceFlow = z.object({
  mode: z.enum(["workspace_flow", "flow_dispatch"]),
  eventType: text,
  fork: text.optional().meta({ description: "Id of an entry of `forks`: maintained by our own workflow." }),
  workspaceUrl: text.optional(),
  workspaceUrlEnv: envName.optional(),
  workspaceSecretEnv: envName.optional(),
  dispatchUrl: text.optional(),
  dispatchUrlEnv: envName.optional(),
  dispatchSecretEnv: envName.optional(),
  payload: z.record(z.string(), z.unknown()).optional(),
});
const target = z.discriminatedUnion("mode", [notifyOnly, forkSync, workspaceFlow]);
export type Target = z.infer<typeof target>;
export type WorkspaceFlow = z.infer<typeof workspaceFlow>;

/** Existing files may ask for less: they load unchanged and are polled at this pace. */
const POLL_FLOOR_SECONDS = 30;

const feedSource = z.object({
  id: text.max(200),
  provider: z.enum(PROVIDERS),
  url: z.url({ protocol: /^https?$/, error: "must be an http(s) URL" }),
  event: z.enum(["push", "release"]),
  repo,
  target: target.optional(),
  pollIntervalSeconds: z
    .number()
    .positive()
    .default(300)
    .transform((seconds) => Math.max(seconds, POLL_FLOOR_SECONDS))
    .meta({ description: "Seconds between polls; less than 30 counts as 30." }),
  primeOnly: z
    .boolean()
    .default(true)
    .meta({ description: "The first poll only remembers what is there; `false` takes what it finds." }),
  webhookSecretEnv: envName.optional(),
});
export type FeedSource = z.infer<typeof feedSource>;

const channel = z.object({
  branch: refTemplate.optional(),
  tag: refTemplate.optional(),
  promote: z.enum(["auto", "manual"]),
});

const build = z.object({
  commands: z.array(text).min(1),
  timeoutSeconds: z.number().positive().max(86_400).default(3600),
  network: z.boolean().default(false),
  env: z.array(envName).default([]).meta({ description: "Names of variables that the build may see." }),
  artifacts: z.array(text).default([]).meta({ description: "Paths or globs, relative to the tree, that are kept." }),
  sandbox: z.enum(["auto", "required", "none"]).default("auto"),
});
export type Build = z.infer<typeof build>;

const fork = z.object({
  id: z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/, "must be lower-case letters, digits and dashes, 63 at most"),
  upstream: z.object({ url: withoutSecret("; upstreams that are not public are read by ssh: (git@host:path)") }),
  fork: z.object({
    url: withoutSecret(", put it into an environment variable and name that in tokenEnv"),
    tokenEnv: envName.optional(),
    webUrl: link.optional(),
    provider: text.optional(),
    repoFullName: text.optional(),
    webhookSecretEnv: envName.optional(),
  }),
  patchBranch: refName,
  stackBase: refName.optional(),
  releases: z.object({ tags: text.default("*"), prereleases: z.boolean().default(false) }).prefault({}),
  build: build.optional(),
  stopOnWarnings: z
    .boolean()
    .default(false)
    .meta({ description: "Waits for a person where a finished carry has warnings, before the build." }),
  candidate: z
    .object({ branch: refTemplate.default("patchmoi/candidate/{tag}"), tag: refTemplate.optional() })
    .prefault({}),
  channels: z.object({ internal: channel.optional(), public: channel.optional() }).default({}),
  onNewerRelease: z.enum(["supersede", "queue"]).default("supersede"),
});
export type Fork = z.infer<typeof fork>;

export const feedSourcesFile = z.object({
  $schema: z.string().optional(),
  sources: z.array(feedSource),
  forks: z.array(fork).default([]),
});
export type FeedSourcesFile = z.infer<typeof feedSourcesFile>;

/** As much of any file as tells what refers to what, so that these errors are told beside those of the shape. */
const reference = z.object({
  id: z.string().optional().catch(undefined),
  target: z.object({ fork: z.string().optional() }).optional().catch(undefined),
});
const entries = z.array(reference.catch({})).catch([]);
const references = z
  .object({ sources: entries, forks: entries })
  .catch({ sources: [], forks: [] })
  .superRefine(({ sources, forks }, context) => {
    const complain = (path: PropertyKey[], message: string) => context.addIssue({ code: "custom", path, message });
    const taken = new Map<string, string>();
    for (const [list, each] of Object.entries({ sources, forks })) {
      for (const [index, { id }] of each.entries()) {
        if (id === undefined) continue;
        const other = taken.get(id);
        if (other) complain([list, index, "id"], `is already the id of ${other}`);
        taken.set(id, `${list}[${index}]`);
      }
    }
    for (const [index, { target }] of sources.entries()) {
      const wanted = target?.fork;
      if (wanted === undefined || forks.some(({ id }) => id === wanted)) continue;
      complain(["sources", index, "target", "fork"], `names the fork "${wanted}", which forks[] does not have`);
    }
  });

export const EMPTY_CONFIG: FeedSourcesFile = { sources: [], forks: [] };

export type Parsed<T> = { ok: true; value: T } | { ok: false; errors: string[] };

/**
 * Reads the text of a `feed-sources.json`. Every error is reported at once, each with its JSON path
 * (`sources[0].url: must be an http(s) URL`).
 */
export function parseConfig(json: string): Parsed<FeedSourcesFile> {
  let data: unknown;
  try {
    data = JSON.parse(json);
  } catch (error) {
    return { ok: false, errors: [`$: is not JSON: ${(error as Error).message}`] };
  }
  const result = feedSourcesFile.safeParse(data);
  const errors = [result, references.safeParse(data)].flatMap(({ error }) => (error ? issueLines(error) : []));
  return result.success && errors.length === 0 ? { ok: true, value: result.data } : { ok: false, errors };
}

/** One line an issue: JSON path, colon, message. */
export function issueLines(error: z.ZodError): string[] {
  return error.issues.map((issue) => `${jsonPath(issue.path)}: ${issue.message}`);
}

function jsonPath(path: PropertyKey[]): string {
  return (
    path.map((key, index) => (typeof key === "number" ? `[${key}]` : `${index ? "." : ""}${String(key)}`)).join("") ||
    "$"
  );
}

/** The JSON Schema of `feed-sources.json` that editors use. */
export function configJsonSchema(): Record<string, unknown> {
  return z.toJSONSchema(feedSourcesFile, { io: "input" }) as Record<string, unknown>;
}
