import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { git } from "../../scripts/quickstart/git.ts";
import { RESOLUTION } from "../../scripts/quickstart/notch.ts";
import { makeRepositories, type Repositories } from "../../scripts/quickstart/repositories.ts";

let dir: string;
let repositories: Repositories;
let clone: string;
const person = { GIT_COMMITTER_NAME: "P", GIT_COMMITTER_EMAIL: "p@example.com" };

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "patchmoi-repositories-"));
  repositories = await makeRepositories(dir);
  await repositories.publishClean();
  await repositories.publishConflicting();
  clone = join(dir, "clone");
  await git(dir, ["clone", "--quiet", join(repositories.root, repositories.fork), clone]);
  await git(clone, ["fetch", "--quiet", "--tags", join(repositories.root, repositories.upstream)]);
});

afterAll(() => rm(dir, { recursive: true, force: true }));

const build = () => promisify(execFile)("sh", ["check.sh"], { cwd: clone });

test("every release and the fork pass their build check", async () => {
  for (const ref of ["v1.0.0", "v1.1.0", "v1.2.0", `origin/${repositories.patchBranch}`]) {
    await git(clone, ["switch", "--quiet", "--detach", ref]);
    expect((await build()).stdout).toContain("ok tests/add.sh");
  }
});

test("v1.1.0 has one of the patches, and the others apply", async () => {
  const patches = await git(clone, ["cherry", "v1.1.0", `origin/${repositories.patchBranch}`, "v1.0.0"]);
  expect(patches.split("\n").map((line) => line[0])).toEqual(["+", "-", "+"]);
  await git(clone, ["switch", "--quiet", "--detach", `origin/${repositories.patchBranch}`]);
  await git(clone, ["rebase", "--quiet", "--onto", "v1.1.0", "v1.0.0"], person);
  expect(await git(clone, ["log", "--format=%s", "v1.1.0.."])).toBe(
    [repositories.patches[2], repositories.patches[0]].join("\n"),
  );
  await build();
});

test("v1.2.0 stops at the third patch, and the prepared fix builds", async () => {
  await git(clone, ["switch", "--quiet", "--detach", `origin/${repositories.patchBranch}`]);
  await expect(git(clone, ["rebase", "--quiet", "--onto", "v1.2.0", "v1.0.0"], person)).rejects.toThrow(
    /could not apply/,
  );
  expect(await git(clone, ["diff", "--name-only", "--diff-filter=U"])).toBe(RESOLUTION.path);
  await writeFile(join(clone, RESOLUTION.path), RESOLUTION.content);
  await git(clone, ["add", "--all"]);
  await git(clone, ["-c", "core.editor=true", "rebase", "--continue"], person);
  await build();
});
