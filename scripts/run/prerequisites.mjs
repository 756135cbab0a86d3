import { spawnSync } from "node:child_process";
import { stop } from "./ground.mjs";

export function requireNode() {
  const [major, minor] = process.versions.node.split(".").map(Number);
  if (major < 20 || (major === 20 && minor < 20)) {
    stop(`Node.js ${process.versions.node} is too old: install Node.js 20.20 or newer`);
  }
}

export function requireGit() {
  const { error, status } = spawnSync("git", ["--version"], { stdio: "ignore" });
  if (error || status !== 0) stop("git is missing: install git and see that it is on PATH");
}
