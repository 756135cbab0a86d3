import { execFile } from "node:child_process";
import { mkdir, mkdtemp, realpath, rm, writeFile } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { bubblewrap } from "./bubblewrap.ts";
import { namespaces } from "./namespaces.ts";

/** What keeps a build, which runs upstream's code, from the rest of the machine. */
export interface Sandbox {
  name: "bubblewrap" | "namespaces" | "none";
  /** The argv that runs `sh -c command` in `room.tree`. */
  wrap(command: string, room: Room): string[];
}

export interface Room {
  /** The exported tree: the only place, besides a fresh /tmp and home, that the build may write to. */
  tree: string;
  /** A directory of the build's own. */
  home: string;
  network: boolean;
  /** Directories that the build must not see: the service's data, the operator's home. */
  hidden: string[];
  /** Directories of programs, as in PATH, which stay readable also where a hidden directory holds them. */
  programs: string[];
}

export const none: Sandbox = { name: "none", wrap: (command) => ["sh", "-c", command] };

/** The strongest sandbox that this machine really lets us use; tried, not guessed. */
export async function findSandbox(): Promise<Sandbox> {
  for (const sandbox of [bubblewrap, namespaces]) if (await holds(sandbox)) return sandbox;
  return none;
}

const TRIAL_MS = 8_000;
/** In `tree`, beside `home`, `tools/bin` and `secret`. */
const TRIAL = `set -e
touch made ../home/made /tmp/made
test -e ../tools/bin/tool
test ! -e ../secret
for directory in / ../tools/bin; do test ! -w "$directory"; done
if umount ../home 2>/dev/null; then exit 1; fi`;

/** Runs a command as a build would be run, which looks whether it can do what a build must, and cannot do what it must not. */
async function holds(sandbox: Sandbox): Promise<boolean> {
  const directory = await realpath(await mkdtemp(join(tmpdir(), "patchmoi-sandbox-")));
  try {
    const [tree, home, tools] = [join(directory, "tree"), join(directory, "home"), join(directory, "tools", "bin")];
    for (const each of [tree, home, tools]) await mkdir(each, { recursive: true });
    for (const each of [join(tools, "tool"), join(directory, "secret")]) await writeFile(each, "");
    const hidden = [homedir(), directory].filter((each) => each !== "/");
    const argv = sandbox.wrap(TRIAL, { tree, home, network: false, hidden, programs: [tools] });
    const [program, ...args] = argv as [string, ...string[]];
    await promisify(execFile)(program, args, { timeout: TRIAL_MS, killSignal: "SIGKILL" });
    return true;
  } catch {
    return false;
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
