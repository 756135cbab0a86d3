/** Keeps the histories of an end-to-end run for the replay test: `PATCHMOI_RECORD_HISTORIES=test/workflows/histories npm test -- test/e2e`. */

import { execFile } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";

/** Writes every workflow of the server, one file each, without what tells of the machine that it ran on. */
export async function recordHistories(temporalCli: string, address: string, directory: string): Promise<void> {
  mkdirSync(directory, { recursive: true });
  const temporal = async (...args: string[]): Promise<unknown> => {
    const { stdout } = await promisify(execFile)(temporalCli, [...args, "--address", address, "-o", "json"], {
      maxBuffer: 2 ** 28,
    });
    return JSON.parse(stdout, (key, value) => MACHINE[key] ?? value);
  };
  const all = (await temporal("workflow", "list")) as { execution: { workflowId: string; runId: string } }[];
  for (const { workflowId, runId } of all.map(({ execution }) => execution)) {
    const history = await temporal("workflow", "show", "--workflow-id", workflowId, "--run-id", runId);
    writeFileSync(join(directory, `${workflowId.replaceAll("/", "_")}.json`), `${JSON.stringify(history)}\n`);
  }
}

const MACHINE: Record<string, string> = {
  identity: "worker",
  stackTrace: "",
  buildId: "recorded",
  binaryChecksum: "recorded",
};
