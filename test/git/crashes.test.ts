import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { Engine } from "../../git/engine.ts";
import { Mirror } from "../../git/mirror.ts";
import { withWriterLock } from "../../git/writer-lock.ts";
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

test("two carries at once from an empty directory give the same commits", async () => {
  const { at, recipe } = await readyScene();
  rmSync(at.data, { recursive: true });
  const tips = await Promise.all([carryAll(at, recipe), carryAll(at, recipe), carryAll(at, recipe)]);
  expect(new Set(tips.map(({ tip }) => tip)).size).toBe(1);
});
