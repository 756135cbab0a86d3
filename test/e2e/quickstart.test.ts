import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, inject, onTestFinished, test } from "vitest";
import { temporaryDirectory } from "../support/repositories.ts";

const QUICKSTART = fileURLToPath(new URL("../../dist/scripts/quickstart.js", import.meta.url));

test("the quickstart carries a release, stops at the conflict, fixes it with what it printed, and verifies the refs", async () => {
  const { path: home, remove } = temporaryDirectory();
  onTestFinished(remove);
  const env = { PATH: process.env.PATH, HOME: home, PATCH_TEMPORAL_CLI: inject("temporalCli") };
  const { stdout } = await promisify(execFile)(process.execPath, [QUICKSTART, "--auto"], { env, timeout: 110_000 });
  expect(stdout).toMatch(/^All as it should be/m);
  expect(stdout).toContain("git push origin +HEAD:refs/heads/patchmoi/resolution/v1.2.0");
});
