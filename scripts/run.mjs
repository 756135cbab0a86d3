// What the scripts of package.json call. Plain JavaScript without dependencies: it also runs straight after `git clone`.
import { existsSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { benchEngine } from "./run/bench.mjs";
import { build } from "./run/build.mjs";
import { check, format } from "./run/check.mjs";
import { ROOT, stop } from "./run/ground.mjs";
import { install } from "./run/install.mjs";
import { requireGit, requireNode } from "./run/prerequisites.mjs";
import { test } from "./run/test.mjs";

/** Entries run when imported, and find their own arguments in `process.argv.slice(2)`. */
const ENTRIES = {
  quickstart: "dist/scripts/quickstart.js",
  start: "dist/main.js",
  "start:api": "dist/api/main.js",
  "start:worker": "dist/worker/main.js",
  doctor: "dist/scripts/doctor.js",
};
const TASKS = { test, check, format, build: async () => {}, "bench:engine": benchEngine };

const [command = "", ...args] = process.argv.slice(2);
if (!(command in ENTRIES) && !(command in TASKS)) {
  stop(`usage: node scripts/run.mjs <${[...Object.keys(ENTRIES), ...Object.keys(TASKS)].join("|")}> [arguments]`);
}
requireNode();
requireGit();
// A prebuilt image has neither sources nor a compiler, and needs neither.
if (existsSync(`${ROOT}/tsconfig.build.json`)) {
  await install();
  if (command !== "check" && command !== "format") await build();
}

if (command in TASKS) process.exitCode = await TASKS[command](args);
else await run(ENTRIES[command]);

/** In this process, so that signals reach the service itself. */
async function run(entry) {
  const path = `${ROOT}/${entry}`;
  if (!existsSync(path)) stop(`${entry} is missing: run \`npm run build\` where the sources are`);
  process.argv = [process.argv[0], path, ...args];
  process.setSourceMapsEnabled(true);
  await import(pathToFileURL(path).href);
}
