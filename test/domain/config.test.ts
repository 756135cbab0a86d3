import { expect, test } from "vitest";
import { configJsonSchema, isSafeRefName, parseConfig } from "../../domain/config.ts";

const repo = { owner: "openai", name: "codex", fullName: "openai/codex", webUrl: "https://github.com/openai/codex" };
const source = {
  id: "codex",
  provider: "github",
  url: "https://github.com/openai/codex/releases.atom",
  event: "release",
  repo,
};
const fork = {
  id: "codex",
  upstream: { url: "https://github.com/openai/codex" },
  fork: { url: "https://github.com/acme/codex" },
  patchBranch: "acme",
};
const parse = (file: unknown) => parseConfig(JSON.stringify(file));
const errorsOf = (file: unknown) => {
  const parsed = parse(file);
  return parsed.ok ? [] : parsed.errors;
};

test("an existing file with the four kinds of targets loads unchanged", () => {
  const targets = [
    undefined,
    { mode: "notify_only", provider: "forgejo", repoFullName: "acme/codex", branch: "main" },
    { mode: "fork_sync", provider: "forgejo", repoFullName: "acme/codex", branch: "main" },
    { mode: "workspace_flow", eventType: "upstream.release", workspaceUrlEnv: "FLOW_URL", payload: { a: [1] } },
    {
      mode: "flow_dispatch",
      eventType: "upstream.release",
      dispatchUrl: "https://flow.example",
      dispatchSecretEnv: "S",
    },
  ];
  const parsed = parse({ sources: targets.map((target, index) => ({ ...source, id: `s${index}`, target })) });
  expect(parsed.ok && parsed.value.sources.map(({ target }) => target)).toEqual(targets);
});

test("defaults are those of the contract", () => {
  const parsed = parse({ sources: [source], forks: [{ ...fork, id: "acme", build: { commands: ["make"] } }] });
  if (!parsed.ok) throw new Error(parsed.errors.join());
  expect(parsed.value.sources[0]).toMatchObject({ pollIntervalSeconds: 300, primeOnly: true });
  expect(parsed.value.forks[0]).toMatchObject({
    releases: { tags: "*", prereleases: false },
    candidate: { branch: "patchmoi/candidate/{tag}" },
    channels: {},
    onNewerRelease: "supersede",
    stopOnWarnings: false,
    build: { timeoutSeconds: 3600, network: false, env: [], artifacts: [], sandbox: "auto" },
  });
});

test("polling more often than every 30 seconds counts as 30", () => {
  const parsed = parse({ sources: [{ ...source, pollIntervalSeconds: 1 }] });
  expect(parsed.ok && parsed.value.sources[0]?.pollIntervalSeconds).toBe(30);
});

test("every error is told at once, each with its JSON path", () => {
  const errors = errorsOf({
    sources: [
      { ...source, url: "ftp://x", event: "tag" },
      { ...source, id: "b", target: { mode: "workspace_flow", eventType: "x", fork: "nobody" } },
    ],
    forks: [{ ...fork, id: "Bad_Id", patchBranch: "--upload-pack=x" }],
  });
  expect(errors.map((line) => line.split(":")[0])).toEqual([
    "sources[0].url",
    "sources[0].event",
    "forks[0].id",
    "forks[0].patchBranch",
    "sources[1].target.fork",
  ]);
});

test("an unknown fork and an id that is used twice are errors", () => {
  const errors = errorsOf({
    sources: [{ ...source, target: { mode: "workspace_flow", eventType: "x", fork: "nobody" } }],
    forks: [fork],
  });
  expect(errors).toEqual([
    "forks[0].id: is already the id of sources[0]",
    'sources[0].target.fork: names the fork "nobody", which forks[] does not have',
  ]);
});

const withUrls = (url: string, more: { feed?: string } = {}) => ({
  sources: [{ ...source, id: "feed", url: more.feed ?? source.url, repo: { ...repo, webUrl: url } }],
  forks: [{ ...fork, upstream: { url }, fork: { url, webUrl: url } }],
});

test.each([
  "https://someone:hunter2secret@git.example/acme/codex",
  "https://:hunter2secret@git.example/acme/codex",
  "HTTPS://x-access-token:hunter2secret@git.example/acme/codex",
  "https://ghp_hunter2secret0123456789@git.example/acme/codex",
  "http://hunter2secret0123456789:@git.example/acme/codex",
  "ssh://git:hunter2secret@git.example/acme/codex",
  "https:/someone:hunter2secret@git.example/acme/codex",
  "https://someone:hunter2secret/@git.example/acme/codex",
  "https://someone:pass word hunter2secret@git.example/acme/codex",
  "https://someone:p@hunter2secret@git.example/acme/codex",
])("a secret in a URL is refused, not shown: %s", (url) => {
  const errors = errorsOf(withUrls(url));
  expect(errors.map((line) => line.split(": ")[0])).toEqual([
    "sources[0].repo.webUrl",
    "forks[0].upstream.url",
    "forks[0].fork.url",
    "forks[0].fork.webUrl",
  ]);
  expect(errors[1]).toMatch(/holds a password or a token: take it out of the URL; .* ssh/);
  expect(errors[2]).toMatch(/holds a password or a token: take it out of the URL, .* name that in tokenEnv/);
  expect(errors.join()).not.toMatch(/hunter2secret/);
});

test.each([
  "https://git.example/acme/codex.git",
  "https://git@git.example/acme/codex",
  "https://acme@git.example:8443/acme/codex",
  "https://git.example/@acme:tools/codex",
  "https://git.example/acme/codex?at=someone:x@y",
  "ssh://git@git.example:2222/acme/codex",
  "ssh://a-user-name-that-is-quite-long@git.example/acme/codex",
  "git@git.example:acme/codex",
  "a-user-name-that-is-quite-long@git.example:acme/codex",
  "git.example:acme/codex",
  "git.example:acme/some:one@codex",
  "ssh://git@git.example:acme/codex",
  "/srv/git/codex.git",
  "../git/some:one@codex",
  "file:///srv/git/some:one@codex",
])("no secret is seen in %s", (url) => expect(errorsOf(withUrls(url))).toEqual([]));

test("a feed may keep the token that its site wants in its URL", () => {
  const feed = "https://git.example/acme/codex/-/tags?format=atom&feed_token=hunter2secret0123456789";
  expect(errorsOf(withUrls("https://git.example/acme/codex", { feed }))).toEqual([]);
});

test.each(["", "[]", "{", '"x"', "null"])("a file of %j is refused, not crashed on", (text) => {
  expect(parseConfig(text).ok).toBe(false);
});

test.each([
  "-x",
  "a..b",
  "a b",
  "a/",
  "/a",
  "a//b",
  ".a",
  "a/.b",
  "a.lock",
  "a~1",
  "a^",
  "a:b",
  "a?",
  "a*",
  "a[",
  "a\\b",
  "@{",
  "@",
  "a\n",
])("%j is no ref name", (name) => expect(isSafeRefName(name)).toBe(false));
test.each(["main", "rust-v0.130.0", "release/1.x", "ünï", "a-b_c.d", "v1.0+build", "{tag}"])("%j is one", (name) =>
  expect(isSafeRefName(name)).toBe(true),
);

test("the JSON Schema for editors names every field that a file may have", () => {
  const text = JSON.stringify(configJsonSchema());
  for (const field of [
    "pollIntervalSeconds",
    "patchBranch",
    "onNewerRelease",
    "stackBase",
    "sandbox",
    "webhookSecretEnv",
  ]) {
    expect(text).toContain(field);
  }
});
