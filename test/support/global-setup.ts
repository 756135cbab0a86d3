import { spawnSync } from "node:child_process";
import { homedir } from "node:os";
import { fileURLToPath } from "node:url";
import type { TestProject } from "vitest/node";
import { cacheDirectoryIn, findTemporalCli, findTemporalTestServer } from "../../worker/embedded/find-binary.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** Path of the Temporal CLI; empty where none could be had. */
    temporalCli: string;
    /** Path of the time-skipping test server; empty where none could be had. */
    temporalTestServer: string;
  }
}

/**
 * Sees that dist/ is built and the Temporal binaries are here. Under `npm test` (`strict`) a failure ends the run; run by
 * hand, vitest says what is missing and goes on, as most tests need neither; `none` skips it all.
 */
export default async function setup(project: TestProject): Promise<void> {
  const ground = process.env.PATCHMOI_TEST_GROUND ?? "lenient";
  project.provide("temporalCli", "");
  project.provide("temporalTestServer", "");
  if (ground === "none") return;
  const options = {
    explicit: process.env.PATCH_TEMPORAL_CLI,
    cacheDirectory: cacheDirectoryIn(process.env, homedir()),
    path: process.env.PATH ?? "",
    report: (line: string) => void process.stderr.write(`${line}\n`),
    environment: process.env,
  };
  const steps = [
    async () => build(),
    async () => project.provide("temporalCli", await findTemporalCli(options)),
    async () => project.provide("temporalTestServer", await findTemporalTestServer(options)),
  ];
  for (const step of steps) {
    try {
      await step();
    } catch (error) {
      if (ground === "strict") throw error;
      process.stderr.write(`${(error as Error).message}\nGoing on; tests that need it will fail.\n`);
    }
  }
}

function build(): void {
  const run = fileURLToPath(new URL("../../scripts/run.mjs", import.meta.url));
  const { status } = spawnSync(process.execPath, [run, "build"], { stdio: ["ignore", "inherit", "inherit"] });
  if (status !== 0) throw new Error("dist/ could not be built; see above.");
}
