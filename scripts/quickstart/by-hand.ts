import { spawn } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { git, quietGitEnv } from "./git.ts";
import { Surprise } from "./surprise.ts";

/** What a person does with the printed commands: pastes them one by one, and edits the file when a comment says so. */

const PERSON = {
  GIT_AUTHOR_NAME: "Quick Start",
  GIT_AUTHOR_EMAIL: "quickstart@patch.example",
  GIT_COMMITTER_NAME: "Quick Start",
  GIT_COMMITTER_EMAIL: "quickstart@patch.example",
};

export interface HandWork {
  /** A fresh clone of the fork. */
  clone: string;
  commands: string[];
  /** The file that is in conflict, and what it should be. */
  fix: { path: string; content: string };
  signal: AbortSignal;
  tell: (line: string) => void;
}

/** Throws a Surprise when a command fails, but for the cherry-pick that is meant to stop at the conflict. */
export async function workByHand({ clone, commands, fix, signal, tell }: HandWork): Promise<void> {
  let fixed = false;
  for (const line of commands) {
    if (line.startsWith("#")) {
      if (fixed || !(await conflictsIn(clone)).includes(fix.path)) continue;
      await writeFile(join(clone, fix.path), fix.content);
      fixed = true;
      tell(`(writes the fixed ${fix.path})`);
      continue;
    }
    tell(`$ ${line}`);
    const { code, output } = await bash(line, clone, signal);
    if (code === 0) continue;
    if (!fixed && (await conflictsIn(clone)).length > 0) continue;
    throw new Surprise(`\`${line}\` failed with ${code}:\n${output.trim()}`);
  }
  if (!fixed) throw new Surprise(`the printed commands never stopped at a conflict in ${fix.path}`);
}

async function conflictsIn(clone: string): Promise<string[]> {
  const names = await git(clone, ["diff", "--name-only", "--diff-filter=U"]);
  return names.split("\n").filter(Boolean);
}

/** In a process group of its own, so that Ctrl-C does not cut a git command in two: it is ended by the signal, with its children. */
function bash(line: string, cwd: string, signal: AbortSignal): Promise<{ code: number; output: string }> {
  signal.throwIfAborted();
  return new Promise((resolve, reject) => {
    const child = spawn("bash", ["-c", line], {
      cwd,
      env: { ...quietGitEnv(), ...PERSON },
      detached: true,
      stdio: ["ignore", "pipe", "pipe"],
    });
    const end = () => {
      if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, "SIGTERM");
    };
    signal.addEventListener("abort", end, { once: true });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.on("data", (chunk: Buffer) => {
        output += chunk.toString();
      });
    }
    child.once("error", reject);
    child.once("close", (code) => {
      signal.removeEventListener("abort", end);
      resolve({ code: code ?? 1, output });
    });
  });
}
