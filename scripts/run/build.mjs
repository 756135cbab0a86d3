import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname, join, relative } from "node:path";
import { pathToFileURL } from "node:url";
import { ROOT, runTool, say, sha256, stop } from "./ground.mjs";
import { withLock } from "./lock.mjs";

const DIST = join(ROOT, "dist");
const STAMP = join(DIST, ".stamp.json");
const BUNDLE = "workflow-bundle.js";
const SKIPPED = new Set(["node_modules", "dist", "data", "test", "bench", "docs"]);

/** Compiles the sources to dist/ and bundles the workflows, each only where something has changed since. */
export async function build() {
  const wanted = fingerprints();
  if (isBuilt(wanted)) return;
  await withLock(async () => {
    const stamp = readStamp();
    if (isBuilt(wanted)) return;
    if (stamp.sources !== wanted.sources || !existsSync(join(DIST, "main.js"))) await compile();
    if (stamp.workflows !== wanted.workflows || !existsSync(join(DIST, BUNDLE))) await bundleWorkflows();
    // Last: a build that was killed is done again.
    writeFileSync(STAMP, JSON.stringify(wanted));
  });
}

function isBuilt(wanted) {
  const stamp = readStamp();
  return stamp.sources === wanted.sources && stamp.workflows === wanted.workflows && existsSync(join(DIST, BUNDLE));
}

function readStamp() {
  try {
    return JSON.parse(readFileSync(STAMP, "utf8"));
  } catch {
    return {};
  }
}

function fingerprints() {
  const files = sourceFiles(ROOT).sort();
  const print = (some) => sha256(...some.flatMap((path) => [path, readFileSync(join(ROOT, path))]));
  const versions = ["package-lock.json", "tsconfig.json", "tsconfig.build.json"];
  const workflows = files.filter((path) => /^(workflows|domain|worker[\\/]bundle\.ts$)/.test(path));
  return { sources: print([...files, ...versions]), workflows: print([...workflows, ...versions]) };
}

function sourceFiles(directory) {
  return readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) return SKIPPED.has(entry.name) || entry.name.startsWith(".") ? [] : sourceFiles(path);
    return entry.name.endsWith(".ts") ? [relative(ROOT, path)] : [];
  });
}

/** Type errors stop it, with dist/ as it was. */
async function compile() {
  say("compiling …");
  const fresh = mkdtempSync(join(DIST, ".new-"));
  try {
    const code = await runTool("typescript/bin/tsc", ["-p", "tsconfig.build.json", "--outDir", fresh], {
      stdio: ["ignore", 2, 2],
    });
    if (code !== 0) stop("the sources do not compile; see above");
    replaceTree(fresh);
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
}

/**
 * File by file, each in one step, and only those that differ: at no moment is dist/ missing or a file half-written for a
 * service that runs from it.
 */
function replaceTree(fresh) {
  const paths = new Set(filesUnder(fresh));
  for (const path of paths) {
    const target = join(DIST, path);
    const content = readFileSync(join(fresh, path));
    if (existsSync(target) && readFileSync(target).equals(content)) continue;
    mkdirSync(dirname(target), { recursive: true });
    renameSync(join(fresh, path), target);
  }
  for (const path of filesUnder(DIST)) if (!paths.has(path) && path !== BUNDLE) rmSync(join(DIST, path));
}

/** Leaves out names that start with a dot: locks, stamps and builds under way. */
function filesUnder(directory, prefix = "") {
  return readdirSync(join(directory, prefix), { withFileTypes: true }).flatMap((entry) => {
    const path = join(prefix, entry.name);
    if (entry.name.startsWith(".")) return [];
    return entry.isDirectory() ? filesUnder(directory, path) : [path];
  });
}

async function bundleWorkflows() {
  say("bundling the workflows …");
  const { buildWorkflowBundle } = await import(pathToFileURL(join(DIST, "worker/bundle.js")).href);
  await buildWorkflowBundle();
}
