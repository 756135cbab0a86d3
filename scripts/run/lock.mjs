import { mkdirSync, readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { ROOT, say } from "./ground.mjs";

// Not in node_modules, which `npm ci` deletes.
const LOCK = join(ROOT, "dist/.lock");
const BEAT_MS = 2000;
const DEAD_AFTER_MS = 20_000;

/** Runs `work` while no other run installs or builds in this directory. */
export async function withLock(work) {
  mkdirSync(dirname(LOCK), { recursive: true });
  for (let waited = 0; !take(); waited++) {
    if (waited % 50 === 5) say("waiting for another run that installs or builds here …");
    await sleep(100);
  }
  const beat = setInterval(() => {
    const now = new Date();
    utimesSync(LOCK, now, now);
  }, BEAT_MS);
  const release = () => rmSync(LOCK, { force: true });
  process.once("exit", release);
  try {
    return await work();
  } finally {
    clearInterval(beat);
    process.removeListener("exit", release);
    release();
  }
}

function take() {
  try {
    writeFileSync(LOCK, `${hostname()} ${process.pid}`, { flag: "wx" });
    return true;
  } catch (error) {
    if (error.code !== "EEXIST") throw error;
    removeIfDead();
    return false;
  }
}

/** A killed run leaves its lock behind. */
function removeIfDead() {
  try {
    const owner = readFileSync(LOCK, "utf8");
    if (isAlive(owner)) return;
    // Of several that find it dead, one gets to rename it; it might get a lock taken anew meanwhile, and puts that back.
    const aside = `${LOCK}.${process.pid}`;
    renameSync(LOCK, aside);
    if (readFileSync(aside, "utf8") === owner) rmSync(aside);
    else renameSync(aside, LOCK);
  } catch (error) {
    if (error.code !== "ENOENT") throw error;
  }
}

function isAlive(owner) {
  if (Date.now() - statSync(LOCK).mtimeMs > DEAD_AFTER_MS) return false;
  const [host, pid] = owner.split(" ");
  // Another machine or container on the same directory: only its heartbeat can be seen. Empty: being written just now.
  if (host !== hostname() || !pid) return true;
  try {
    process.kill(Number(pid), 0);
    return true;
  } catch (error) {
    return error.code === "EPERM";
  }
}
