import { writeFileSync } from "node:fs";
import type { SerializedError } from "vitest";
import type { Reporter, TestModule, TestSuite } from "vitest/node";

/**
 * Counts for the last line of `npm test`, which scripts/run/test.mjs prints once vitest is gone, so that nothing can come
 * after it. A file that could not be loaded, a hook that failed and an error outside of any test count as failed too.
 */
export default class CountingReporter implements Reporter {
  onTestRunEnd(modules: ReadonlyArray<TestModule>, unhandled: ReadonlyArray<SerializedError>): void {
    const count = { passed: 0, failed: unhandled.length, skipped: 0 };
    for (const module of modules) {
      count.failed += brokenHooks(module);
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        // Pending: the run was cut short.
        count[state === "pending" ? "failed" : state]++;
      }
    }
    const path = process.env.PATCHMOI_TEST_SUMMARY;
    if (path) writeFileSync(path, JSON.stringify(count));
    else process.stdout.write(`\n${count.passed} passed, ${count.failed} failed, ${count.skipped} skipped\n`);
  }
}

function brokenHooks(module: TestModule): number {
  const suites: (TestModule | TestSuite)[] = [module, ...module.children.allSuites()];
  return suites.filter((suite) => suite.errors().length > 0).length;
}
