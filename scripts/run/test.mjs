import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runTool, say } from "./ground.mjs";

/** Every test has a time limit of its own, but a process that blocks keeps none: no test ends, for this long. */
const SILENCE_MS = 10 * 60_000;
const LOOK_MS = 1000;

/**
 * Runs the tests. The last line is `N passed, N failed[, N skipped]` whatever happens, also when the runner itself crashes or
 * hangs; the exit code is 0 only when something passed and nothing failed.
 */
export async function test(args) {
  const directory = mkdtempSync(join(tmpdir(), "patchmoi-test-"));
  const summary = join(directory, "summary.json");
  try {
    const env = { ...process.env, PATCHMOI_TEST_GROUND: "strict", PATCHMOI_TEST_SUMMARY: summary };
    const code = await runTool(
      "vitest/vitest.mjs",
      ["run", "--reporter=default", "--reporter=./test/reporter.ts", ...args],
      // A process group of its own, so that what hangs can be ended with all that it started.
      { env, detached: true, onStart: (child) => endWhenSilent(child, summary) },
    );
    return report(read(summary), code);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function endWhenSilent(child, summary) {
  const silence = Number(process.env.PATCHMOI_TEST_SILENCE_MS ?? SILENCE_MS);
  const look = setInterval(() => {
    // Without a summary vitest is still being set up, which has limits of its own.
    const last = statSync(summary, { throwIfNoEntry: false })?.mtimeMs ?? Date.now();
    if (Date.now() - last < silence) return;
    clearInterval(look);
    say(`no test has ended for ${Math.round(silence / 1000)} s: something blocks, ending the run`);
    process.kill(-child.pid, "SIGKILL");
  }, LOOK_MS);
  child.once("exit", () => clearInterval(look));
}

function read(path) {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch {
    return { passed: 0, failed: 0, skipped: 0 };
  }
}

function report({ passed, failed, skipped }, code) {
  const failures = failed || (code !== 0 || passed === 0 ? 1 : 0);
  process.stdout.write(`\n${passed} passed, ${failures} failed${skipped ? `, ${skipped} skipped` : ""}\n`);
  return failures ? 1 : 0;
}
