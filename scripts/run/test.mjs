import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runTool } from "./ground.mjs";

/**
 * Runs the tests. The last line is `N passed, N failed[, N skipped]` whatever happens, also when the runner itself crashes;
 * the exit code is 0 only when something passed and nothing failed.
 */
export async function test(args) {
  const directory = mkdtempSync(join(tmpdir(), "patchmoi-test-"));
  const summary = join(directory, "summary.json");
  try {
    const code = await runTool(
      "vitest/vitest.mjs",
      ["run", "--reporter=default", "--reporter=./test/reporter.ts", ...args],
      { env: { ...process.env, PATCHMOI_TEST_GROUND: "strict", PATCHMOI_TEST_SUMMARY: summary } },
    );
    return report(read(summary), code);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function read(path) {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch {
    return { passed: 0, failed: 1, skipped: 0 };
  }
}

function report({ passed, failed, skipped }, code) {
  const failures = failed || (code !== 0 || passed === 0 ? 1 : 0);
  process.stdout.write(`\n${passed} passed, ${failures} failed${skipped ? `, ${skipped} skipped` : ""}\n`);
  return failures ? 1 : 0;
}
