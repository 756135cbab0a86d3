import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { ROOT, runVisibly, say, sha256, stop } from "./ground.mjs";
import { withLock } from "./lock.mjs";

const STAMP = join(ROOT, "node_modules/.patchmoi-install");
const LOCKFILE = join(ROOT, "package-lock.json");

/** Installs the dependencies where they are missing or package-lock.json has changed since. */
export async function install() {
  const wanted = sha256(readFileSync(LOCKFILE), `${process.platform}-${process.arch}`);
  if (isStamped(wanted)) return;
  await withLock(async () => {
    if (isStamped(wanted)) return;
    if (!matchesLockfile()) await installPackages();
    mkdirSync(dirname(STAMP), { recursive: true });
    writeFileSync(STAMP, wanted);
  });
}

function isStamped(wanted) {
  return existsSync(STAMP) && readFileSync(STAMP, "utf8") === wanted;
}

/** True after a person's own `npm install`: npm keeps beside the packages what it put there. */
function matchesLockfile() {
  try {
    const there = JSON.parse(readFileSync(join(ROOT, "node_modules/.package-lock.json"), "utf8")).packages;
    return Object.entries(JSON.parse(readFileSync(LOCKFILE, "utf8")).packages).every(
      ([path, { version, integrity, optional }]) =>
        !path || (there[path] ? there[path].version === version && there[path].integrity === integrity : optional),
    );
  } catch {
    return false;
  }
}

async function installPackages() {
  const started = Date.now();
  const tick = () => say(`installing packages … ${Math.round((Date.now() - started) / 1000)} s`);
  tick();
  const timer = setInterval(tick, 3000);
  const command = isComplete() ? ["ci"] : ["install", "--no-save"];
  // Development packages too, whatever NODE_ENV says: the compiler is one. No package of ours needs its install scripts.
  const options = ["--include=dev", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];
  const code = await runNpm([...command, ...options]);
  clearInterval(timer);
  if (code !== 0)
    stop("packages could not be installed; see npm's words above, and try again once it reaches its registry");
  say(`packages installed in ${Math.round((Date.now() - started) / 1000)} s`);
}

/**
 * `npm ci` refuses a lockfile that lacks a package for a foreign platform, as one written behind a registry mirror without
 * that package does. `npm install --no-save` installs the same locked versions and leaves the lockfile alone.
 */
function isComplete() {
  const { packages } = JSON.parse(readFileSync(LOCKFILE, "utf8"));
  return Object.entries(packages).every(([path, { optionalDependencies = {} }]) =>
    Object.keys(optionalDependencies).every(
      (name) => packages[`node_modules/${name}`] || packages[`${path}/node_modules/${name}`],
    ),
  );
}

/** The npm that runs us, else the one on PATH. Answers its exit code. */
function runNpm(args) {
  const npm = process.env.npm_execpath;
  const ours = npm && basename(npm) === "npm-cli.js" && existsSync(npm);
  return runVisibly(ours ? process.execPath : "npm", [...(ours ? [npm] : []), ...args], { stdio: ["ignore", 2, 2] });
}
