import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { MaintenanceAttempt } from "../../domain/attempt.ts";
import type { CarryWish } from "./arguments.ts";
import { describe } from "./client.ts";
import { startGitServer } from "./git-server.ts";
import type { Scope } from "./scope.ts";
import { type LocalService, startService } from "./service.ts";
import { Surprise } from "./surprise.ts";
import { fixLines, ledgerLines, refLines, Teller, workflowUrl } from "./tell.ts";

const FORK = "yours";
const START_SECONDS = 60;

export interface CarryOptions extends CarryWish {
  directory: string;
  logPath: string;
  scope: Scope;
}

/** One carry of repositories that exist. Answers whether it ended well; false when a person is needed and `auto` is set. */
export async function carry(options: CarryOptions): Promise<boolean> {
  const { directory, logPath, scope, tag } = options;
  const { tokenEnv, stackBase } = options;
  const token = tokenEnv === undefined ? undefined : process.env[tokenEnv];
  if (tokenEnv && !token) throw new Surprise(`the environment variable ${tokenEnv} (--token-env) is not set`);
  const tell = new Teller();
  const upstream = remoteOf(options.upstream);
  const fork = options.push ? remoteOf(options.fork) : await copyOf(remoteOf(options.fork), directory, scope, tell);

  tell.step("Starts patch.moi, with a Temporal server of its own");
  const service = await startService({
    directory,
    logPath,
    scope,
    config: {
      sources: [],
      forks: [
        {
          id: FORK,
          upstream: { url: upstream },
          fork: { url: fork, ...(tokenEnv && { tokenEnv }) },
          patchBranch: options.branch,
          ...(stackBase && { stackBase }),
          ...(options.build.length && { build: { commands: options.build } }),
        },
      ],
    },
    env: {
      ...(tokenEnv && token && { [tokenEnv]: token }),
      ...([upstream, fork].some(isLocal) && { PATCH_ALLOW_LOCAL_REPOS: "true" }),
    },
    progress: (line) => tell.line(line),
  });
  tell.done(`ready: ${service.api.url}, Temporal Web UI ${service.uiUrl}`);

  tell.step(`Carries ${options.branch} onto ${tag}`);
  await service.api.post("/flow-events", { type: "upstream.release", payload: { fork: FORK, tag } });
  const { id } = await service.api.attemptFor(tag, START_SECONDS);
  tell.line(workflowUrl(service, id));
  return await follow(id, service, { ...options, forkUrl: fork }, tell);
}

/** Tells every stop, until the attempt has ended. */
async function follow(
  id: string,
  service: LocalService,
  options: CarryOptions & { forkUrl: string },
  tell: Teller,
): Promise<boolean> {
  let told = "";
  for (;;) {
    const attempt = await service.api.attempt(id);
    const { status, intervention } = attempt;
    if (status === "changed" || status === "completed" || status === "skipped") {
      await showResult(attempt, service, options, tell);
      return true;
    }
    if (status !== "started" && status !== "needs_intervention") throw new Surprise(describe(attempt));
    const now = `${status} ${intervention?.token ?? ""} ${intervention?.message ?? ""}`;
    if (status === "needs_intervention" && now !== told) {
      tell.lines(ledgerLines(attempt.ledger));
      tell.line(intervention?.message ?? "");
      tell.done("stopped: a person is needed");
      tell.line();
      tell.lines(fixLines(attempt, options.forkUrl, service));
      if (options.auto) {
        console.log(
          "\nWith --auto it ends here, and so does all that was started: run it without --auto to fix this and go on.",
        );
        return false;
      }
      console.log("\nIt waits for you. Ctrl-C ends everything.");
    }
    told = now;
    await new Promise((done) => setTimeout(done, 300));
    options.scope.signal.throwIfAborted();
  }
}

async function showResult(
  attempt: MaintenanceAttempt,
  { api }: LocalService,
  { push, directory, forkUrl }: CarryOptions & { forkUrl: string },
  tell: Teller,
): Promise<void> {
  tell.lines(ledgerLines(attempt.ledger));
  tell.lines([attempt.message ?? "", ...(attempt.warnings ?? []).map((warning) => `note: ${warning}`)].filter(Boolean));
  tell.lines(refLines(attempt.candidateRefs));
  if (attempt.status === "changed") {
    const review = await api.text(`/maintenance-attempts/${encodeURIComponent(attempt.id)}/range-diff`);
    tell.line(`range-diff of old stack and new: ${rangeDiffSummary(review)}`);
  }
  tell.done(attempt.status);
  if (attempt.status !== "changed") return;
  console.log(
    push ? `\nPushed to ${forkUrl}.` : `\nNothing was pushed to your fork: the result is in ${copyIn(directory)}.`,
  );
}

/** How many patches are the same, changed, dropped, new: git's own signs (git-range-diff). */
export function rangeDiffSummary(text: string): string {
  const signs = text.split("\n").map((line) => /^\s*(?:\d+|-):\s+[0-9a-f-]+\s+([=!<>])\s/.exec(line)?.[1]);
  const count = (sign: string) => signs.filter((each) => each === sign).length;
  const parts = [`${count("=")} same`, `${count("!")} changed`, `${count("<")} not in the new`, `${count(">")} new`];
  return parts.filter((part, index) => index < 2 || !part.startsWith("0 ")).join(", ");
}

const copyIn = (directory: string) => join(directory, "git", "fork.git");

/** So that nothing can reach the real fork: a bare copy, served from here. Fetched with the caller's own git and credentials. */
async function copyOf(fork: string, directory: string, scope: Scope, tell: Teller): Promise<string> {
  tell.step("Copies your fork: nothing is pushed to it without --push");
  await mkdir(join(directory, "git"), { recursive: true });
  await runVisibly("git", ["clone", "--bare", "--quiet", "--", fork, copyIn(directory)], scope.signal);
  const server = await startGitServer({ root: join(directory, "git") });
  scope.add(() => server.close());
  tell.done(`${server.url}/fork.git`);
  return `${server.url}/fork.git`;
}

async function runVisibly(command: string, args: string[], signal: AbortSignal): Promise<void> {
  const code = await new Promise<number | null>((done, fail) => {
    const child = spawn(command, args, { stdio: "inherit", signal });
    child.once("error", fail);
    child.once("close", done);
  });
  if (code !== 0) throw new Surprise(`${command} ${args[0]} failed; see above`);
}

/** A path of this machine becomes absolute: the service runs elsewhere. */
function remoteOf(given: string): string {
  return existsSync(given) ? resolve(given) : given;
}

function isLocal(remote: string): boolean {
  return remote.startsWith("/") || remote.startsWith("file:");
}
