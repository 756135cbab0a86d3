import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Connection } from "@temporalio/client";
import { freePort } from "./service.ts";

export interface TemporalServer {
  address: string;
  /** Freezes and thaws it: connections stay, answers do not come. */
  pause(): void;
  goOn(): void;
  close(): Promise<void>;
}

/** A Temporal of its own, in memory. */
export async function startTemporal(cli: string): Promise<TemporalServer> {
  if (!cli) throw new Error("This test needs the Temporal CLI; set PATCH_TEMPORAL_CLI.");
  const home = await mkdtemp(join(tmpdir(), "api-temporal-"));
  const port = await freePort();
  const tuned = ["--dynamic-config-value", "history.transferProcessorMaxPollRPS=1000"];
  const named = ["PatchFork", "PatchTag", "PatchStatus", "PatchEventId"].flatMap((name) => [
    "--search-attribute",
    `${name}=Keyword`,
  ]);
  const server = ["server", "start-dev", "--headless", "--log-level", "never", "--port", String(port)];
  const child = spawn(cli, [...server, ...tuned, ...named], { stdio: "ignore", env: { HOME: home } });
  const address = `127.0.0.1:${port}`;
  await untilItAnswers(address);
  return {
    address,
    pause: () => void child.kill("SIGSTOP"),
    goOn: () => void child.kill("SIGCONT"),
    async close() {
      const gone = once(child, "exit");
      child.kill("SIGKILL");
      await gone;
      await rm(home, { recursive: true, force: true });
    },
  };
}

async function untilItAnswers(address: string): Promise<void> {
  for (let tries = 0; ; tries++) {
    try {
      const connection = await Connection.connect({ address, connectTimeout: 1000 });
      await connection.workflowService.describeNamespace({ namespace: "default" });
      await connection.close();
      return;
    } catch (error) {
      if (tries === 60) throw error;
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
  }
}
