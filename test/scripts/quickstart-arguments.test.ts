import { execFile } from "node:child_process";
import { tmpdir } from "node:os";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { readArguments, USAGE } from "../../scripts/quickstart/arguments.ts";
import { rangeDiffSummary } from "../../scripts/quickstart/carry.ts";

const ours = ["--upstream", "https://example.org/u.git", "--fork", "../fork", "--branch", "p", "--tag", "v1"];
const read = (line: string) => readArguments(line ? line.split(" ") : []);

test("without arguments it is the demo", () => {
  expect(read("")).toEqual({ kind: "demo", auto: false, dir: undefined });
  expect(read("--auto --dir x")).toEqual({ kind: "demo", auto: true, dir: "x" });
});

test("one carry of existing repositories pushes nothing unless told", () => {
  const carry = { kind: "carry", upstream: "https://example.org/u.git", fork: "../fork", branch: "p", tag: "v1" };
  expect(readArguments(ours)).toMatchObject({ ...carry, push: false, auto: false, build: [] });
  const more = ["--push", "--token-env", "T", "--build", "make a", "--build", "make b", "--stack-base", "v0"];
  expect(readArguments([...ours, ...more])).toMatchObject({
    ...carry,
    push: true,
    tokenEnv: "T",
    build: ["make a", "make b"],
    stackBase: "v0",
  });
});

describe("bad arguments say what is wrong", () => {
  test.each([
    ["--nonsense", /Unknown option '--nonsense'/],
    ["word", /Unexpected argument 'word'/],
    ["--dir", /--dir/],
    ["--dir=", /^--dir needs a value$/],
    ["--push", /^--push goes with --upstream, --fork, --branch and --tag$/],
    ["--upstream u --tag v1", /^your own repositories need --fork and --branch too$/],
    ["--upstream u --fork f --branch=-x --tag v1", /^--branch: "-x" is not a valid git branch or tag name$/],
    ["--upstream u --fork f --branch b --tag v1 --token-env T", /^--token-env goes with --push/],
    ["--upstream=--upload-pack=x --fork f --branch b --tag v1", /^--upstream: /],
  ])("%s", (line, message) => expect(read(line)).toEqual({ kind: "wrong", message: expect.stringMatching(message) }));
});

test("the program exits with 2 for them, and with 0 for --help", async () => {
  const entry = fileURLToPath(new URL("../../dist/scripts/quickstart.js", import.meta.url));
  const run = (...args: string[]) => promisify(execFile)(process.execPath, [entry, ...args]);
  expect((await run("--help")).stdout).toContain(USAGE);
  await expect(run("--nonsense")).rejects.toMatchObject({ code: 2, stderr: expect.stringContaining("--nonsense") });
  await expect(run("--dir", tmpdir())).rejects.toMatchObject({ code: 2, stderr: expect.stringContaining("not empty") });
});

test("a range-diff is summed up by git's own signs", () => {
  const text = ` 1:  40221bdd20 =  1:  acd06bceb6 Keep notes
 2:  fabe5e0f35 <  -:  ---------- Quote
10:  50109dc527 ! 12:  03617c25e9 Show
    @@ lib/format.sh
 -:  ---------- > 13:  0123456789 New`;
  expect(rangeDiffSummary(text)).toBe("1 same, 1 changed, 1 not in the new, 1 new");
});
