import { mkdir } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { delimiter, isAbsolute, join } from "node:path";
import { ATTACHMENTS } from "../domain/attempt.ts";
import type { Build } from "../domain/config.ts";
import type { Git } from "../git/index.ts";
import type { Records } from "../records/records.ts";
import { findArtifacts } from "./build/artifacts.ts";
import { BuildLog } from "./build/log.ts";
import { withRoom } from "./build/rooms.ts";
import { runCommand } from "./build/run-command.ts";
import { none, type Sandbox } from "./build/sandbox.ts";
import { type ForkLookup, forkOf, recipeOf } from "./forks.ts";
import { tellProgress } from "./record.ts";
import { running } from "./running.ts";
import type { Blocked, Built, Work } from "./steps.ts";
import { buildStop, suspectsAmong } from "./stops.ts";

export interface BuildDeps extends ForkLookup {
  git: Git;
  records: Records;
  sandbox: Sandbox;
  /** Where trees are exported to; a directory a build, deleted after it. */
  directory: string;
  /** Directories that no build may see. */
  hidden: string[];
  /** PATH, as builds see it. */
  programPath: string;
}

/** Runs a fork's build commands on the carried tree, exported without `.git`, away from credentials. */
export function buildActivities(deps: BuildDeps) {
  return {
    async build(input: Work & { tip: string }): Promise<Built> {
      const { build } = forkOf(deps, input.fork);
      if (!build) return { kind: "passed", warnings: [] };
      const refused = refusal(build, deps.sandbox);
      if (refused) return refused;
      return await running(
        (signal, progress) =>
          withRoom(deps.directory, (room) => buildIn(room, deps, build, input, { signal, progress })),
        (detail) => tellProgress(deps.records, input.attemptId, detail),
      );
    },
  };
}

interface Run {
  signal: AbortSignal;
  progress: (detail: string) => void;
}

async function buildIn(
  room: string,
  deps: BuildDeps,
  build: Build,
  input: Work & { tip: string },
  run: Run,
): Promise<Built> {
  const [tree, home] = [join(room, "tree"), join(room, "home")];
  await mkdir(home);
  run.progress("exporting the tree");
  await deps.git.exportTree(recipeOf(deps, input), input.tip, tree, run.signal);
  const allowed = allowedVariables(deps, build);
  const log = new BuildLog(Object.values(allowed));
  const sandbox = build.sandbox === "none" ? none : deps.sandbox;
  const base = buildEnvironment(home, deps.programPath, sandbox);
  const env = { ...base, ...allowed, PATCHMOI_RELEASE: input.release.name };
  const warnings = sandbox.name === "none" ? [NO_SANDBOX] : [];
  const failed = await runAll(build, { tree, home, env, log, sandbox, hidden: deps.hidden, run });
  if (!failed) {
    const found = await findArtifacts(tree, build.artifacts);
    warnings.push(...found.warnings);
    for (const name of found.files) {
      await deps.records.attachments.putFile(
        input.attemptId,
        `${ATTACHMENTS.artifactPrefix}${encodeURIComponent(name)}`,
        join(tree, name),
      );
    }
  }
  await deps.records.attachments.put(input.attemptId, ATTACHMENTS.buildLog, log.text());
  if (!failed) return { kind: "passed", warnings };
  const attempt = await deps.records.attempts.get(input.attemptId);
  const suspects = suspectsAmong(input, attempt?.ledger);
  return { kind: "failed", warnings, ...buildStop(input, input.tip, failed, suspects) };
}

interface Ground {
  tree: string;
  home: string;
  env: Record<string, string>;
  log: BuildLog;
  sandbox: Sandbox;
  hidden: string[];
  run: Run;
}

/** Runs the commands in turn; answers what to tell the person when one fails. The time limit is for all of them together. */
async function runAll(
  build: Build,
  { tree, home, env, log, sandbox, hidden, run }: Ground,
): Promise<string | undefined> {
  const deadline = Date.now() + build.timeoutSeconds * 1000;
  const programs = (env.PATH ?? "").split(delimiter).filter(isAbsolute);
  for (const [index, command] of build.commands.entries()) {
    run.progress(`build ${index + 1} of ${build.commands.length}: ${command}`);
    log.write(`$ ${command}\n`);
    const argv = sandbox.wrap(command, { tree, home, network: build.network, hidden, programs });
    const timeoutMs = Math.max(deadline - Date.now(), 1);
    const { status } = await runCommand(argv, {
      cwd: tree,
      env,
      timeoutMs,
      signal: run.signal,
      onOutput: (chunk) => log.write(chunk),
    });
    run.signal.throwIfAborted();
    if (status === 0) continue;
    const ended = status === "timeout" ? `ran out of its ${build.timeoutSeconds} seconds` : `ended with ${status}`;
    log.write(`[${ended}]\n`);
    return `the build failed: \`${command}\` ${ended}.\n${log.tail()}`;
  }
  return undefined;
}

const NO_SANDBOX = "the build ran without a sandbox: it could read what the service can read";

function refusal(build: Build, sandbox: Sandbox): Blocked | undefined {
  if (build.sandbox !== "required" || sandbox.name !== "none") return undefined;
  const reason =
    "build.sandbox is `required` and this machine has none: install bubblewrap, or allow user namespaces, and retry";
  return { kind: "blocked", reason };
}

function allowedVariables(deps: BuildDeps, build: Build): Record<string, string> {
  return Object.fromEntries(
    build.env.flatMap((name) => [[name, deps.secret(name)]]).filter(([, value]) => value !== undefined),
  );
}

function buildEnvironment(home: string, programPath: string, sandbox: Sandbox): Record<string, string> {
  return {
    PATH: programPath,
    HOME: home,
    // A sandbox has a /tmp of its own.
    TMPDIR: sandbox.name === "none" ? home : "/tmp",
    LANG: "C.UTF-8",
    CI: "true",
  };
}

/** The service's data and the operator's home. */
export function hiddenDirectories(dataDirectory: string): string[] {
  return [...new Set([dataDirectory, homedir()])].filter((directory) => directory !== "/" && directory !== tmpdir());
}
