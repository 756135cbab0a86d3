/** Runs git for what is not measured. */

import { execFileSync } from "node:child_process";

/** Nothing of the machine's own configuration. */
export function plainEnvironment(): Record<string, string> {
  return {
    PATH: process.env.PATH ?? "",
    HOME: "/nonexistent",
    LC_ALL: "C",
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_CONFIG_GLOBAL: "/dev/null",
    GIT_TERMINAL_PROMPT: "0",
    GIT_EDITOR: "true",
  };
}

export function runGit(directory: string, args: string[], input?: string): string {
  return execFileSync("git", args, {
    cwd: directory,
    encoding: "utf8",
    env: plainEnvironment(),
    input,
    stdio: [input === undefined ? "ignore" : "pipe", "pipe", "inherit"],
    maxBuffer: 256 * 1024 * 1024,
  }).trimEnd();
}
