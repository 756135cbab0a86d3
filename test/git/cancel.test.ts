import { readdirSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import { type AddressInfo, type Socket } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { openGit } from "../../git/index.ts";
import type { Merging } from "../../git/merge/engines.ts";
import { engineOptions, lines, scene } from "./scene.ts";

/** Tests run beside each other on machines of any size. */
const A_SECOND_AND_SLACK = 2_000;

/** Processes that hold the engine's mark and this directory in their environment. */
function processesOf(directory: string): string[] {
  return readdirSync("/proc").filter((pid) => {
    if (!/^\d+$/.test(pid)) return false;
    try {
      const environment = readFileSync(`/proc/${pid}/environ`, "latin1");
      return environment.includes("PATCHMOI_COMMAND=") && environment.includes(directory);
    } catch {
      return false;
    }
  });
}

/** Milliseconds from the abort until nothing of the work is left. */
async function goneAfter(work: Promise<unknown>, abort: AbortController, directory: string): Promise<number> {
  const start = performance.now();
  abort.abort();
  await expect(work).rejects.toThrow(/cancelled/);
  while (processesOf(directory).length > 0 && performance.now() - start < 5_000) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return performance.now() - start;
}

test.runIf(process.platform === "linux")("a fetch from a server that falls silent ends with its helpers", async () => {
  const sockets = new Set<Socket>();
  const server = createServer(() => undefined).listen(0, "127.0.0.1");
  server.on("connection", (socket) => sockets.add(socket));
  await new Promise((resolve) => server.once("listening", resolve));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const at = scene();
  const abort = new AbortController();
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/x.git`;
  const work = at.git.listRefs({ url }, ["refs/heads/main"], abort.signal);
  await expect.poll(() => processesOf(at.data).length).toBeGreaterThan(1);
  expect(await goneAfter(work, abort, at.data)).toBeLessThan(A_SECOND_AND_SLACK);
});

test.runIf(process.platform === "linux").for<Merging>(["conversation", "process", "checkout"])(
  "a carry (%s) ends at once, wherever it is",
  async (merging) => {
    const at = scene();
    for (let patch = 1; patch <= 40; patch++) {
      at.fork.commit(`Patch ${patch}`, { files: { [`file-${patch}.txt`]: "x\n", "b.txt": lines({ 3: `${patch}` }) } });
    }
    at.upstream.commit("Theirs", { files: { "a.txt": lines({ 10: "theirs" }), "b.txt": lines({ 15: "theirs" }) } });
    at.upstream.tag("v2.0.0");
    const recipe = await at.recipe();
    const git = openGit(engineOptions(at.data, { merging }));
    const abort = new AbortController();
    let reached = () => {};
    const there = new Promise<void>((resolve) => {
      reached = resolve;
    });
    const work = git.carry(recipe, { signal: abort.signal, onProgress: (k) => k === 20 && reached() });
    await there;
    expect(await goneAfter(work, abort, at.data)).toBeLessThan(A_SECOND_AND_SLACK);
    expect(readdirSync(`${at.data}/runs`)).toEqual([]);
    expect(await git.carry(recipe)).toMatchObject({ kind: "carried" });
  },
);
