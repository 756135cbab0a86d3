/** Commits and tags as bytes: what is made from the same inputs has the same id on every machine. */

import { writeFile } from "node:fs/promises";
import { join } from "node:path";
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
  return { id, tree, parents: values("parent"), author, committer, encoding, message, subject: subject.trim() };
}

/** Seconds since 1970 of an author or committer line. */
export function secondsOf(line: string): string {
  return /> (\d+) [+-]\d+$/.exec(line)?.[1] ?? "0";
}

/** `like`'s author and message on another tree and parent. Signatures are dropped: they would not hold. */
export function commitLike(like: Commit, tree: string, parent: string, seconds: string): Buffer {
  const encoding = like.encoding ? `encoding ${like.encoding}\n` : "";
  const head = `tree ${tree}\nparent ${parent}\nauthor ${like.author}\ncommitter ${COMMITTER} ${seconds} +0000\n`;
  return Buffer.from(`${head}${encoding}\n${like.message}`, "latin1");
}

/** An annotated tag on a commit. `message` is text. */
export function tagObject(name: string, commit: string, message: string, seconds: string): Buffer {
  const head = `object ${commit}\ntype commit\ntag ${name}\ntagger ${COMMITTER} ${seconds} +0000\n`;
  return Buffer.from(`${head}\n${message.trimEnd()}\n`, "utf8");
}

/** Stores an object and returns its id. */
export async function writeObject(run: RunRepository, type: "commit" | "tag", raw: Buffer): Promise<string> {
  return run.text(["hash-object", "-t", type, "-w", "--stdin"], { input: raw });
}

/** Stores commits in one process and returns their ids. */
export async function writeCommits(run: RunRepository, raws: Buffer[]): Promise<string[]> {
  const names = raws.map((_, index) => `object-${index}`);
  await Promise.all(raws.map((raw, index) => writeFile(join(run.path, names[index] as string), raw)));
  const flags = ["-t", "commit", "-w", "--no-filters", "--stdin-paths"];
  return (await run.text(["hash-object", ...flags], { input: `${names.join("\n")}\n` })).split("\n");
}
