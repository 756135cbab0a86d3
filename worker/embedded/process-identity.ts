import { execFile } from "node:child_process";
import { readFile, readlink } from "node:fs/promises";
import { promisify } from "node:util";

/** What tells a process from a later one that got the same number. */
export interface ProcessIdentity {
  pid: number;
  /** When it started, in whatever unit the system tells it; compare only. */
  startedAt: string;
  /** The boot and, in containers, the process namespace in which `pid` means something. */
  where: string;
}

const run = promisify(execFile);

export async function identityOf(pid: number): Promise<ProcessIdentity | undefined> {
  const startedAt = await startOf(pid);
  return startedAt === undefined ? undefined : { pid, startedAt, where: await whereWeAre() };
}

/** `elsewhere`: in another container or before a reboot, so that it cannot be seen from here. */
export async function stateOf(process: ProcessIdentity): Promise<"alive" | "gone" | "elsewhere"> {
  if (process.where !== (await whereWeAre())) return "elsewhere";
  return (await startOf(process.pid)) === process.startedAt ? "alive" : "gone";
}

/** Its command line, arguments joined by spaces; empty when it is gone. */
export async function commandLineOf(pid: number): Promise<string> {
  if (globalThis.process.platform === "linux") {
    const raw = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
    return raw.replaceAll("\0", " ").trim();
  }
  const { stdout } = await run("ps", ["-o", "command=", "-p", String(pid)]).catch(() => ({ stdout: "" }));
  return stdout.trim();
}

async function startOf(pid: number): Promise<string | undefined> {
  if (globalThis.process.platform !== "linux") {
    const { stdout } = await run("ps", ["-o", "lstart=", "-p", String(pid)]).catch(() => ({ stdout: "" }));
    return stdout.trim() || undefined;
  }
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => undefined);
  // proc(5): the name, in parentheses, may hold anything; after it come the state (field 3) … the start time (field 22).
  const fields = stat?.slice(stat.lastIndexOf(")") + 2).split(" ");
  return fields?.[0] === "Z" ? undefined : fields?.[19];
}

async function whereWeAre(): Promise<string> {
  if (globalThis.process.platform !== "linux") return globalThis.process.platform;
  const boot = await readFile("/proc/sys/kernel/random/boot_id", "utf8").catch(() => "");
  return `${boot.trim()} ${await readlink("/proc/self/ns/pid").catch(() => "")}`;
}
