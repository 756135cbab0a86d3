/** Processes of this machine: whether one lives, and how the children of a git that was ended are ended too. */

import { randomUUID } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";

/** Names this process among all that ever had its pid. Every git process it starts carries it. */
export const INCARNATION = randomUUID();

/** Carried by every process of one command, by inheritance. */
export const COMMAND_MARK = "PATCHMOI_COMMAND";
/** Carried by every git process of one incarnation of this service. */
export const OWNER_MARK = "PATCHMOI_OWNER";

/** One of another user counts as alive. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/**
 * Ends processes whose environment holds the mark: git dies of a signal, but its transport helpers and ssh live on.
 * Where there is no /proc they end by themselves, when the connection has been slow for long enough (home.ts).
 */
export async function endMarked(name: string, value: string): Promise<void> {
  const mark = `\0${name}=${value}\0`;
  const pids = (await readdir("/proc").catch(() => [])).filter((entry) => /^\d+$/.test(entry));
  for (const pid of pids) {
    const environment = await readFile(`/proc/${pid}/environ`, "latin1").catch(() => "");
    if (`\0${environment}`.includes(mark)) end(Number(pid));
  }
}

function end(pid: number): void {
  try {
    process.kill(pid, "SIGTERM");
  } catch {
    // It has ended meanwhile.
  }
}
