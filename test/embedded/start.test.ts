import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { Client, Connection } from "@temporalio/client";
import { afterEach, beforeEach, describe, expect, inject, it } from "vitest";
import { prepareNamespace, SEARCH_ATTRIBUTES } from "../../worker/embedded/namespace.ts";
import { identityOf } from "../../worker/embedded/process-identity.ts";
import { type EmbeddedTemporal, startEmbeddedTemporal } from "../../worker/embedded/start.ts";
import { freePorts } from "./free-ports.ts";

let directory: string;
let ports: { port: number; uiPort: number };
const running: EmbeddedTemporal[] = [];
const connections: Connection[] = [];
const owners: ChildProcess[] = [];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "patchmoi-embedded-"));
  const [port = 0, uiPort = 0] = await freePorts(2);
  ports = { port, uiPort };
});

afterEach(async () => {
  await Promise.all(connections.splice(0).map((connection) => connection.close()));
  for (const owner of owners.splice(0)) owner.kill("SIGKILL");
  await Promise.all(running.splice(0).map((temporal) => temporal.stop()));
  await rm(directory, { recursive: true, force: true, maxRetries: 5 });
});

const logged: string[] = [];
const log = (level: string, message: string) => void logged.push(`${level} ${message}`);

async function start(more: Partial<Parameters<typeof startEmbeddedTemporal>[0]> = {}): Promise<EmbeddedTemporal> {
  const temporal = await startEmbeddedTemporal({ cli: inject("temporalCli"), directory, ...ports, log, ...more });
  running.push(temporal);
  return temporal;
}

async function connect(address: string): Promise<Connection> {
  const connection = await Connection.connect({ address });
  connections.push(connection);
  return connection;
}

async function startWorkflow(connection: Connection, workflowId: string): Promise<void> {
  await new Client({ connection }).workflow.start("anything", {
    workflowId,
    taskQueue: "nobody-polls",
    searchAttributes: { PatchFork: ["fork-1"], PatchStatus: ["started"] },
  });
}

/** A zombie, which nobody may be there to reap in a container, is dead. */
async function isAlive(pid: number | undefined): Promise<boolean> {
  return pid !== undefined && (await identityOf(pid)) !== undefined;
}

async function eventually(what: () => boolean | Promise<boolean>, within = 20_000): Promise<void> {
  for (const deadline = Date.now() + within; Date.now() < deadline; await sleep(50)) {
    if (await Promise.resolve(what()).catch(() => false)) return;
  }
  throw new Error(`did not happen within ${within} ms: ${what}`);
}

describe("startEmbeddedTemporal", () => {
  it("is usable at once: search attributes, retention, Web UI, loopback only", async () => {
    const temporal = await start();
    const connection = await connect(temporal.address);
    await startWorkflow(connection, "first");
    const described = await connection.workflowService.describeNamespace({ namespace: "default" });
    expect(Number(described.config?.workflowExecutionRetentionTtl?.seconds)).toBeGreaterThan(300 * 86_400);
    const attributes = await connection.operatorService.listSearchAttributes({ namespace: "default" });
    expect(Object.keys(attributes.customAttributes ?? {})).toEqual(expect.arrayContaining([...SEARCH_ATTRIBUTES]));
    await prepareNamespace(connection, "default");
    expect((await fetch(temporal.uiUrl)).status).toBe(200);
    await eventually(async () => {
      const found = new Client({ connection }).workflow.list({ query: "PatchFork = 'fork-1'" });
      for await (const each of found) return each.workflowId === "first";
      return false;
    });
    const pid = temporal.pid();
    await temporal.stop();
    expect(await isAlive(pid)).toBe(false);
  });

  it("brings a killed server back with its workflows", async () => {
    const temporal = await start();
    await startWorkflow(await connect(temporal.address), "kept");
    const killed = temporal.pid() ?? 0;
    process.kill(killed, "SIGKILL");
    await eventually(() => temporal.pid() !== undefined && temporal.pid() !== killed);
    const description = await new Client({ connection: await connect(temporal.address) }).workflow
      .getHandle("kept")
      .describe();
    expect(description.status.name).toBe("RUNNING");
    expect(description.searchAttributes.PatchFork).toEqual(["fork-1"]);
  });

  it("keeps its workflows over a stop and a start", async () => {
    const first = await start();
    await startWorkflow(await connect(first.address), "kept");
    await first.stop();
    const second = await start();
    const handle = new Client({ connection: await connect(second.address) }).workflow.getHandle("kept");
    expect((await handle.describe()).status.name).toBe("RUNNING");
  });

  it("leaves no server behind when its owner is killed, and the next start works at once", async () => {
    const { owner, serverPid } = await startInOtherProcess();
    owner.kill("SIGKILL");
    await once(owner, "exit");
    const temporal = await start();
    expect(temporal.pid()).not.toBe(serverPid);
    expect(await isAlive(serverPid)).toBe(false);
  });

  it("ends a server whose guard was killed with the owner", async () => {
    const { owner, serverPid } = await startInOtherProcess();
    const status = await readFile(`/proc/${serverPid}/status`, "utf8").catch(() => undefined);
    if (status === undefined) return;
    const guard = Number(/^PPid:\s+(\d+)/m.exec(status)?.[1]);
    const group = (await readFile(`/proc/${guard}/task/${guard}/children`, "utf8")).trim().split(" ").map(Number);
    for (const pid of [guard, ...group.filter((each) => each !== serverPid)]) process.kill(pid, "SIGKILL");
    owner.kill("SIGKILL");
    await once(owner, "exit");
    expect(await isAlive(serverPid)).toBe(true);
    await start();
    expect(await isAlive(serverPid)).toBe(false);
  });

  it("refuses a second service on the same directory", async () => {
    const { owner } = await startInOtherProcess();
    const [port = 0, uiPort = 0] = await freePorts(2);
    await expect(start({ port, uiPort })).rejects.toThrow(new RegExp(`in use by process ${owner.pid}.*DATA_DIR`));
  });

  it.each([
    ["PATCH_TEMPORAL_PORT", "port"],
    ["PATCH_TEMPORAL_UI_PORT", "uiPort"],
  ] as const)("names the port that somebody else uses, and %s", async (variable, name) => {
    const other = createServer().listen(ports[name], "127.0.0.1");
    await once(other, "listening");
    try {
      await expect(start()).rejects.toThrow(new RegExp(`Port ${ports[name]} .*${variable}`));
    } finally {
      other.close();
    }
    await start();
  });

  it("refuses a database of another version and leaves it as it is", async () => {
    await writeFile(join(directory, "temporal.db"), "precious");
    await writeFile(join(directory, "database.json"), '{"cli":"1.0.0","complete":true}');
    await expect(start()).rejects.toThrow(/made by Temporal CLI 1\.0\.0.*PATCH_TEMPORAL_CLI/);
    expect(await readFile(join(directory, "temporal.db"), "utf8")).toBe("precious");
  });

  it("refuses a database that nobody knows the version of", async () => {
    await writeFile(join(directory, "temporal.db"), "precious");
    await expect(start()).rejects.toThrow(/database\.json/);
    expect(await readFile(join(directory, "temporal.db"), "utf8")).toBe("precious");
  });

  it("makes a database anew whose first making was interrupted", async () => {
    await writeFile(join(directory, "temporal.db"), "half a sche");
    await writeFile(join(directory, "database.json"), '{"cli":"1.9.1","complete":false}');
    await start();
  });

  it("says what is wrong with a binary that is none", async () => {
    await expect(start({ cli: "/nowhere/temporal" })).rejects.toThrow("/nowhere/temporal not found");
  });
});

/** As the service would: another Node process, from dist/. Resolves when its server is ready. */
async function startInOtherProcess(): Promise<{ owner: ChildProcess; serverPid: number }> {
  const entry = new URL("../../dist/worker/embedded/start.js", import.meta.url);
  const options = { cli: inject("temporalCli"), directory, ...ports };
  const script = `
    import { startEmbeddedTemporal } from ${JSON.stringify(entry.href)};
    const temporal = await startEmbeddedTemporal({ ...${JSON.stringify(options)}, log: () => {} });
    console.log(temporal.pid());
  `;
  const owner = spawn(process.execPath, ["--input-type=module", "-e", script], {
    cwd: fileURLToPath(new URL("../..", import.meta.url)),
    stdio: ["ignore", "pipe", "inherit"],
  });
  owners.push(owner);
  const [line] = await Promise.race([once(owner.stdout, "data"), once(owner, "exit")]);
  if (owner.exitCode !== null || !Number(String(line)))
    throw new Error("the other process did not start; is dist/ built?");
  return { owner, serverPid: Number(String(line)) };
}
