import { runTool, say } from "./ground.mjs";

const QUICK_ROOMS = ["domain", "lint", "docs", "containers/compose", "containers/dockerfile"].map(
  (room) => `test/${room}`,
);

/** Format, lint, types, fast tests. All of them, even when one fails. `--static` leaves out the tests. */
export async function check(args) {
  const steps = [
    ["format", () => runTool("@biomejs/biome/bin/biome", ["check", ...(process.env.CI ? ["--colors=off"] : [])])],
    ["lint", () => runTool("oxlint/bin/oxlint", ["--type-aware", "--deny-warnings"])],
    ["types", () => runTool("typescript/bin/tsc", ["-p", ".", "--noEmit"])],
  ];
  if (!args.includes("--static")) {
    steps.push(["fast tests", () => runTool("vitest/vitest.mjs", ["run", ...QUICK_ROOMS], quick())]);
  }
  const failed = [];
  for (const [name, step] of steps) {
    say(`${name} …`);
    if ((await step()) !== 0) failed.push(name);
  }
  say(failed.length ? `check failed: ${failed.join(", ")}` : "check passed");
  return failed.length ? 1 : 0;
}

/** Fast tests need neither dist/ nor a Temporal server. */
function quick() {
  return { env: { ...process.env, PATCHMOI_TEST_GROUND: "none" } };
}

export async function format() {
  return await runTool("@biomejs/biome/bin/biome", ["check", "--write"]);
}
