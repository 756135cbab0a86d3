/** Writes generated history into a bare repository (git-fast-import(1)). */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { Change } from "./branch.ts";

export interface GeneratedCommit {
  /** Full ref that the commit is put on. */
  ref: string;
  mark: number;
  author: string;
  /** Seconds since 1970, of author and committer. */
  date: number;
  message: string;
  /** Mark or commit id; none for a first commit. */
  parents: (number | string)[];
  changes: Iterable<Change>;
}

export type Entry = GeneratedCommit | { tag: string; mark: number; date: number };

const ENVIRONMENT = { GIT_CONFIG_NOSYSTEM: "1", GIT_CONFIG_GLOBAL: "/dev/null", LC_ALL: "C" };

export async function fastImport(repository: string, entries: Iterable<Entry>): Promise<void> {
  const child = spawn("git", ["fast-import", "--quiet", "--done"], {
    cwd: repository,
    env: { ...ENVIRONMENT, PATH: process.env.PATH },
    stdio: ["pipe", "inherit", "inherit"],
  });
  // Writing fails when git has died; how it died says more.
  const [[code, signal], failure] = await Promise.all([
    once(child, "close") as Promise<[number | null, NodeJS.Signals | null]>,
    pipeline(Readable.from(stream(entries)), child.stdin).then(
      () => undefined,
      (error: Error) => error,
    ),
  ]);
  if (code !== 0) throw new Error(`git fast-import ended with ${code ?? signal}`);
  if (failure) throw failure;
}

function* stream(entries: Iterable<Entry>): Generator<string> {
  for (const entry of entries) {
    if ("tag" in entry) yield tag(entry);
    else {
      yield head(entry);
      for (const { path, content } of entry.changes) {
        yield content === undefined ? `D ${path}\n` : `M 100644 inline ${path}\n${data(content)}`;
      }
    }
  }
  yield "done\n";
}

function head({ ref, mark, author, date, message, parents: [first, ...others] }: GeneratedCommit): string {
  const person = `${author} ${date} +0200`;
  const lines = [`commit ${ref}`, `mark :${mark}`, `author ${person}`, `committer ${person}`];
  const from = first === undefined ? "" : `from ${named(first)}\n`;
  const merges = others.map((other) => `merge ${named(other)}\n`).join("");
  return `${lines.join("\n")}\n${data(message)}${from}${merges}`;
}

function tag({ tag: name, mark, date }: { tag: string; mark: number; date: number }): string {
  return `tag ${name}\nfrom :${mark}\ntagger Rita Releaser <rita@example.org> ${date} +0200\n${data(`${name}\n`)}`;
}

function named(commit: number | string): string {
  return typeof commit === "number" ? `:${commit}` : commit;
}

function data(text: string): string {
  return `data ${Buffer.byteLength(text)}\n${text}\n`;
}
