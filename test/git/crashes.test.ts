import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { Engine } from "../../git/process/engine.ts";
import { Mirror } from "../../git/repository/mirror.ts";
import { withWriterLock } from "../../git/repository/writer-lock.ts";
import { runGit, temporaryDirectory } from "../support/repositories.ts";
import { carryAll, engineOptions, lines, type Scene, scene } from "./scene.ts";

async function readyScene() {
  const at = scene();
  at.fork.commit("One", { files: { "b.txt": lines({ 3: "one" }) } });
  at.upstream.commit("Theirs", { files: { "a.txt": lines({ 10: "theirs" }) } });
  at.upstream.tag("v2.0.0");
  const recipe = await at.recipe();
  return { at, recipe, mirror: new Mirror(new Engine(engineOptions(at.data)), recipe.upstream).path };
}

function nextRelease(at: Scene): void {
  at.upstream.commit("More", { allowEmpty: true });
  at.upstream.git("tag", "-f", "v2.0.0");
}

/** A pid that was somebody's and is nobody's. */
async function deadPid(): Promise<number> {
  const child = spawn("true");
  await new Promise((resolve) => child.once("exit", resolve));
  return child.pid as number;
}

test("lock files of a killed git and the lock of a killed holder do not stop the next try", async () => {
  const { at, mirror } = await readyScene();
  for (const name of [
    "packed-refs.lock",
    "refs/heads/main.lock",
    "config.lock",
    "shallow.lock",
    "objects/info/commit-graphs/commit-graph-chain.lock",
  ]) {
    mkdirSync(join(mirror, name, ".."), { recursive: true });
    writeFileSync(join(mirror, name), "");
  }
  const holder = { pid: await deadPid(), host: hostname(), incarnation: "x" };
  writeFileSync(`${mirror}.lock`, JSON.stringify(holder));
  nextRelease(at);
  await carryAll(at, await at.recipe());
  expect(existsSync(`${mirror}.lock`)).toBe(false);
});

test("the lock of an earlier process with our pid, and a silent lock of another machine, are taken over", async () => {
  const { at, mirror } = await readyScene();
  writeFileSync(`${mirror}.lock`, JSON.stringify({ pid: process.pid, host: hostname(), incarnation: "earlier" }));
  nextRelease(at);
  await at.recipe();
  writeFileSync(`${mirror}.lock`, "{half a li");
  const old = new Date(Date.now() - 60_000);
  utimesSync(`${mirror}.lock`, old, old);
  nextRelease(at);
  await at.recipe();
});

test("a living holder is waited for, one at a time, until the wait is cancelled", async () => {
  const { at } = await readyScene();
  const path = join(at.data, "some.lock");
  let inside = 0;
  let most = 0;
  const work = async () => {
    most = Math.max(most, ++inside);
    await new Promise((resolve) => setTimeout(resolve, 20));
    inside--;
  };
  await Promise.all([1, 2, 3, 4].map(() => withWriterLock(path, undefined, work)));
  expect(most).toBe(1);
  writeFileSync(path, JSON.stringify({ pid: 1, host: hostname(), incarnation: "init lives" }));
  const wait = withWriterLock(path, AbortSignal.timeout(300), work);
  await expect(wait).rejects.toMatchObject({ kind: "cancelled" });
  expect(existsSync(path)).toBe(true);
});

/** Holds each lock that a line of its input names, once, for a while; tells who was inside beside it. */
const CONTENDER = `
import { appendFileSync, mkdirSync, rmdirSync } from "node:fs";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { withWriterLock } from "./repository/writer-lock.js";
console.log("ready");
for await (const line of createInterface({ input: process.stdin })) {
  await Promise.all(line.split(" ").map((path) => withWriterLock(path, undefined, async () => {
    try {
      mkdirSync(path + ".inside");
      await sleep(15);
      rmdirSync(path + ".inside");
      appendFileSync(path + ".turns", ".");
    } catch (error) {
      appendFileSync(path + ".turns", error.code);
    }
  })));
  console.log("done");
}
`;

function compileContender(directory: string): string {
  const tsc = join(process.cwd(), "node_modules/typescript/bin/tsc");
  const flags = ["--outDir", directory, "--noCheck", "--ignoreConfig", "--types", "node"];
  const language = ["--module", "nodenext", "--target", "es2023", "--rewriteRelativeImportExtensions"];
  execFileSync(process.execPath, [tsc, "git/repository/writer-lock.ts", ...flags, ...language], { stdio: "inherit" });
  writeFileSync(join(directory, "package.json"), '{"type":"module"}');
  writeFileSync(join(directory, "contender.js"), CONTENDER);
  return join(directory, "contender.js");
}

test("of several processes that find a dead holder's lock, never two hold it at once", {
  timeout: 180_000,
}, async () => {
  const directory = temporaryDirectory();
  const program = compileContender(directory.path);
  const contenders = [1, 2, 3, 4].map(() => spawn(process.execPath, [program], { stdio: ["pipe", "pipe", "inherit"] }));
  const said = (child: ChildProcess) => once(child.stdout as NodeJS.EventEmitter, "data");
  try {
    await Promise.all(contenders.map(said));
    const dead = JSON.stringify({ pid: await deadPid(), host: hostname(), incarnation: "dead" });
    for (let round = 0; round < 15; round++) {
      const paths = Array.from({ length: 10 }, (_, n) => join(directory.path, `${round}-${n}.lock`));
      for (const path of paths) {
        writeFileSync(path, dead);
        // A taker may die too.
        if (round % 3 === 0) writeFileSync(`${path}.taking`, dead);
      }
      const done = contenders.map(said);
      for (const child of contenders) child.stdin?.write(`${paths.join(" ")}\n`);
      await Promise.all(done);
      expect(paths.map((path) => readFileSync(`${path}.turns`, "utf8"))).toEqual(paths.map(() => "...."));
    }
    expect(readdirSync(directory.path).filter((name) => /\.lock(\.taking|\.[0-9a-f-]{36})?$/.test(name))).toEqual([]);
  } finally {
    for (const child of contenders) child.kill("SIGKILL");
    directory.remove();
  }
});

test("a broken mirror is made afresh", async () => {
  const { at, recipe, mirror } = await readyScene();
  rmSync(join(mirror, "objects"), { recursive: true });
  mkdirSync(join(mirror, "objects"));
  await carryAll(at, recipe);
  rmSync(join(mirror, "HEAD"));
  await carryAll(at, recipe);
});

test("runs are deleted, and collect() deletes those of the dead and no others", async () => {
  const { at, recipe } = await readyScene();
  await carryAll(at, recipe);
  const runs = join(at.data, "runs");
  expect(readdirSync(runs)).toEqual([]);
  const uuid = "00000000-0000-4000-8000-000000000000";
  const host = hostname().replace(/[^A-Za-z0-9.]/g, "_");
  const [dead, alive, other] = [`${host}-${await deadPid()}-${uuid}`, `${host}-1-${uuid}`, `elsewhere-7-${uuid}`];
  for (const name of [dead, alive, other]) mkdirSync(join(runs, name, "refs"), { recursive: true });
  const carrying = carryAll(at, recipe);
  await at.git.collect();
  await carrying;
  expect(readdirSync(runs).sort()).toEqual([alive, other].sort());
});

test("what nobody uses any more is deleted: kept objects, idle mirrors, half packs, what upstream took back", async () => {
  const { at, recipe } = await readyScene();
  await carryAll(at, recipe);
  const [mirror] = readdirSync(join(at.data, "mirrors")).map((name) => join(at.data, "mirrors", name));
  if (!mirror) throw new Error("no mirror was made");
  const longAgo = (path: string, days: number) => {
    const time = Date.now() / 1000 - days * 24 * 3600;
    utimesSync(path, time, time);
  };
  // Upstream makes a commit, and takes it back after it was fetched.
  const gone = at.upstream.commit("Taken back", { files: { "a.txt": "gone\n" } });
  at.publish();
  await at.plan();
  at.upstream.git("reset", "-q", "--hard", "HEAD~1");
  at.publish();
  await at.plan();
  const has = (commit: string) => {
    const all = runGit(mirror, ["cat-file", "--batch-all-objects", "--batch-check=%(objectname)"]);
    return all.includes(commit);
  };
  expect(has(gone)).toBe(true);
  const pack = join(mirror, "objects", "pack");
  writeFileSync(join(pack, "tmp_pack_abc"), "half");
  longAgo(join(mirror, "patchmoi-packed"), 8);
  for (const name of readdirSync(pack)) longAgo(join(pack, name), 15);
  for (const name of readdirSync(join(at.data, "kept"))) longAgo(join(at.data, "kept", name), 3);
  await at.git.collect();
  expect(readdirSync(join(at.data, "kept"))).toEqual([]);
  expect(readdirSync(pack).filter((name) => name.startsWith("tmp_"))).toEqual([]);
  expect(has(gone)).toBe(false);
  await carryAll(at, recipe);
  longAgo(join(mirror, "patchmoi-used"), 31);
  await at.git.collect();
  expect(readdirSync(join(at.data, "mirrors"))).toEqual([]);
  await carryAll(at, recipe);
});

test("kept objects that somebody deletes are done without", async () => {
  const { at, recipe } = await readyScene();
  const { tip } = await carryAll(at, recipe);
  for (const name of readdirSync(join(at.data, "kept"), { recursive: true, encoding: "utf8" })) {
    const path = join(at.data, "kept", name);
    if (statSync(path).isFile()) rmSync(path);
  }
  expect(await at.git.pushCandidate(recipe, { tip, branch: "out", message: "m" })).toMatchObject({ kind: "pushed" });
  expect(at.forkRef("refs/heads/out")).toBe(tip);
});

test("two carries at once from an empty directory give the same commits", async () => {
  const { at, recipe } = await readyScene();
  rmSync(at.data, { recursive: true });
  const tips = await Promise.all([carryAll(at, recipe), carryAll(at, recipe), carryAll(at, recipe)]);
  expect(new Set(tips.map(({ tip }) => tip)).size).toBe(1);
});
