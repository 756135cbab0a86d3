import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Fork } from "../../domain/config.ts";
import { type Git, INHERITED_VARIABLES, openGit, type Remote } from "../../git/index.ts";
import type { Environment, Patient } from "./examine.ts";
import { bounded, type Finding, fail, ok, warn } from "./finding.ts";

/** Git itself, then every remote of every fork: a few at a time, each for a bounded time. */
export async function checkForks({ settings, config, environment }: Patient, milliseconds: number): Promise<Finding[]> {
  const directory = await mkdtemp(join(tmpdir(), "patchmoi-doctor-"));
  const inherited = INHERITED_VARIABLES.flatMap((name) => (environment[name] ? [[name, environment[name]]] : []));
  const { allowPrivateNetwork, allowLocalRepos } = settings;
  const git = openGit({
    directory,
    allowPrivateNetwork,
    allowLocalRepos,
    environment: Object.fromEntries(inherited),
  });
  try {
    const version = await bounded("git", milliseconds, async () => [ok(`git ${await git.version()}`)]);
    if (version[0]?.level !== "ok") return version;
    const findings = [...version];
    for (const fork of config.forks) {
      const [upstream, own] = await Promise.all([
        bounded(`${fork.id}: upstream`, milliseconds, (signal) => checkUpstream(git, fork, signal)),
        bounded(`${fork.id}: fork`, milliseconds, (signal) => checkFork(git, fork, environment, signal)),
      ]);
      findings.push(...upstream, ...own, ...checkVariables(fork, environment));
    }
    return findings;
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function checkUpstream(git: Git, fork: Fork, signal: AbortSignal): Promise<Finding[]> {
  const tags = await git.listRefs({ url: fork.upstream.url }, ["refs/tags/*"], signal);
  if (tags.size) return [ok(`${fork.id}: upstream can be read, ${tags.size} tag(s)`)];
  return [warn(`${fork.id}: upstream can be read, and has no tags`, "releases are tags: check forks[].upstream.url")];
}

async function checkFork(git: Git, fork: Fork, environment: Environment, signal: AbortSignal): Promise<Finding[]> {
  const { url, tokenEnv } = fork.fork;
  const token = tokenEnv ? environment[tokenEnv] : undefined;
  if (tokenEnv && !token) {
    return [
      fail(`${fork.id}: ${tokenEnv}, which its tokenEnv names, is not set`, `set ${tokenEnv} to a token that may push`),
    ];
  }
  const remote: Remote = token ? { url, token } : { url };
  const branch = `refs/heads/${fork.patchBranch}`;
  const refs = await git.listRefs(remote, [branch], signal);
  if (refs.has(branch)) return [ok(`${fork.id}: fork can be read, patch branch ${fork.patchBranch} is there`)];
  return [fail(`${fork.id}: the fork has no branch ${fork.patchBranch}`, "push it, or correct its patchBranch")];
}

function checkVariables(fork: Fork, environment: Environment): Finding[] {
  const secret = fork.fork.webhookSecretEnv;
  const named = [...(secret ? [secret] : []), ...(fork.build?.env ?? [])];
  return named
    .filter((name) => !environment[name])
    .map((name) =>
      warn(`${fork.id}: ${name}, which its ${name === secret ? "webhookSecretEnv" : "build.env"} names, is not set`),
    );
}
