/** A place for hostile input: canaries that must not be touched, and a server that nobody may talk to. */

import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { expect, onTestFinished } from "vitest";
import { makeUpstreamAndFork, runGit, type UpstreamAndFork } from "../support/repositories.ts";

export interface Ground extends UpstreamAndFork {
  /** A shell command that touches the canary, for wherever a command may sneak in. */
  bite: string;
  /** Where a web server waits that nobody may talk to. */
  lure: string;
  /** A directory with one file in it, neither of which may change. */
  outside: string;
  /** Fails the test when anything of the above was touched. */
  isUnharmed(): void;
}

export async function ground(files: Record<string, string>): Promise<Ground> {
  const pair = makeUpstreamAndFork(files);
  onTestFinished(() => pair.remove());
  const [canary, outside] = [join(pair.directory, "canary"), join(pair.directory, "outside")];
  mkdirSync(outside);
  writeFileSync(join(outside, "file"), "untouched\n");
  const visits: string[] = [];
  const server = createServer((request, response) => {
    visits.push(`${request.method} ${request.url} ${request.headers.authorization ?? ""}`);
    response.writeHead(404).end();
  }).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  onTestFinished(() => void server.close());
  return {
    ...pair,
    bite: `touch ${canary}`,
    lure: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    outside,
    isUnharmed() {
      expect(existsSync(canary), "the canary was touched").toBe(false);
      expect(visits, "somebody talked to the lure").toEqual([]);
      expect(readdirSync(outside), "something was written outside").toEqual(["file"]);
      expect(readFileSync(join(outside, "file"), "utf8")).toBe("untouched\n");
    },
  };
}

/** One entry of a tree as bytes: git itself would refuse to write many of those that are needed here. */
export type Entry = [mode: "100644" | "100755" | "120000" | "160000" | "40000", name: string, id: string];

/** Stores an object whatever is in it, and returns its id. `content` is one character a byte. */
export function store(repository: string, type: "blob" | "tree" | "commit" | "tag", content: string): string {
  return execFileSync("git", ["hash-object", "-t", type, "-w", "--literally", "--stdin"], {
    cwd: repository,
    input: Buffer.from(content, "latin1"),
    encoding: "utf8",
    env: { PATH: process.env.PATH, HOME: repository, GIT_CONFIG_NOSYSTEM: "1" },
  }).trim();
}

export function storeTree(repository: string, entries: Entry[]): string {
  const raw = entries.map(([mode, name, id]) => `${mode} ${name}\0${Buffer.from(id, "hex").toString("latin1")}`);
  return store(repository, "tree", raw.join(""));
}

/** The entries of a commit's root tree. */
export function rootOf(repository: string, commit: string): Entry[] {
  const lines = runGit(repository, ["ls-tree", "-z", commit]).split("\0").filter(Boolean);
  return lines.map((line) => {
    const [head = "", name = ""] = line.split("\t");
    const [mode = "", , id = ""] = head.split(" ");
    return [mode.replace(/^0/, "") as Entry[0], name, id];
  });
}

/** A commit of that tree on top of `parents`. */
export function storeCommit(
  repository: string,
  tree: string,
  parents: string[],
  more: { author?: string; message?: string } = {},
): string {
  const { author = "Eve <eve@example.org>", message = "Harmless\n" } = more;
  const above = parents.map((parent) => `parent ${parent}\n`).join("");
  const seconds = 1_700_100_000 + (createHash("sha1").update(tree).digest()[0] as number);
  return store(
    repository,
    "commit",
    `tree ${tree}\n${above}author ${author} ${seconds} +0000\ncommitter Eve <eve@example.org> ${seconds} +0000\n\n${message}`,
  );
}
