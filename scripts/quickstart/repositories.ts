import { chmod, mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { git } from "./git.ts";
import {
  BULLET_PATCH,
  COUNT_COMMAND,
  type Files,
  NUMBERED_LIST,
  QUOTE_PATCH,
  TAKEN_QUOTES,
  V1_0_0,
  XDG_PATCH,
} from "./notch.ts";

/** The quickstart's world: an upstream, and a fork of it with three patches. Paths below `root` are what a git server serves. */
export interface Repositories {
  /** Directory of the bare repositories. */
  root: string;
  /** Paths below `root`: `notch/notch.git` and `acme/notch.git`. */
  upstream: string;
  fork: string;
  patchBranch: string;
  /** Subjects of the stack, oldest first. */
  patches: string[];
  /** Clean for the patches; contains the second of them. Returns the tagged commit. */
  publishClean(): Promise<UpstreamRelease>;
  /** Conflicts with the third patch. Only after `publishClean`. */
  publishConflicting(): Promise<UpstreamRelease>;
}

export interface UpstreamRelease {
  tag: string;
  /** The release's name, not its tag, as many projects on GitHub do it. */
  title: string;
  notes: string;
  sha: string;
  date: Date;
}

const GRACE = { name: "Grace Notch", email: "grace@notch.example" };
const LIN = { name: "Lin Acme", email: "lin@acme.example" };
const PATCH_BRANCH = "acme";
const PATCHES: [subject: string, files: Files][] = [
  ["Keep notes where XDG says", XDG_PATCH],
  ["Quote the file name when adding a note", QUOTE_PATCH],
  ["Show notes as a bulleted list", BULLET_PATCH],
];

/** Makes them in `dir`, which must exist. Dates and names are fixed, so every run has the same commits. */
export async function makeRepositories(dir: string): Promise<Repositories> {
  const root = join(dir, "git");
  const [upstream, fork] = ["notch/notch.git", "acme/notch.git"];
  for (const path of [upstream, fork]) {
    await mkdir(join(root, path), { recursive: true });
    await git(join(root, path), ["init", "--quiet", "--bare", "--initial-branch=main"]);
  }
  const work = join(dir, "work");
  await mkdir(work);
  await git(work, ["init", "--quiet", "--initial-branch=main"]);
  await git(work, ["remote", "add", "upstream", join(root, upstream)]);
  await git(work, ["remote", "add", "fork", join(root, fork)]);

  await commit(work, "First release", V1_0_0, GRACE, "2026-01-12T09:00:00Z");
  await tag(work, "v1.0.0", "2026-01-12T09:30:00Z");
  await git(work, ["push", "--quiet", "fork", "main", "v1.0.0"]);

  await git(work, ["switch", "--quiet", "--create", PATCH_BRANCH]);
  for (const [index, [subject, files]] of PATCHES.entries()) {
    await commit(work, subject, files, LIN, `2026-02-0${index + 2}T10:00:00Z`);
  }
  await git(work, ["push", "--quiet", "fork", PATCH_BRANCH]);
  await git(work, ["switch", "--quiet", "main"]);

  return {
    root,
    upstream,
    fork,
    patchBranch: PATCH_BRANCH,
    patches: PATCHES.map(([subject]) => subject),
    publishClean: async () => {
      await commit(work, "store: quote paths (thanks, Lin)", TAKEN_QUOTES, LIN, "2026-03-02T08:00:00Z", GRACE);
      await commit(work, "Count notes", COUNT_COMMAND, GRACE, "2026-03-04T08:00:00Z");
      return release(
        work,
        "v1.1.0",
        "Notch 1.1: counting",
        "<p>notch count. Paths with spaces work.</p>",
        "2026-03-05",
      );
    },
    publishConflicting: async () => {
      await commit(work, "Number the notes", NUMBERED_LIST, GRACE, "2026-04-06T08:00:00Z");
      return release(work, "v1.2.0", "Notch 1.2: numbers", "<p>Notes are numbered.</p>", "2026-04-07");
    },
  };
}

async function release(
  work: string,
  name: string,
  title: string,
  notes: string,
  day: string,
): Promise<UpstreamRelease> {
  const date = `${day}T09:00:00Z`;
  const sha = await tag(work, name, date);
  return { tag: name, title, notes, sha, date: new Date(date) };
}

/** Tags what is checked out, publishes it to upstream and returns its commit. */
async function tag(work: string, name: string, date: string): Promise<string> {
  await git(work, ["tag", "--annotate", "--message", `notch ${name}`, name], identity(GRACE, date));
  await git(work, ["push", "--quiet", "--atomic", "upstream", "main", name]);
  return git(work, ["rev-parse", "HEAD"]);
}

async function commit(
  work: string,
  subject: string,
  files: Files,
  author: typeof GRACE,
  date: string,
  committer = author,
): Promise<void> {
  for (const [path, content] of Object.entries(files)) {
    const file = join(work, path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, content);
    if (content.startsWith("#!")) await chmod(file, 0o755);
  }
  await git(work, ["add", "--all"]);
  await git(work, ["commit", "--quiet", "--message", subject], identity(author, date, committer));
}

function identity(author: typeof GRACE, date: string, committer = author): NodeJS.ProcessEnv {
  return {
    GIT_AUTHOR_NAME: author.name,
    GIT_AUTHOR_EMAIL: author.email,
    GIT_AUTHOR_DATE: date,
    GIT_COMMITTER_NAME: committer.name,
    GIT_COMMITTER_EMAIL: committer.email,
    GIT_COMMITTER_DATE: date,
  };
}
