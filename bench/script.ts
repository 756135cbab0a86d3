/** Runs shell scripts: what the engine is compared with. */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { plainEnvironment } from "./git.ts";

/** Answers with the last line of its output. */
export async function runScript(script: string, cwd: string, environment: Record<string, string>): Promise<string> {
  const child = spawn("sh", ["-c", script], {
    cwd,
    env: { ...plainEnvironment(), ...environment },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const output = { out: "", err: "" };
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    output.out += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    output.err += text;
  });
  const [code] = (await once(child, "close")) as [number | null];
  if (code !== 0) throw new Error(`the script ended with ${code}:\n${output.err}${output.out}`);
  return output.out.trimEnd().split("\n").at(-1) as string;
}
