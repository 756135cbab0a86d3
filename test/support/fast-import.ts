/** Makes whole histories in one git process, of any bytes that git can hold (git-fast-import(1)). */

import { execFileSync } from "node:child_process";

/** Text or bytes of an ordinary file, an executable, a symbolic link, or the commit that a submodule points to. */
export type Content = string | Buffer | { mode: "100755" | "120000"; data: string | Buffer } | { submodule: string };

export interface ImportedCommit {
  /** What other commits call it in `on`. */
  name: string;
  /** Its parents: names, or ids of commits that are in the repository. None makes a root. */
  on: string[];
  /** Text, which gets a line end, or the very bytes. */
  message?: string | Buffer;
  /** What stands before the date; one character a byte. */
  author?: string;
  /** Behind the author's date, such as `+0200`. */
  zone?: string;
  encoding?: string;
  /** Against the first parent, by path, one character a byte. `null` deletes a file or a directory. */
  files?: Record<string, Content | null>;
  /** Seconds since 1970. */
  date: number;
}

export interface Import {
  commits: ImportedCommit[];
  /** Full ref to the name of a commit. */
  refs: Record<string, string>;
}

const AUTHOR = "Ann Author <ann@example.org>";
const SCRATCH = "refs/scratch/import";

/** Names of commits to their ids. The same commits have the same ids in every repository. */
export function fastImport(repository: string, { commits, refs }: Import): Record<string, string> {
  const marks = new Map(commits.map(({ name }, index) => [name, `:${index + 1}`]));
  const mark = (name: string) => marks.get(name) ?? name;
  const parts: (string | Buffer)[] = [];
  for (const commit of commits) parts.push(...commitCommands(commit, mark));
  for (const [ref, name] of Object.entries(refs)) parts.push(`reset ${ref}\nfrom ${mark(name)}\n\n`);
  for (const at of marks.values()) parts.push(`get-mark ${at}\n`);
  parts.push("done\n");
  const input = Buffer.concat(parts.map((part) => (typeof part === "string" ? Buffer.from(part, "latin1") : part)));
  const output = execFileSync("git", ["fast-import", "--quiet", "--force", "--done"], {
    cwd: repository,
    input,
    encoding: "utf8",
    env: { PATH: process.env.PATH, HOME: repository, LC_ALL: "C", GIT_CONFIG_NOSYSTEM: "1" },
  });
  const ids = output.split("\n");
  return Object.fromEntries(commits.map(({ name }, index) => [name, ids[index] as string]));
}

function commitCommands(commit: ImportedCommit, mark: (name: string) => string): (string | Buffer)[] {
  const { on, message = commit.name, author = AUTHOR, zone = "+0200", encoding, date } = commit;
  const [first, ...others] = on;
  return [
    `reset ${SCRATCH}\n\ncommit ${SCRATCH}\nmark ${mark(commit.name)}\n`,
    `author ${author} ${date} ${zone}\ncommitter ${AUTHOR} ${date} +0200\n`,
    ...(encoding ? [`encoding ${encoding}\n`] : []),
    ...data(typeof message === "string" ? `${message}\n` : message),
    ...(first ? [`from ${mark(first)}\n`] : []),
    ...others.map((other) => `merge ${mark(other)}\n`),
    ...Object.entries(commit.files ?? {}).flatMap(([path, content]) => fileCommands(path, content)),
    "\n",
  ];
}

function fileCommands(path: string, content: Content | null): (string | Buffer)[] {
  const name = quoted(path);
  if (content === null) return [`D ${name}\n`];
  if (typeof content === "string" || Buffer.isBuffer(content)) return [`M 100644 inline ${name}\n`, ...data(content)];
  if ("submodule" in content) return [`M 160000 ${content.submodule} ${name}\n`];
  return [`M ${content.mode} inline ${name}\n`, ...data(content.data)];
}

function data(content: string | Buffer): (string | Buffer)[] {
  const bytes = Buffer.from(content as string, "utf8");
  return [`data ${bytes.length}\n`, bytes, "\n"];
}

/** As C writes strings: every byte that could mean something else as octal digits. */
function quoted(path: string): string {
  const escaped = path.replace(/[^\w./ -]/g, (byte) => `\\${byte.charCodeAt(0).toString(8).padStart(3, "0")}`);
  return `"${escaped}"`;
}
