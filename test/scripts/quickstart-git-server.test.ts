import { randomBytes } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, expect, test } from "vitest";
import { git } from "../../scripts/quickstart/git.ts";
import { type GitServer, startGitServer } from "../../scripts/quickstart/git-server.ts";

let dir: string;
let server: GitServer | undefined;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "patchmoi-git-server-"));
  await git(dir, ["init", "--quiet", "--bare", "root/a/b.git"]);
});

afterEach(async () => {
  await server?.close();
  server = undefined;
  await rm(dir, { recursive: true, force: true });
});

const identity = ["-c", "user.name=A", "-c", "user.email=a@example.com"];

async function cloneAndCommit(url: string, bytes: number): Promise<string> {
  const clone = join(dir, "clone");
  await git(dir, ["clone", "--quiet", url, clone]);
  await writeFile(join(clone, "file"), randomBytes(bytes));
  await git(clone, ["add", "file"]);
  await git(clone, [...identity, "commit", "--quiet", "--message", "one"]);
  return clone;
}

test("clones, pushes a pack larger than git's post buffer (chunked), and fetches it back", async () => {
  server = await startGitServer({ root: join(dir, "root") });
  const clone = await cloneAndCommit(`${server.url}/a/b.git`, 3_000_000);
  await git(clone, ["push", "--quiet", "origin", "HEAD:refs/heads/main"]);
  const pushed = await git(clone, ["rev-parse", "HEAD"]);
  expect(await git(dir, ["ls-remote", `${server.url}/a/b.git`, "refs/heads/main"])).toContain(pushed);
  await git(dir, ["clone", "--quiet", "--branch=main", `${server.url}/a/b.git`, "again"]);
  expect(await git(join(dir, "again"), ["rev-parse", "HEAD"])).toBe(pushed);
});

test("inflates gzipped request bodies, as git sends long ones", async () => {
  server = await startGitServer({ root: join(dir, "root") });
  const clone = await cloneAndCommit(`${server.url}/a/b.git`, 10);
  await git(clone, ["push", "--quiet", "origin", "HEAD:refs/heads/main"]);
  const want = `want ${await git(clone, ["rev-parse", "HEAD"])}\n`;
  const answer = await fetch(`${server.url}/a/b.git/git-upload-pack`, {
    method: "POST",
    headers: { "Content-Type": "application/x-git-upload-pack-request", "Content-Encoding": "gzip" },
    body: gzipSync(`${(want.length + 4).toString(16).padStart(4, "0")}${want}00000009done\n`),
  });
  expect(answer.status).toBe(200);
  expect(Buffer.from(await answer.arrayBuffer()).toString("latin1")).toContain("PACK");
});

test("with a token, reads and pushes need it", async () => {
  server = await startGitServer({ root: join(dir, "root"), token: "s3cret" });
  const open = `${server.url}/a/b.git`;
  await expect(git(dir, ["ls-remote", open])).rejects.toThrow(/could not read Username|Authentication/);
  const wrong = open.replace("//", "//x:wrong@");
  await expect(git(dir, ["ls-remote", wrong])).rejects.toThrow(/Authentication failed/);
  const clone = await cloneAndCommit(open.replace("//", "//anyone:s3cret@"), 10);
  await git(clone, ["push", "--quiet", "origin", "HEAD:refs/heads/main"]);
});

test("answers 404 for what is not there and refuses to leave its root", async () => {
  server = await startGitServer({ root: join(dir, "root", "a") });
  await expect(git(dir, ["ls-remote", `${server.url}/nothing.git`])).rejects.toThrow(/not found/);
  const outside = await fetch(`${server.url}/..%2f..%2froot%2fa%2fb.git/info/refs?service=git-upload-pack`);
  expect(outside.status).toBe(400);
});
