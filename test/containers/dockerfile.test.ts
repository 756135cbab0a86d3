import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { validate } from "dockerfile-utils";
import picomatch from "picomatch";
import { describe, expect, it } from "vitest";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const text = readFileSync(`${ROOT}Dockerfile`, "utf8");
const { engines } = JSON.parse(readFileSync(`${ROOT}package.json`, "utf8")) as { engines: { node: string } };

/** Instructions in order, continuation lines joined and comments left out. */
const instructions = text
  .replace(/^#.*\n/gm, "")
  .replace(/\\\n/g, " ")
  .split("\n")
  .filter((line) => line.trim())
  .map((line) => ({ name: line.split(" ")[0] as string, rest: line.slice(line.indexOf(" ") + 1).trim() }));
const last = (name: string) => instructions.findLast((each) => each.name === name)?.rest ?? "";
const finalStage = instructions.slice(instructions.findLastIndex(({ name }) => name === "FROM"));
const ignored = readFileSync(`${ROOT}.dockerignore`, "utf8")
  .split("\n")
  .filter((line) => line && !line.startsWith("#"));

describe("Dockerfile", () => {
  it("has nothing that the linter minds", () => {
    expect(validate(text).map(({ range, message }) => `${range.start.line + 1}: ${JSON.stringify(message)}`)).toEqual(
      [],
    );
  });

  it("starts from a Node of an exact version, with glibc, that package.json allows", () => {
    const stages = instructions.filter(({ name }) => name === "FROM").map(({ rest }) => rest.split(" ")[0]);
    expect(new Set(stages).size).toBe(1);
    const [, version] = /^node:(\d+\.\d+)\.\d+-bookworm-slim$/.exec(stages[0] ?? "") ?? [];
    expect(engines.node).toBe(`>=${version}`);
  });

  it("runs as a user who is not root, under an init process, and says whether it is well", () => {
    expect(last("USER")).toBe("node");
    expect(JSON.parse(last("ENTRYPOINT"))[0]).toBe("tini");
    expect(last("HEALTHCHECK")).toContain("/healthz");
    const [, entry] = JSON.parse(last("CMD")) as [string, string];
    expect(existsSync(`${ROOT}${entry.replace("dist/", "").replace(".js", ".ts")}`)).toBe(true);
  });

  it("holds what the service starts, and no build tools", () => {
    const packages = finalStage
      .filter(({ name }) => name === "RUN")
      .map(({ rest }) => rest)
      .join(" ");
    for (const needed of ["git", "openssh-client", "ca-certificates", "bubblewrap", "tini"])
      expect(packages.split(/\s+/)).toContain(needed);
    expect(packages).not.toMatch(/build-essential|\bg\+\+|\bmake\b|python/);
    expect(text).toContain("npm prune --omit=dev");
  });

  it("copies what exists and is not ignored, and fetches nothing by URL", () => {
    expect(instructions.filter(({ name }) => name === "ADD")).toEqual([]);
    const copied = instructions
      .filter(({ name, rest }) => name === "COPY" && !rest.startsWith("--from"))
      .flatMap(({ rest }) => rest.split(/\s+/).slice(0, -1));
    expect(copied.length).toBeGreaterThan(3);
    for (const source of copied) {
      expect(existsSync(`${ROOT}${source}`), source).toBe(true);
      expect(isIgnored(source), source).toBe(false);
    }
  });

  it("never sees an operator's own files or the repository's history", () => {
    for (const path of [".git/config", "feed-sources.json", ".env", "docker/worker.env", "data/flow-events.jsonl"])
      expect(isIgnored(path), path).toBe(true);
    for (const path of ["main.ts", "git/git.ts", "worker/main.ts", "tsconfig.build.json", "scripts/run.mjs"])
      expect(isIgnored(path), path).toBe(false);
  });
});

/** The last pattern that matches decides; one that matches a directory matches what is in it. */
function isIgnored(path: string): boolean {
  let result = false;
  for (const line of ignored) {
    const pattern = line.replace(/^!/, "");
    if (picomatch.isMatch(path, [pattern, `${pattern}/**`], { dot: true })) result = !line.startsWith("!");
  }
  return result;
}
