/** Commits and tags as bytes: what is made from the same inputs has the same id on every machine. */

import { createHash } from "node:crypto";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { deflateSync } from "node:zlib";
import type { RunRepository } from "./run-repository.ts";

export const COMMITTER = "patch.moi <noreply@patch.moi>";

export interface Commit {
  id: string;
  tree: string;
  parents: string[];
  /** The author line's value, byte for byte (latin1 stands for bytes here): name, email, seconds, zone. */
  author: string;
  committer: string;
  encoding?: string;
  /** Byte for byte, as latin1. */
  message: string;
  /** The first paragraph's first line, as UTF-8. */
  subject: string;
  /** It, or the tag that it merges. */
  signed: boolean;
}

/** Reads commits in one process. All must be here. */
export async function readCommits(run: RunRepository, ids: string[]): Promise<Commit[]> {
  if (ids.length === 0) return [];
  const { stdout } = await run.git(["cat-file", "--batch"], { input: `${ids.join("\n")}\n` });
  const commits: Commit[] = [];
  let at = 0;
  for (const id of ids) {
    const end = stdout.indexOf(10, at);
    const [, type, size] = stdout.toString("latin1", at, end).split(" ");
    if (type !== "commit") throw new Error(`${id} is not a commit that is here`);
    commits.push(parseCommit(id, stdout.toString("latin1", end + 1, end + 1 + Number(size))));
    at = end + 1 + Number(size) + 1;
  }
  return commits;
}

export async function readCommit(run: RunRepository, id: string): Promise<Commit> {
  return (await readCommits(run, [id]))[0] as Commit;
}

function parseCommit(id: string, raw: string): Commit {
  const split = raw.indexOf("\n\n");
  const [head, message] = split < 0 ? [raw, ""] : [raw.slice(0, split), raw.slice(split + 2)];
  const values = (name: string) =>
    head.split("\n").flatMap((line) => (line.startsWith(`${name} `) ? [line.slice(name.length + 1)] : []));
  const [tree = "", author = "", committer = ""] = ["tree", "author", "committer"].map((name) => values(name)[0]);
  const encoding = values("encoding")[0];
  const subject = Buffer.from(message.trimStart().split("\n")[0] ?? "", "latin1").toString("utf8");
  const signed = /^(gpgsig|gpgsig-sha256|mergetag) /m.test(head);
  return { id, tree, parents: values("parent"), author, committer, encoding, message, subject: subject.trim(), signed };
}

/** Seconds since 1970 of an author or committer line. */
export function secondsOf(line: string): string {
  return /> (\d+) [+-]\d+$/.exec(line)?.[1] ?? "0";
}

/** `like`'s author and message on another tree and other parents. Signatures are dropped: they would not hold. */
export function commitLike(like: Commit, tree: string, parents: string[], seconds: string): Buffer {
  const encoding = like.encoding ? `encoding ${like.encoding}\n` : "";
  const above = parents.map((parent) => `parent ${parent}\n`).join("");
  const head = `tree ${tree}\n${above}author ${like.author}\ncommitter ${COMMITTER} ${seconds} +0000\n`;
  return Buffer.from(`${head}${encoding}\n${like.message}`, "latin1");
}

/** An annotated tag on a commit. `message` is text. */
export function tagObject(name: string, commit: string, message: string, seconds: string): Buffer {
  const head = `object ${commit}\ntype commit\ntag ${name}\ntagger ${COMMITTER} ${seconds} +0000\n`;
  return Buffer.from(`${head}\n${message.trimEnd()}\n`, "utf8");
}

/** A commit that only stands for its tree and its parents. */
export function commitOf(tree: string, parents: string[]): Buffer {
  const line = `${COMMITTER} 0 +0000`;
  const above = parents.map((parent) => `parent ${parent}\n`).join("");
  return Buffer.from(`tree ${tree}\n${above}author ${line}\ncommitter ${line}\n\n`);
}

/**
 * Stores an object as a loose one (gitformat-loose in git's documentation) and returns its id. A process of git for each of
 * so many small ones would take most of a carry's time; synchronously, because they are so small.
 */
export function writeObject(run: RunRepository, type: "commit" | "tag" | "tree" | "blob", raw: Buffer): string {
  const whole = Buffer.concat([Buffer.from(`${type} ${raw.length}\0`), raw]);
  const id = createHash("sha1").update(whole).digest("hex");
  const directory = join(run.path, "objects", id.slice(0, 2));
  if (!existsSync(directory)) mkdirSync(directory, { recursive: true });
  const path = join(directory, id.slice(2));
  if (!existsSync(path)) writeFileSync(path, deflateSync(whole, { level: 1 }));
  return id;
}
