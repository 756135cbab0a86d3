import { spawn } from "node:child_process";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";

const ENTRY = fileURLToPath(new URL("../../dist/scripts/quickstart.js", import.meta.url));

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "patchmoi-ends-"));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

/** Processes that have the directory in their arguments or environment: the service, its Temporal server, builds. */
async function processesOf(path: string): Promise<string[]> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid);
  const texts = await Promise.all(
    pids.map(async (pid) => {
      const read = (file: string) => readFile(`/proc/${pid}/${file}`, "latin1").catch(() => "");
      return `${pid} ${await read("cmdline")} ${await read("environ")}`;
    }),
  );
  return texts.filter((text) => text.includes(path)).map((text) => text.slice(0, 120));
}

test.runIf(process.platform === "linux")("an interrupted run ends all that it started", async () => {
  const child = spawn(process.execPath, [ENTRY, "--auto", "--dir", directory]);
  let output = "";
  const said = new Promise<void>((resolve, reject) => {
    child.once("close", () => reject(new Error(output)));
    for (const stream of [child.stdout, child.stderr]) {
      stream.on("data", (chunk: Buffer) => {
        output += chunk.toString();
        if (output.includes("Temporal Web UI")) resolve();
      });
    }
  });
  await said;
  expect((await processesOf(directory)).length).toBeGreaterThan(1);
  const ended = new Promise((resolve) => child.once("close", resolve));
  child.kill("SIGINT");
  expect([await ended, output]).toEqual([130, expect.stringContaining("Ending …")]);
  expect(await processesOf(directory)).toEqual([]);
});
