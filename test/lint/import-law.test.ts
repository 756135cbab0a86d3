import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

/** Files that break the law, and the words of the rule that has to find each; and files that keep it. */
const BREAKING: [path: string, source: string, found: string][] = [
  ["domain/io.ts", 'import { readFile } from "node:fs/promises";\nexport const read = readFile;', "No I/O here"],
  ["domain/up.ts", 'import { x } from "../git/index.ts";\nexport const y = x;', "domain imports nobody"],
  ["domain/type.ts", 'import type { X } from "../records/records.ts";\nexport type Y = X;', "domain imports nobody"],
  ["git/up.ts", 'import { x } from "../records/records.ts";\nexport const y = x;', "git imports domain only"],
  ["records/up.ts", 'import { x } from "../git/index.ts";\nexport const y = x;', "records import domain only"],
  ["activities/up.ts", 'import { x } from "../api/app.ts";\nexport const y = x;', "activities import"],
  ["activities/flow.ts", 'import { x } from "../workflows/index.ts";\nexport const y = x;', "activities import"],
  [
    "workflows/value.ts",
    'import { x } from "../activities/index.ts";\nexport const y = x;',
    "only the types of activities",
  ],
  ["workflows/git.ts", 'import type { X } from "../git/index.ts";\nexport type Y = X;', "workflows import domain"],
  ["workflows/node.ts", 'import { join } from "node:path";\nexport const y = join;', "sandbox without Node"],
  ["api/git.ts", 'import { x } from "../git/index.ts";\nexport const y = x;', "api imports"],
  ["api/flow.ts", 'import { x } from "../workflows/index.ts";\nexport const y = x;', "api imports"],
  ["api/deep/flow.ts", 'import { x } from "../../activities/build/y.ts";\nexport const y = x;', "api imports"],
  ["service/up.ts", 'import { x } from "../api/app.ts";\nexport const y = x;', "service imports"],
  ["activities/door.ts", 'import { simpleGit } from "simple-git";\nexport const y = simpleGit;', "one door: git/"],
  ["worker/door.ts", 'import express from "express";\nexport const y = express;', "served by api/ only"],
  ["api/feed.ts", 'import Parser from "rss-parser";\nexport const y = Parser;', "one door: activities/"],
  ["activities/environment.ts", "export const y = process.env.HOME;", "no-process-env"],
  ["worker/floating.ts", "export function f(p: Promise<void>): void {\n  p;\n}", "no-floating-promises"],
];

const KEEPING: [path: string, source: string][] = [
  ["workflows/type.ts", 'import type { X } from "../activities/index.ts";\nexport type Y = X;'],
  ["workflows/domain.ts", 'import { x } from "../domain/x.ts";\nexport const y = x;'],
  ["api/messages.ts", 'import { x } from "../workflows/messages.ts";\nexport const y = x;'],
  ["activities/messages.ts", 'import { x } from "../workflows/messages.ts";\nexport const y = x;'],
  ["activities/git.ts", 'import { x } from "../git/index.ts";\nexport const y = x;'],
  ["git/door.ts", 'import { simpleGit } from "simple-git";\nexport const y = simpleGit;'],
  ["worker/main.ts", "export const y = process.env.HOME;"],
  ["main.ts", 'import { x } from "./api/server.ts";\nexport const y = [x, process.env.HOME];'],
];

interface Finding {
  message: string;
  code: string;
  filename: string;
}

const root = fileURLToPath(new URL("../..", import.meta.url));
let directory: string;
let findings: Finding[];

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "patchmoi-lint-"));
  for (const [path, source] of [...BREAKING, ...KEEPING]) {
    mkdirSync(dirname(join(directory, path)), { recursive: true });
    writeFileSync(join(directory, path), `${source}\n`);
  }
  for (const name of ["tsconfig.json", ".oxlintrc.json", "node_modules"])
    symlinkSync(join(root, name), join(directory, name));
  findings = lint();
});

afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** It ends with 1 when it finds something, which it must. */
function lint(): Finding[] {
  const oxlint = join(root, "node_modules/oxlint/bin/oxlint");
  try {
    execFileSync(process.execPath, [oxlint, "--type-aware", "--format", "json"], { cwd: directory, encoding: "utf8" });
  } catch (error) {
    return (JSON.parse((error as { stdout: string }).stdout) as { diagnostics: Finding[] }).diagnostics;
  }
  throw new Error("oxlint found nothing");
}

const about = (path: string) =>
  findings
    .filter((each) => each.filename === path)
    .map((each) => `${each.code} ${each.message} ${JSON.stringify(each)}`);

describe("the import law", () => {
  it.each(BREAKING)("finds %s", (path, _source, found) => {
    expect(about(path).join("\n")).toContain(found);
  });

  it.each(KEEPING)("lets %s be", (path) => {
    expect(about(path)).toEqual([]);
  });
});
