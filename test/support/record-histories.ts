/** Keeps the histories of an end-to-end run for the replay test: `PATCHMOI_RECORD_HISTORIES=test/workflows/histories npm test -- test/e2e`. */

import { mkdirSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { Client, Connection } from "@temporalio/client";
import proto from "@temporalio/proto";

/** Protobuf's own bytes: the JSON form cannot be read back where two copies of its library are installed. */
export const History = proto.temporal.api.history.v1.History;

/** Builds print the machine's environment there. */
const LEFT_OUT = /\/secret\b/;

/** Writes every workflow of the server, one file each, without what tells of the machine that it ran on. */
export async function recordHistories(address: string, directory: string): Promise<void> {
  mkdirSync(directory, { recursive: true });
  const connection = await Connection.connect({ address });
  const client = new Client({ connection });
  for await (const { workflowId, runId } of client.workflow.list()) {
    if (LEFT_OUT.test(workflowId)) continue;
    const history = await client.workflow.getHandle(workflowId, runId).fetchHistory();
    forgetMachine(history);
    writeFileSync(join(directory, `${workflowId.replaceAll("/", "_")}.bin`), History.encode(history).finish());
  }
  await connection.close();
}

const MACHINE = new Set(["identity", "stackTrace"]);

function forgetMachine(part: unknown): void {
  if (typeof part !== "object" || part === null || part instanceof Uint8Array) return;
  const fields = part as Record<string, unknown>;
  for (const [key, value] of Object.entries(fields)) {
    if (typeof value !== "string") forgetMachine(value);
    else if (value) fields[key] = MACHINE.has(key) ? "recorded" : value.replaceAll(hostname(), "host");
  }
}
