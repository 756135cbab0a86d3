import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { statSync, truncateSync } from "node:fs";
import { appendFile, mkdir, mkdtemp, readdir, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openFileRecords } from "../../records/files.ts";
import type { Records } from "../../records/records.ts";
import { recordsContract } from "./contract.ts";
import { flowEvent } from "./samples.ts";

recordsContract("openFileRecords", async () => {
  const directory = await mkdtemp(join(tmpdir(), "records-"));
  return {
    open: () => openFileRecords({ directory, warn: () => undefined }),
    remove: () => rm(directory, { recursive: true }),
  };
});

describe("records in files", () => {
  let directory: string;
  let warnings: string[];
  let opened: Records[];
  const path = (name = "flow-events.jsonl") => join(directory, name);
  const open = async () => {
    const records = await openFileRecords({ directory, warn: (message) => warnings.push(message) });
    opened.push(records);
    return records;
  };
  const line = (n: number) => `${JSON.stringify(flowEvent(n))}\n`;
  const tags = async (records: Records) =>
    (await records.flowEvents.list({ limit: 1000 })).items.map(({ payload }) => payload.tag);
  /** Every line of the file, as any reader of JSON Lines would take it. */
  const parsed = async () =>
    (await readFile(path(), "utf8"))
      .trimEnd()
      .split("\n")
      .map((each) => JSON.parse(each));

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "records-"));
    warnings = [];
    opened = [];
  });
  afterEach(async () => {
    for (const records of opened) await records.close();
    await rm(directory, { recursive: true });
  });

  it("cuts a torn last line at start, says so and keeps the bytes", async () => {
    await writeFile(path(), line(1) + line(2) + line(3).slice(0, 50));
    const records = await open();
    expect(await tags(records)).toEqual(["v2", "v1"]);
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toMatch(/cut a torn last line of 50 bytes/);
    const side = (await readdir(directory)).filter((name) => name.includes(".torn-"));
    expect(side).toHaveLength(1);
    expect(await readFile(path(side[0]), "utf8")).toBe(line(3).slice(0, 50));
    await records.flowEvents.append(flowEvent(4));
    expect((await parsed()).map(({ payload }) => payload.tag)).toEqual(["v1", "v2", "v4"]);
    expect((await readdir(directory)).filter((name) => name.endsWith(".lock"))).toEqual([]);
  });

  it("is repaired once when two processes start on it together", async () => {
    await writeFile(path(), line(1) + line(2).slice(0, 50));
    const both = await Promise.all([open(), open()]);
    expect(warnings).toHaveLength(1);
    for (const records of both) expect(await tags(records)).toEqual(["v1"]);
  });

  it("keeps a last record that only lacks its line end", async () => {
    await writeFile(path(), line(1) + line(2).trimEnd());
    expect(await tags(await open())).toEqual(["v2", "v1"]);
    expect(warnings[0]).toMatch(/lacked its line end/);
    expect(await parsed()).toHaveLength(2);
  });

  it("leaves a line alone that another process finishes in time", async () => {
    await writeFile(path(), line(1).slice(0, 20));
    const opening = open();
    await new Promise((resolve) => setTimeout(resolve, 60));
    await appendFile(path(), line(1).slice(20));
    expect(await tags(await opening)).toEqual(["v1"]);
    expect(warnings).toEqual([]);
  });

  it("skips an unreadable line in the middle with one warning", async () => {
    await writeFile(path(), `${line(1)}{"id": "torn\n[1]\n{"no":"key"}\n\n${line(2)}`);
    const records = await open();
    expect(await tags(records)).toEqual(["v2", "v1"]);
    expect(await tags(records)).toEqual(["v2", "v1"]);
    expect(warnings).toHaveLength(3);
    expect(warnings[0]).toMatch(/skipped an unreadable line at byte \d+/);
  });

  it("starts on a fresh line after another process's torn one", async () => {
    const records = await open();
    await records.flowEvents.append(flowEvent(1));
    await appendFile(path(), line(2).slice(0, 30));
    expect(await tags(records)).toEqual(["v1"]);
    await records.flowEvents.append(flowEvent(3));
    expect(await tags(records)).toEqual(["v3", "v1"]);
    expect(warnings).toHaveLength(1);
  });

  it("sees a line only when it is whole", async () => {
    const records = await open();
    await appendFile(path(), line(1).slice(0, 30));
    expect(await tags(records)).toEqual([]);
    await appendFile(path(), line(1).slice(30));
    expect(await tags(records)).toEqual(["v1"]);
    expect(warnings).toEqual([]);
  });

  it("appends again what another process's repair cut in the same instant", async () => {
    const records = await open();
    await records.flowEvents.append(flowEvent(0));
    for (let n = 1, cutInTime = false; !cutInTime; n++) {
      const { size } = statSync(path());
      let done = false;
      const appending = records.flowEvents.append(flowEvent(n)).finally(() => (done = true));
      while (!done && statSync(path()).size === size) await new Promise(setImmediate);
      cutInTime = !done;
      if (cutInTime) truncateSync(path(), size);
      await appending;
      expect((await parsed()).at(-1)).toEqual(flowEvent(n));
    }
  });

  it("reads a file again that became shorter", async () => {
    const records = await open();
    await records.flowEvents.append(flowEvent(1));
    await records.flowEvents.append(flowEvent(2));
    await writeFile(path(), line(1));
    expect(await tags(records)).toEqual(["v1"]);
    expect(warnings[0]).toMatch(/became shorter/);
    await records.flowEvents.append(flowEvent(3));
    expect(await tags(records)).toEqual(["v3", "v1"]);
  });

  it("lists 50,000 records", async () => {
    await writeFile(path(), Array.from({ length: 50_000 }, (_, n) => line(n)).join(""));
    const records = await open();
    const page = await records.flowEvents.list({ where: ({ payload }) => payload.tag === "v17" });
    expect(page.items).toHaveLength(1);
    expect((await records.flowEvents.list({ limit: 1000 })).items[0]?.payload.tag).toBe("v49999");
  });

  describe("feed-state.json", () => {
    const state = () => path("feed-state.json");

    it("is one object keyed by source id", async () => {
      const records = await open();
      await records.feedStates.put({ sourceId: "a", lastSeenId: "x", seen: ["x"] });
      expect(JSON.parse(await readFile(state(), "utf8"))).toEqual({
        a: { sourceId: "a", lastSeenId: "x", seen: ["x"] },
      });
    });

    it("loads what earlier versions wrote", async () => {
      await writeFile(state(), JSON.stringify({ a: { lastSeenId: "x", lastCheckedAt: "2030-01-01T00:00:00.000Z" } }));
      expect(await (await open()).feedStates.get("a")).toEqual({
        sourceId: "a",
        lastSeenId: "x",
        lastCheckedAt: "2030-01-01T00:00:00.000Z",
        seen: [],
      });
    });

    it("stays whole when a crash fell between writing and renaming", async () => {
      const records = await open();
      await records.feedStates.put({ sourceId: "a", seen: ["x"] });
      const left = path(".00000000-0000-0000-0000-000000000000.tmp");
      await writeFile(left, '{"a":');
      const old = new Date(Date.now() - 120_000);
      await utimes(left, old, old);
      const again = await open();
      expect(await again.feedStates.get("a")).toEqual({ sourceId: "a", seen: ["x"] });
      expect(await readdir(directory)).not.toContain(left.slice(directory.length + 1));
    });

    it("takes over the lock that a killed process left", async () => {
      const records = await open();
      await writeFile(`${state()}.lock`, "somebody");
      const old = new Date(Date.now() - 60_000);
      await utimes(`${state()}.lock`, old, old);
      await records.feedStates.put({ sourceId: "a", seen: [] });
      expect(await records.feedStates.get("a")).toBeDefined();
      expect((await readdir(directory)).filter((name) => name.includes(".lock"))).toEqual([]);
    });

    it("stops the start when it cannot be understood", async () => {
      await writeFile(state(), "{");
      await expect(open()).rejects.toThrow(/feed-state\.json does not hold a JSON object.*Restore it/);
      expect(await readFile(state(), "utf8")).toBe("{");
    });
  });

  it("says when it cannot be written", async () => {
    const records = await open();
    await rm(directory, { recursive: true });
    await expect(records.checkWritable()).rejects.toThrow(/Records cannot be written in/);
    await mkdir(directory);
  });

  it("says why a directory cannot be used", async () => {
    await writeFile(path("file"), "");
    const open = openFileRecords({ directory: path("file/data"), warn: () => undefined });
    await expect(open).rejects.toThrow(/DATA_DIR .* cannot be made/);
  });

  it("is shared by processes that append at once", { timeout: 60_000 }, async () => {
    const built = join(directory, "built");
    const tsc = join(process.cwd(), "node_modules/typescript/bin/tsc");
    const flags = ["--outDir", built, "--rootDir", ".", "--noCheck", "--ignoreConfig", "--types", "node"];
    const language = ["--module", "nodenext", "--target", "es2023", "--rewriteRelativeImportExtensions"];
    execFileSync(process.execPath, [tsc, "records/files.ts", ...flags, ...language], { stdio: "inherit" });
    await writeFile(join(built, "package.json"), '{"type":"module"}');
    await writeFile(join(built, "append.js"), APPENDER);
    const children = ["one", "two"].map((name) =>
      spawn(process.execPath, [join(built, "append.js"), directory, name], { stdio: ["ignore", "ignore", "inherit"] }),
    );
    const records = await open();
    const ended = Promise.all(children.map((child) => once(child, "exit")));
    let running = true;
    void ended.then(() => (running = false));
    while (running) await records.flowEvents.list({ limit: 1 });
    expect((await ended).map(([code]) => code)).toEqual([0, 0]);
    expect((await records.flowEvents.list({ limit: 1000 })).items).toHaveLength(1000);
    expect(await parsed()).toHaveLength(1000);
    expect((await records.feedStates.all()).map(({ sourceId }) => sourceId)).toHaveLength(40);
    expect((await records.attempts.get("shared"))?.warnings).toHaveLength(40);
    expect(warnings).toEqual([]);
  });
});

const APPENDER = `
import { openFileRecords } from "./records/files.js";
const [directory, name] = process.argv.slice(2);
const records = await openFileRecords({ directory, warn: (message) => { throw new Error(message); } });
for (let n = 0; n < 500; n++) {
  const filler = "x".repeat((n * 37) % 9000);
  await records.flowEvents.append({ id: name + n, type: "t", source: "patch", receivedAt: "", payload: { filler } });
  if (n % 25) continue;
  await records.feedStates.put({ sourceId: name + n, seen: [] });
  await records.attempts.update("shared", (latest) => ({
    ...latest, id: "shared", warnings: [...(latest?.warnings ?? []), name + n],
  }));
}
await records.close();
`;
