import { type ChildProcess, spawn } from "node:child_process";

export interface BoundedOptions {
  timeoutMs: number;
  environment: Record<string, string | undefined>;
  cwd?: string;
  signal?: AbortSignal;
}

export interface BoundedResult {
  ok: boolean;
  stdout: string;
  /** Why it failed, in one line; empty when it did not. */
  reason: string;
}

const KEPT_OUTPUT = 16_384;

/**
 * Runs a program to its end, for a bounded time. When the time is over, when `signal` fires or when this process is told to
 * end, the program is killed with all its children. Never rejects: not being there is a result too.
 */
export async function runBounded(command: string, args: string[], options: BoundedOptions): Promise<BoundedResult> {
  if (options.signal?.aborted) return { ok: false, stdout: "", reason: "was cancelled" };
  const child = spawn(command, args, {
    cwd: options.cwd,
    env: options.environment,
    stdio: ["ignore", "pipe", "pipe"],
    // A process group of its own, so that its children can be killed with it.
    detached: true,
  });
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout = (stdout + text).slice(-KEPT_OUTPUT);
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr = (stderr + text).slice(-KEPT_OUTPUT);
  });

  let stopped = "";
  const stop = (why: string) => {
    stopped ||= why;
    killGroup(child);
  };
  const timer = setTimeout(() => stop(`took longer than ${Math.round(options.timeoutMs / 1000)} s`), options.timeoutMs);
  const cancel = () => stop("was cancelled");
  options.signal?.addEventListener("abort", cancel);
  const releaseSignals = passOnSignals(child);
  try {
    const failure = await endOf(child);
    const reason = stopped || (failure && [failure, lastLine(stderr) || lastLine(stdout)].filter(Boolean).join(": "));
    return { ok: !reason, stdout, reason };
  } finally {
    clearTimeout(timer);
    options.signal?.removeEventListener("abort", cancel);
    releaseSignals();
  }
}

/** Empty for exit code 0. */
function endOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    child.once("error", (error: NodeJS.ErrnoException) =>
      resolve(error.code === "ENOENT" ? "not found" : error.message),
    );
    child.once("exit", (code, signal) => {
      const reason = code === 0 ? "" : signal ? `was ended by ${signal}` : `ended with exit code ${code}`;
      child.once("close", () => resolve(reason));
      // A grandchild that keeps the pipes open must not keep us.
      setTimeout(() => resolve(reason), 1000).unref();
    });
  });
}

function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, "SIGKILL");
  } catch {
    child.kill("SIGKILL");
  }
}

/** The child is in its own process group, so a Ctrl-C that ends us would leave it running. */
function passOnSignals(child: ChildProcess): () => void {
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
  const handlers = signals.map((name) => {
    const handler = () => {
      killGroup(child);
      process.removeListener(name, handler);
      // With nobody else listening, the signal would have ended us: let it.
      if (!process.listenerCount(name)) process.kill(process.pid, name);
    };
    process.on(name, handler);
    return () => process.removeListener(name, handler);
  });
  const atExit = () => killGroup(child);
  process.on("exit", atExit);
  return () => {
    for (const release of handlers) release();
    process.removeListener("exit", atExit);
  };
}

function lastLine(text: string): string {
  const lines = text.split("\n").map((line) => line.trim());
  return (lines.findLast((line) => /^error/i.test(line)) ?? lines.findLast(Boolean) ?? "").slice(0, 300);
}
