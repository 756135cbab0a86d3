import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer as createHttpServer, type Server } from "node:http";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { openGit, RefusedRemote } from "../../git/index.ts";
import { parseRemote } from "../../git/process/remote.ts";
import { scrub } from "../../git/process/scrub.ts";
import { startGitServer } from "../../scripts/quickstart/git-server.ts";
import { temporaryDirectory } from "../support/repositories.ts";
import { carryAll, engineOptions, lines, scene } from "./scene.ts";

const TOKEN = "s3cret-t0ken-of-the-fork";

function engine(more = {}) {
  const { path, remove } = temporaryDirectory();
  onTestFinished(remove);
  return openGit(engineOptions(path, { allowPrivateNetwork: false, allowLocalRepos: false, ...more }));
}

async function listening(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  return `http://127.0.0.1:${(server.address() as { port: number }).port}`;
}

const refusal = async (url: string, more = {}) => {
  const error = await engine(more)
    .listRefs({ url }, ["refs/heads/main"])
    .catch((caught: unknown) => caught);
  return error instanceof RefusedRemote ? error.message : `not refused: ${String(error)}`;
};

test("remotes that are not allowed are refused with the switch that allows them", async () => {
  expect(await refusal("/srv/git/x.git")).toMatch(/PATCH_ALLOW_LOCAL_REPOS/);
  expect(await refusal("file:///srv/git/x.git")).toMatch(/PATCH_ALLOW_LOCAL_REPOS/);
  expect(await refusal("https://127.0.0.1/x.git")).toMatch(/PATCH_ALLOW_PRIVATE_NETWORK/);
  expect(await refusal("https://localhost/x.git")).toMatch(/PATCH_ALLOW_PRIVATE_NETWORK/);
  expect(await refusal("https://[::ffff:10.0.0.1]/x.git")).toMatch(/PATCH_ALLOW_PRIVATE_NETWORK/);
  expect(await refusal("https://169.254.169.254/x.git")).toMatch(/PATCH_ALLOW_PRIVATE_NETWORK/);
  expect(await refusal("ssh://git@192.168.1.1/x.git")).toMatch(/PATCH_ALLOW_PRIVATE_NETWORK/);
  expect(await refusal("git@10.1.2.3:x.git")).toMatch(/PATCH_ALLOW_PRIVATE_NETWORK/);
  expect(await refusal("http://8.8.8.8/x.git")).toMatch(/plain http/);
  expect(await refusal("http://8.8.8.8/x.git", { allowPrivateNetwork: true })).toMatch(
    /plain http: to a public address/,
  );
});

test("what could run a program, or holds a secret, is refused always", async () => {
  const all = { allowPrivateNetwork: true, allowLocalRepos: true };
  for (const url of [
    "ext::sh -c touch% pwned",
    "ext::sh",
    "git://8.8.8.8/x",
    "-oProxyCommand=x:y",
    "ftp://8.8.8.8/x",
    "",
    "a b:c",
  ]) {
    expect(await refusal(url, all)).not.toMatch(/not refused/);
  }
  expect(await refusal("ssh://-oProxyCommand=x/y", all)).not.toMatch(/not refused/);
  expect(await refusal("https://me:hunter2@example.org/x.git", all)).toMatch(/tokenEnv/);
  expect(await refusal("https://me:hunter2@example.org/x.git", all)).not.toMatch(/hunter2/);
  expect(parseRemote("git@forge.example:own/x.git")).toEqual({ protocol: "ssh", host: "forge.example" });
  expect(parseRemote("https://forge.example:8443/x")).toEqual({
    protocol: "https",
    host: "forge.example",
    port: "8443",
  });
});

test("a token is given by askpass only: it is in no error, no file, and no other server gets it", async () => {
  const at = scene();
  at.fork.commit("One", { files: { "b.txt": lines({ 3: "one" }) } });
  at.upstream.commit("Theirs", { files: { "a.txt": lines({ 10: "theirs" }) } });
  at.upstream.tag("v2.0.0");
  const local = await at.recipe();
  const server = await startGitServer({ root: at.served, token: TOKEN });
  onTestFinished(() => server.close());
  const upstream = { url: `${server.url}/upstream.git`, token: TOKEN };
  const fork = { url: `${server.url}/fork.git`, token: TOKEN };
  const recipe = { ...local, upstream, fork };
  const { tip } = await carryAll(at, recipe);
  expect(tip).toBe((await carryAll(at, local)).tip);
  expect(await at.git.pushCandidate(recipe, { tip, branch: "out", tag: "out-1", message: "m" })).toMatchObject({
    kind: "pushed",
  });
  expect(at.forkRef("refs/heads/out")).toBe(tip);
  for (const file of readdirSync(at.data, { recursive: true, withFileTypes: true })) {
    if (file.isFile()) expect(readFileSync(join(file.parentPath, file.name), "latin1")).not.toContain(TOKEN);
  }
  const wrong = await at.git
    .listRefs({ ...fork, token: "wr0ng-t0ken" }, ["refs/heads/main"])
    .catch((error: unknown) => error);
  expect(wrong).toMatchObject({ name: "GitFailure", kind: "auth" });
  expect(String((wrong as Error).message)).not.toContain("wr0ng-t0ken");
  const none = await at.git.listRefs({ url: fork.url }, ["refs/heads/main"]).catch((error: unknown) => error);
  expect(none).toMatchObject({ kind: "auth", message: expect.stringContaining("tokenEnv") });
  const missing = await at.git
    .listRefs({ ...fork, url: `${server.url}/nope.git` }, ["refs/heads/main"])
    .catch((error: unknown) => error);
  expect(missing).toMatchObject({ kind: "not-found" });
});

test("a server that declines a push blocks with its words; one that is down is a network failure", async () => {
  const at = scene();
  at.fork.commit("One", { files: { "b.txt": lines({ 3: "one" }) } });
  at.upstream.commit("Theirs", { files: { "a.txt": lines({ 10: "theirs" }) } });
  at.upstream.tag("v2.0.0");
  const local = await at.recipe();
  const server = await startGitServer({ root: at.served });
  const recipe = { ...local, fork: { url: `${server.url}/fork.git` } };
  const { tip } = await carryAll(at, recipe);
  const hook = join(at.forkUrl, "hooks", "update");
  writeFileSync(hook, "#!/bin/sh\necho 'this branch is protected' >&2\nexit 1\n");
  chmodSync(hook, 0o755);
  const declined = await at.git.pushCandidate(recipe, { tip, branch: "out", tag: "out-1", message: "m" });
  expect(declined).toMatchObject({ kind: "blocked", reason: expect.stringContaining("this branch is protected") });
  await server.close();
  const down = await at.git.listRefs(recipe.fork, ["refs/heads/main"]).catch((error: unknown) => error);
  expect(down).toMatchObject({ kind: "network" });
});

test("a remote that redirects is not followed, and the token goes nowhere else", async () => {
  const asked: (string | undefined)[] = [];
  const other = createHttpServer((request, response) => {
    asked.push(request.headers.authorization);
    response.writeHead(401, { "WWW-Authenticate": "Basic" }).end();
  });
  const elsewhere = await listening(other);
  const first = createHttpServer((request, response) => {
    response.writeHead(301, { Location: `${elsewhere}${request.url}` }).end();
  });
  const remote = { url: `${await listening(first)}/x.git`, token: TOKEN };
  const error = await engine({ allowPrivateNetwork: true })
    .listRefs(remote, ["refs/heads/main"])
    .catch((caught: unknown) => caught);
  expect(error).toMatchObject({ kind: "refused" });
  expect(asked).toEqual([]);
});

test("ssh remotes ask nothing and end by themselves", async () => {
  const at = scene();
  const bin = join(at.directory, "bin");
  mkdirSync(bin);
  const log = join(at.directory, "ssh.log");
  // What a server does with the command that ssh brings it.
  writeFileSync(join(bin, "ssh"), `#!/bin/sh\necho "$@" >>${log}\nfor last; do :; done\neval "$last"\n`, {
    mode: 0o755,
  });
  const environment = { PATH: `${bin}:${process.env.PATH}` };
  const git = openGit(engineOptions(join(at.directory, "ssh-data"), { environment }));
  const found = await git.listRefs({ url: `ssh://git@forge.example:2222${at.upstreamUrl}` }, ["refs/tags/*"]);
  expect([...found.keys()]).toEqual(["refs/tags/v1.0.0"]);
  expect(readFileSync(log, "utf8")).toMatch(
    /BatchMode=yes.*ConnectTimeout=20.*-p 2222.*git@forge\.example git-upload-pack/,
  );
});

test("upstreams with the harmless faults of old history can be fetched", async () => {
  const at = scene();
  const tree = at.upstream.git("rev-parse", "HEAD^{tree}");
  const parent = at.upstream.head();
  const line = "Old <old@example.org>1112911993 -0700";
  const raw = join(at.directory, "raw");
  writeFileSync(raw, `tree ${tree}\nparent ${parent}\nauthor ${line}\ncommitter ${line}\n\nOld\n`);
  const odd = at.upstream.git("hash-object", "-t", "commit", "-w", "--literally", raw);
  at.upstream.git("reset", "-q", "--hard", odd);
  at.upstream.commit("Theirs", { files: { "a.txt": lines({ 10: "theirs" }) } });
  at.upstream.tag("v2.0.0");
  at.fork.commit("One", { files: { "b.txt": lines({ 3: "one" }) } });
  await carryAll(at, await at.recipe());
});

test("nothing of the caller's environment or machine reaches git", async () => {
  const { path, remove } = temporaryDirectory();
  onTestFinished(remove);
  const environment = {
    PATH: process.env.PATH ?? "",
    GIT_DIR: "/nope",
    GIT_CONFIG_PARAMETERS: "'a.b=c'",
    EDITOR: "touch pwned",
  };
  const git = openGit({ ...engineOptions(path), environment });
  expect(await git.version()).toMatch(/^\d+\.\d+/);
  expect(existsSync(join(path, "home", "gitconfig"))).toBe(true);
});

test("scrub takes out tokens in every spelling, and userinfo", () => {
  const basic = Buffer.from(`x-access-token:${TOKEN}`).toString("base64");
  const text = scrub(`at https://u:${TOKEN}@h/x and ${basic} and ${TOKEN} and ssh://git@h/y`, [TOKEN]);
  expect(text).toBe("at https://h/x and *** and *** and ssh://h/y");
});
