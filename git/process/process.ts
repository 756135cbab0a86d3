/** The one door to git: every git process of the project is started here, through simple-git. */

import { randomUUID } from "node:crypto";
import { GitError, simpleGit } from "simple-git";
import { describeFailure, failureKind, GitFailure } from "./failure.ts";
import { COMMAND_MARK, endMarked, INCARNATION, OWNER_MARK } from "./processes.ts";
import { scrub } from "./scrub.ts";

export interface GitCommand {
  args: string[];
  cwd: string;
  /** The whole environment: nothing is inherited. */
  environment: Record<string, string>;
  input?: string | Buffer;
  signal?: AbortSignal;
  /** Exit codes that are answers and not failures; 0 always is. */
  accept?: number[];
  /** For messages: what is being done, and where. */
  what?: string;
  secrets?: readonly (string | undefined)[];
}

export interface GitAnswer {
  exitCode: number;
  stdout: Buffer;
  /** Scrubbed. */
  stderr: string;
}

/** Carries what simple-git knows of a process through its promise: it would drop the exit code and mix the streams. */
class Ended extends GitError {
  readonly answer: { exitCode: number; stdout: Buffer; stderr: Buffer };
  constructor(answer: { exitCode: number; stdout: Buffer; stderr: Buffer }) {
    super(undefined, "ended");
    this.answer = answer;
  }
}

/**
 * What simple-git's guard must let through. All of it comes from this engine, none from outside: the environment is
 * built in home.ts, and names and URLs from outside are never options (see remote.ts and ref-names.ts).
 */
const ALLOWED = {
  allowUnsafeAskPass: true,
  allowUnsafeConfigPaths: true,
  allowUnsafeSshCommand: true,
} as const;

/** Long after git was told to end, it has ended or never will: nobody waits longer for a cancelled process. */
const CANCEL_PATIENCE_MS = 2_000;

export async function runGit(command: GitCommand): Promise<GitAnswer> {
  const { signal, what = `git ${command.args[0]}` } = command;
  if (signal?.aborted) throw cancelled(what);
  const mark = randomUUID();
  const environment = { ...command.environment, [COMMAND_MARK]: mark, [OWNER_MARK]: INCARNATION };
  const { exitCode, stdout, stderr } = await waitFor(start({ ...command, environment }), signal, what, mark);
  const words = scrub(stderr.toString("utf8"), command.secrets ?? []);
  if (exitCode === 0 || command.accept?.includes(exitCode)) return { exitCode, stdout, stderr: words };
  if (/spawn git ENOENT/.test(words)) {
    throw new GitFailure("other", "git was not found: install git and put it on the PATH of this service");
  }
  const kind = failureKind(words);
  throw new GitFailure(kind, describeFailure(kind, what, words), exitCode);
}

function cancelled(what: string): GitFailure {
  return new GitFailure("cancelled", `${what} was ended: the work was cancelled`);
}

async function start(command: GitCommand): Promise<{ exitCode: number; stdout: Buffer; stderr: Buffer }> {
  const git = simpleGit({
    baseDir: command.cwd,
    abort: command.signal,
    allowEnvironment: Object.keys(command.environment),
    unsafe: ALLOWED,
    input: () => command.input,
    errors: (_error, result) =>
      new Ended({
        exitCode: result.exitCode,
        stdout: Buffer.concat(result.stdOut),
        stderr: Buffer.concat(result.stdErr),
      }),
  }).env(command.environment);
  try {
    await git.raw(command.args);
  } catch (error) {
    if (error instanceof Ended) return error.answer;
    throw error;
  }
  throw new Error("simple-git answered without asking its errors plugin: its version does not fit this engine");
}

async function waitFor<T>(
  running: Promise<T>,
  signal: AbortSignal | undefined,
  what: string,
  mark: string,
): Promise<T> {
  if (!signal) return running;
  let timer: NodeJS.Timeout | undefined;
  let onAbort: (() => void) | undefined;
  const abandoned = new Promise<never>((_, reject) => {
    onAbort = () => {
      timer = setTimeout(() => reject(cancelled(what)), CANCEL_PATIENCE_MS);
    };
    signal.addEventListener("abort", onAbort);
  });
  try {
    const answer = await Promise.race([running, abandoned]);
    if (signal.aborted) throw cancelled(what);
    return answer;
  } finally {
    if (signal.aborted) await endMarked(COMMAND_MARK, mark);
    clearTimeout(timer);
    if (onAbort) signal.removeEventListener("abort", onAbort);
  }
}
