import { spawn } from "node:child_process";

export interface CommandEnd {
  /** Exit code, or the signal's name, or `timeout`. */
  status: number | string;
}

export interface CommandOptions {
  cwd: string;
  env: Record<string, string>;
  timeoutMs: number;
  signal: AbortSignal;
  onOutput: (chunk: Buffer) => void;
}

const GRACE_MS = 3_000;

/**
 * Becomes the command, beside a guard that kills the process group when our end of stdin closes, which happens however we die.
 * The guard is nobody's child, so that the command does not find one that it never started; being asked to end does not end it.
 */
const GUARDED = `
  exec 4<&0 </dev/null
  ( (trap '' TERM; read -r _ <&4; kill -9 "-$$") >/dev/null 2>&1 & )
  exec "$@" 4<&-
`;

/**
 * Runs one command in a process group of its own and leaves nothing of the group behind: neither after it ended, nor when it ran
 * out of time or was cancelled (asked to end first, killed after three seconds), nor when this process is killed.
 */
export async function runCommand(argv: string[], options: CommandOptions): Promise<CommandEnd> {
  options.signal.throwIfAborted();
  const child = spawn("/bin/sh", ["-c", GUARDED, "build", ...argv], {
    cwd: options.cwd,
    env: options.env,
    detached: true,
    stdio: ["pipe", "pipe", "pipe"],
  });
  child.stdin.on("error", () => {});
  let timedOut = false;
  const end = () => {
    killGroup(child.pid, "SIGTERM");
    setTimeout(() => killGroup(child.pid, "SIGKILL"), GRACE_MS).unref();
  };
  const timer = setTimeout(() => {
    timedOut = true;
    end();
  }, options.timeoutMs);
  options.signal.addEventListener("abort", end, { once: true });
  child.stdout.on("data", options.onOutput);
  child.stderr.on("data", options.onOutput);
  try {
    // `exit`, not `close`: a daemon that kept the pipes open must not keep us.
    const status = await new Promise<number | string>((resolve, reject) => {
      child.once("error", reject);
      child.once("exit", (code, signal) => setTimeout(() => resolve(code ?? (signal as string)), 50));
    });
    return { status: timedOut ? "timeout" : status };
  } finally {
    clearTimeout(timer);
    options.signal.removeEventListener("abort", end);
    killGroup(child.pid, "SIGKILL");
    child.stdin.destroy();
    child.stdout.destroy();
    child.stderr.destroy();
  }
}

function killGroup(pid: number | undefined, signal: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch {
    // The group is gone, which is what was wanted.
  }
}
