/** `npm run doctor`: what a start would trip over, one line each. Exit code 1 when something would stop the service. */
import { examine } from "./doctor/examine.ts";
import { formatFinding, type Level } from "./doctor/finding.ts";

const count: Record<Level, number> = { ok: 0, warn: 0, fail: 0 };
for await (const finding of examine(process.env)) {
  count[finding.level]++;
  console.log(formatFinding(finding));
}
console.log(
  count.fail
    ? `\n${count.fail} problem(s) to fix before the service can do its work`
    : `\nReady to start${count.warn ? `, with ${count.warn} warning(s)` : ""}`,
);
process.exit(count.fail ? 1 : 0);
