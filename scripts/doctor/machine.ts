import { mkdtemp, rmdir, stat, statfs } from "node:fs/promises";
import { dirname, join } from "node:path";
import { findSandbox } from "../../activities/build/sandbox.ts";
import type { FeedSourcesFile } from "../../domain/config.ts";
import { type Finding, fail, ok, warn } from "./finding.ts";

const MEGABYTE = 1024 * 1024;
/** Below this a mirror of a middling repository no longer fits; below the other, not even the database grows. */
const COMFORTABLE = 2048 * MEGABYTE;
const TOO_LITTLE = 200 * MEGABYTE;

export function checkNode(version: string): Finding {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  if (major > 20 || (major === 20 && minor >= 20)) return ok(`Node.js ${version}`);
  return fail(`Node.js ${version} is too old`, "install Node.js 20.20 or newer");
}

/** Writes there, or where it would be made. */
export async function checkDataDirectory(directory: string): Promise<Finding[]> {
  const existing = await nearestExisting(directory);
  if (!(await stat(existing)).isDirectory()) {
    return [fail(`DATA_DIR ${directory}: ${existing} is no directory`, "set DATA_DIR to a directory")];
  }
  try {
    await rmdir(await mkdtemp(join(existing, ".patchmoi-doctor-")));
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code ?? (error as Error).message;
    return [fail(`DATA_DIR ${directory} is not writable (${reason})`, "give this user the right to, or set DATA_DIR")];
  }
  const { bavail, bsize } = await statfs(existing);
  const free = bavail * bsize;
  const room = `DATA_DIR ${directory} is writable, with ${Math.floor(free / MEGABYTE).toLocaleString("en")} MB free`;
  if (free < TOO_LITTLE) return [fail(room, "make room, or set DATA_DIR to another disk")];
  return [free < COMFORTABLE ? warn(room, "mirrors and builds of larger projects need more") : ok(room)];
}

async function nearestExisting(path: string): Promise<string> {
  for (let current = path; ; current = dirname(current)) {
    const there = await stat(current).catch(() => undefined);
    if (there || current === dirname(current)) return current;
  }
}

/** A missing sandbox stops only the forks that require one. */
export async function checkSandbox({ forks }: FeedSourcesFile): Promise<Finding[]> {
  const builds = forks.filter((fork) => fork.build && fork.build.sandbox !== "none");
  const { name } = await findSandbox();
  if (name !== "none") return [ok(`build sandbox: ${name}`)];
  const todo = "install bubblewrap, or allow user namespaces";
  const required = builds.filter((fork) => fork.build?.sandbox === "required").map(({ id }) => id);
  if (required.length) return [fail(`no build sandbox works here, and ${required.join(", ")} require(s) one`, todo)];
  const others = builds.map(({ id }) => id).join(", ");
  return [warn(`no build sandbox works here${others ? `: builds of ${others} run without` : ""}`, todo)];
}
