import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Connection } from "@temporalio/client";
import { msToTs } from "@temporalio/common/lib/time.js";
import proto from "@temporalio/proto";
import { afterAll, beforeAll, expect, inject, it } from "vitest";
import { prepareNamespace, SEARCH_ATTRIBUTES } from "../../worker/embedded/namespace.ts";
import { type EmbeddedTemporal, startEmbeddedTemporal } from "../../worker/embedded/start.ts";
import { freePorts } from "./free-ports.ts";

const { INDEXED_VALUE_TYPE_INT: INT, INDEXED_VALUE_TYPE_KEYWORD: KEYWORD } =
  proto.temporal.api.enums.v1.IndexedValueType;
let directory: string;
let temporal: EmbeddedTemporal;
let connection: Connection;

/** Stands for a cluster that somebody else runs. */
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "patchmoi-namespace-"));
  const [port = 0, uiPort = 0] = await freePorts(2);
  temporal = await startEmbeddedTemporal({ cli: inject("temporalCli"), directory, port, uiPort, log: () => {} });
  connection = await Connection.connect({ address: temporal.address });
});

afterAll(async () => {
  await connection.close();
  await temporal.stop();
  await rm(directory, { recursive: true, force: true });
});

async function makeNamespace(namespace: string, searchAttributes: Record<string, number> = {}): Promise<void> {
  await connection.workflowService.registerNamespace({ namespace, workflowExecutionRetentionPeriod: msToTs("1 day") });
  // A new namespace is seen by all parts of the server a moment later.
  for (let tries = 0; Object.keys(searchAttributes).length; tries++) {
    try {
      await connection.operatorService.addSearchAttributes({ namespace, searchAttributes });
      return;
    } catch (error) {
      if (tries > 100) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

async function prepared(namespace: string): Promise<void> {
  for (let tries = 0; ; tries++) {
    try {
      return await prepareNamespace(connection, namespace);
    } catch (error) {
      if (tries > 100 || !/not found/i.test((error as Error).message)) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

it("registers what is missing, and may be repeated, also at the same time", async () => {
  await makeNamespace("fresh", { PatchFork: KEYWORD });
  await Promise.all([prepared("fresh"), prepared("fresh")]);
  await prepared("fresh");
  const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace: "fresh" });
  expect(Object.keys(customAttributes ?? {})).toEqual(expect.arrayContaining([...SEARCH_ATTRIBUTES]));
});

it("names an attribute of another type", async () => {
  await makeNamespace("odd", { PatchTag: INT });
  await expect(prepared("odd")).rejects.toThrow(/"odd" has PatchTag with another type than Keyword/);
});

it("says what an administrator has to run where the server refuses", async () => {
  const ten = Array.from({ length: 10 }, (_, index) => [`Other${index}`, KEYWORD]);
  await makeNamespace("full", Object.fromEntries(ten));
  await expect(prepared("full")).rejects.toThrow(
    /cannot be registered in Temporal namespace "full" \(.+\)[^]*--namespace full --name PatchEventId --type Keyword/,
  );
});
