import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { temporaryDirectory } from "../support/repositories.ts";

const ENTRY = fileURLToPath(new URL("../../dist/main.js", import.meta.url));

function start(env: Record<string, string>, config?: string): { status: number | null; output: string } {
  const { path, remove } = temporaryDirectory();
  onTestFinished(remove);
  if (config !== undefined) writeFileSync(join(path, "feed-sources.json"), config);
  const { status, stdout, stderr } = spawnSync(process.execPath, [ENTRY], {
    cwd: path,
    env: { PATH: process.env.PATH as string, HOME: path, ...env },
    encoding: "utf8",
    timeout: 30_000,
  });
  return { status, output: stdout + stderr };
}

test("an invalid config refuses the start, with every error and its JSON path", () => {
  const source = {
    id: "a",
    provider: "nobody",
    url: "x",
    event: "release",
    repo: { owner: "a", name: "b", fullName: "a/b", webUrl: "w" },
  };
  const { status, output } = start({ PORT: "no" }, JSON.stringify({ sources: [source], forks: [{ id: "UPPER" }] }));
  expect(status).toBe(1);
  for (const path of [
    "PORT",
    "sources[0].provider",
    "sources[0].url",
    "forks[0].id",
    "forks[0].upstream",
    "forks[0].patchBranch",
  ]) {
    expect(output).toContain(path);
  }
});

test("a HOST that others can reach refuses to start without a token, and says why", () => {
  const { status, output } = start({ HOST: "0.0.0.0" });
  expect(status).toBe(1);
  expect(output).toContain("PATCH_ADMIN_TOKEN");
});

test("a database for records, which this version does not have, is refused rather than ignored", () => {
  const { status, output } = start({ PATCH_DATABASE_URL: "postgres://db/patch" });
  expect(status).toBe(1);
  expect(output).toContain("PATCH_DATABASE_URL");
});
