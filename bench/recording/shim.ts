/**
 * Stands in for git while a carry is recorded: runs the real one, and keeps what it was asked, how its repository was by then,
 * and what it answered. Arguments: the real git, the directory to keep it in, then git's own.
 */

import { spawn } from "node:child_process";
import { appendFileSync, copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ALTERNATES, type Files, type Recorded } from "./recorded.ts";

const [real = "git", records = ".", ...args] = process.argv.slice(2);
const place = join(records, `${process.hrtime.bigint()}-${process.pid}`);
const repository = process.env.GIT_DIR ?? process.cwd();
const isRepository = existsSync(join(repository, "objects"));
mkdirSync(place, { recursive: true });
if (isRepository) keepObjects(join(records, "objects"));

const isMerge = args.includes("merge-tree");
const command: Recorded = {
  args: isMerge ? args.map(byId) : args,
  cwd: process.cwd(),
  repository,
  environment: process.env as Record<string, string>,
  before: snapshot(),
};
writeFileSync(join(place, "command.json"), JSON.stringify(command));

// Written as it comes: a conversation ends with both of us killed.
const child = spawn(real, args, { stdio: "pipe" });
process.stdin.on("data", (chunk: Buffer) => {
  const text = chunk.toString("latin1");
  appendFileSync(join(place, "stdin"), isMerge ? text.split(/\b/).map(byId).join("") : text, "latin1");
  child.stdin.write(chunk);
});
process.stdin.on("end", () => child.stdin.end());
child.stdin.on("error", () => undefined);
child.stdout.on("data", (chunk: Buffer) => {
  appendFileSync(join(place, "stdout"), chunk);
  process.stdout.write(chunk);
});
child.stderr.pipe(process.stderr);
child.on("close", (code) => {
  writeFileSync(join(place, "after.json"), JSON.stringify({ after: snapshot(), exit: code ?? 1 }));
  process.exitCode = code ?? 1;
  process.stdin.destroy();
});

/** The engine lets branches label the sides of a merge, and moves them between one question and the next. */
function byId(word: string): string {
  const branch = join(repository, "refs", "heads", word);
  return /^\w+$/.test(word) && existsSync(branch) ? readFileSync(branch, "utf8").trim() : word;
}

/** Small files of the repository but for its objects. */
function snapshot(): Files {
  if (!isRepository) return {};
  const files = filesUnder("");
  const alternates = join(repository, ALTERNATES);
  if (existsSync(alternates)) files[ALTERNATES] = readFileSync(alternates, "latin1");
  return files;
}

function filesUnder(directory: string): Files {
  const files: Files = {};
  for (const entry of readdirSync(join(repository, directory), { withFileTypes: true })) {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) {
      files[`${path}/`] = "";
      if (path !== "objects" && path !== "checkout") Object.assign(files, filesUnder(path));
    } else files[path] = readFileSync(join(repository, path), "latin1");
  }
  return files;
}

/** Loose objects are gone with the repository, in the end. */
function keepObjects(kept: string): void {
  mkdirSync(kept, { recursive: true });
  const objects = join(repository, "objects");
  for (const directory of readdirSync(objects).filter((name) => /^[0-9a-f]{2}$/.test(name))) {
    for (const name of readdirSync(join(objects, directory))) {
      const to = join(kept, directory + name);
      if (!name.startsWith("tmp_") && !existsSync(to)) copyFileSync(join(objects, directory, name), to);
    }
  }
}
