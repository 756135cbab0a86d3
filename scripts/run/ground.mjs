import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { fileURLToPath } from "node:url";

export const ROOT = fileURLToPath(new URL("../..", import.meta.url)).replace(/[\\/]$/, "");

/** Ends with one line that says what is wrong. */
export function stop(line) {
  process.stderr.write(`patch.moi: ${line}\n`);
  process.exit(1);
}

export function say(line) {
  process.stderr.write(`patch.moi: ${line}\n`);
}

export function sha256(...parts) {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part).update("\0");
  return hash.digest("hex");
}

/** Runs a program with our terminal; answers its exit code, 1 where a signal ended it or it could not start. */
export function runVisibly(command, args, { onStart = () => {}, ...options } = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd: ROOT, stdio: "inherit", ...options });
    const passOn = (signal) => child.kill(signal);
    const signals = ["SIGINT", "SIGTERM", "SIGHUP"];
    for (const signal of signals) process.on(signal, passOn);
    const done = (code) => {
      for (const signal of signals) process.removeListener(signal, passOn);
      resolve(code);
    };
    child.once("error", (error) => {
      say(`${command}: ${error.message}`);
      done(1);
    });
    child.once("exit", (code) => done(code ?? 1));
    if (child.pid) onStart(child);
  });
}

/** Runs a tool of node_modules. */
export function runTool(script, args, options) {
  return runVisibly(process.execPath, [`${ROOT}/node_modules/${script}`, ...args], options);
}
