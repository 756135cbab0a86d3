import { writeFileSync } from "node:fs";
import type { SerializedError } from "vitest";
import type { Reporter, TestCase, TestModule, TestSuite } from "vitest/node";

/**
 * Counts for the last line of `npm test`, which scripts/run/test.mjs prints once vitest is gone, so that nothing can come
 * after it. The counts are written after each test: where the run is cut short, they tell what had happened. A file that
 * could not be loaded, a hook that failed and an error outside of any test count as failed too.
 */
export default class CountingReporter implements Reporter {
  #soFar = { passed: 0, failed: 0, skipped: 0 };

  onTestRunStart(): void {
    this.#tell(this.#soFar);
  }

  onTestCaseResult(test: TestCase): void {
    this.#soFar[outcome(test)]++;
    this.#tell(this.#soFar);
  }

  onTestRunEnd(modules: ReadonlyArray<TestModule>, unhandled: ReadonlyArray<SerializedError>): void {
    const count = { passed: 0, failed: unhandled.length, skipped: 0 };
    for (const module of modules) {
      count.failed += brokenHooks(module);
      for (const test of module.children.allTests()) count[outcome(test)]++;
    }
    this.#tell(count);
  }

  #tell(count: Record<"passed" | "failed" | "skipped", number>): void {
    const path = process.env.PATCHMOI_TEST_SUMMARY;
    if (path) writeFileSync(path, JSON.stringify(count));
  }
}

/** Pending at the end: the run was cut short. */
function outcome(test: TestCase): "passed" | "failed" | "skipped" {
  const { state } = test.result();
  return state === "pending" ? "failed" : state;
}

function brokenHooks(module: TestModule): number {
  const suites: (TestModule | TestSuite)[] = [module, ...module.children.allSuites()];
  return suites.filter((suite) => suite.errors().length > 0).length;
}
