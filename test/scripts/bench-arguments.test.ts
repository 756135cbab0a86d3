import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { readArguments } from "../../bench/arguments.ts";
import { ROW_NAMES } from "../../bench/row-names.ts";
import { temporaryDirectory } from "../support/repositories.ts";

const read = (line: string) => readArguments(line ? line.split(" ") : []);

function directory(): string {
  const { path, remove } = temporaryDirectory();
  onTestFinished(remove);
  return path;
}

test("without arguments everything is measured, with the git of PATH", () => {
  expect(read("")).toMatchObject({ kind: "measure", only: [], gits: [undefined], runs: 5, quick: false });
  expect(read("")).not.toHaveProperty("real");
});

test("rows, gits and directories are as told", () => {
  const path = directory();
  mkdirSync(join(path, "bin"));
  writeFileSync(join(path, "bin", "git"), "");
  const line = `--only bare --only merges --runs 9 --quick --memory ${path} --disk ${path} --git ${path}/bin`;
  expect(read(line)).toEqual({
    kind: "measure",
    only: ["bare", "merges"],
    gits: [join(path, "bin")],
    runs: 9,
    quick: true,
    memory: path,
    disk: path,
  });
});

test("repositories of one's own are measured too", () => {
  const path = directory();
  const real = { upstream: path, fork: path, branch: "patches", tag: "v1" };
  expect(read(`--upstream ${path} --fork ${path} --branch patches --tag v1`)).toMatchObject({ real });
});

test.each([
  ["--nonsense", /Unknown option '--nonsense'/],
  ["--only fast", new RegExp(`^--only: there is no row "fast": rows are ${ROW_NAMES.join(", ")}$`)],
  ["--runs 0", /^--runs: "0" is not a number of rounds$/],
  ["--git /nowhere", /^--git: there is no git in "\/nowhere"$/],
  ["--disk /nowhere", /^--disk: there is no directory "\/nowhere"$/],
  ["--upstream /tmp --tag v1", /^your own repositories need --fork and --branch too$/],
  ["--upstream /tmp --fork /tmp --branch=-x --tag v1", /^--branch: "-x" is not a valid git branch or tag name$/],
])("%s says what is wrong", (line, message) => {
  expect(read(line)).toEqual({ kind: "wrong", message: expect.stringMatching(message) });
});
