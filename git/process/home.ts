/** The home directory that git sees: a configuration of our own, and nothing of the machine's or of a person's. */

import { randomUUID } from "node:crypto";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type GitOptions, INHERITED_VARIABLES } from "../options.ts";

/** Old upstreams hold these since before git refused them; none harms a reader (git-fsck(1), "fsck messages"). */
const HARMLESS_IN_OLD_HISTORY = [
  "badDate",
  "badDateOverflow",
  "badEmail",
  "badFilemode",
  "badName",
  "badTagName",
  "badTimezone",
  "emptyName",
  "gitmodulesParse",
  "missingAuthor",
  "missingEmail",
  "missingNameBeforeEmail",
  "missingSpaceBeforeDate",
  "missingSpaceBeforeEmail",
  "missingTaggerEntry",
  "nullSha1",
  "zeroPaddedDate",
  "zeroPaddedFilemode",
];

const CONFIG = `# Written by patch.moi: read by the git processes that it starts.
[core]
	hooksPath = /dev/null
	fsmonitor =
	attributesFile = /dev/null
	excludesFile = /dev/null
[user]
	name = patch.moi
	email = noreply@patch.moi
[init]
	defaultBranch = main
	templateDir =
[gc]
	auto = 0
[maintenance]
	auto = false
[repack]
	writeBitmaps = false
[fetch]
	fsckObjects = true
	unpackLimit = 1
	recurseSubmodules = no
	writeCommitGraph = false
[fetch "fsck"]
${HARMLESS_IN_OLD_HISTORY.map((id) => `\t${id} = ignore`).join("\n")}
[http]
	followRedirects = false
	lowSpeedLimit = 100
	lowSpeedTime = 60
[credential]
	helper =
[push]
	recurseSubmodules = no
	gpgSign = false
[submodule]
	recurse = false
[advice]
	detachedHead = false
[diff]
	renameLimit = 1000
[merge]
	renameLimit = 7000
[core]
	commentChar = "#"
`;

/**
 * Answers git's questions for user name and password. It answers for one server only, so that a token cannot be asked
 * for by another one.
 */
const ASKPASS = `#!/bin/sh
case "$1" in
  *"'$PATCHMOI_ASK_USER'"*|*"'$PATCHMOI_ASK_PASSWORD'"*) ;;
  *) exit 1 ;;
esac
[ -n "$PATCHMOI_GIT_TOKEN" ] || exit 1
case "$1" in
  Username*) printf '%s\\n' x-access-token ;;
  Password*) printf '%s\\n' "$PATCHMOI_GIT_TOKEN" ;;
  *) exit 1 ;;
esac
`;

const SSH = "ssh -o BatchMode=yes -o ConnectTimeout=20 -o ServerAliveInterval=15 -o ServerAliveCountMax=4";

export interface Home {
  path: string;
  askpass: string;
  config: string;
}

/** Writes what is missing or differs; cheap enough to be asked for before every piece of work. */
export async function ensureHome(directory: string): Promise<Home> {
  const path = join(directory, "home");
  await mkdir(path, { recursive: true });
  const home = { path, askpass: join(path, "askpass"), config: join(path, "gitconfig") };
  await Promise.all([ensureFile(home.config, CONFIG, 0o600), ensureFile(home.askpass, ASKPASS, 0o700)]);
  return home;
}

async function ensureFile(path: string, content: string, mode: number): Promise<void> {
  const present = await readFile(path, "utf8").catch(() => undefined);
  if (present === content) return;
  // Another process may read it now: it sees the old file or the new one, never half of one.
  const fresh = `${path}.${randomUUID()}`;
  await writeFile(fresh, content, { mode });
  await rename(fresh, path);
}

/** The environment that every git process gets, built from nothing. No remote may be talked to with it alone. */
export function baseEnvironment(options: GitOptions, home: Home): Record<string, string> {
  const inherited = INHERITED_VARIABLES.filter((name) => options.environment[name] !== undefined);
  return {
    ...Object.fromEntries(inherited.map((name) => [name, options.environment[name] as string])),
    HOME: home.path,
    XDG_CONFIG_HOME: home.path,
    LC_ALL: "C",
    TZ: "UTC",
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_CONFIG_GLOBAL: home.config,
    GIT_ATTR_NOSYSTEM: "1",
    GIT_TERMINAL_PROMPT: "0",
    GIT_ASKPASS: home.askpass,
    SSH_ASKPASS: home.askpass,
    GIT_SSH_COMMAND: SSH,
    GIT_ALLOW_PROTOCOL: "none",
    GIT_LITERAL_PATHSPECS: "1",
    GIT_NO_REPLACE_OBJECTS: "1",
    GIT_OPTIONAL_LOCKS: "0",
    GIT_DEFAULT_REF_FORMAT: "files",
    GIT_DEFAULT_HASH: "sha1",
    // A repository that is not where it should be is an error, never the next one up the tree.
    GIT_CEILING_DIRECTORIES: options.directory,
  };
}
