import { ROOT, runTool, runVisibly, stop } from "./ground.mjs";

/** Compiled beside what it measures, which build() leaves alone: names that start with a dot are not its. */
export async function benchEngine(args) {
  if ((await runTool("typescript/bin/tsc", ["-p", "bench"], { stdio: ["ignore", 2, 2] })) !== 0) {
    stop("the benchmark does not compile; see above");
  }
  return await runVisibly(process.execPath, ["--enable-source-maps", `${ROOT}/dist/.bench/bench/engine.js`, ...args]);
}
