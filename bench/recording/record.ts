/** Finds out which git commands a carry consists of. */

import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { inflateSync } from "node:zlib";
import { openEngine, type Place } from "../place.ts";
import { tipOf } from "../sides.ts";
import type { Files, Recorded } from "./recorded.ts";

export interface Command extends Recorded {
  stdin: Buffer | undefined;
  stdout: Buffer;
  after: Files;
  exit: number;
}

export interface Recording {
  commands: Command[];
  /** Commits that the engine stored itself, as they are. */
  commits: Buffer[];
  tip: string;
}

const SHIM = fileURLToPath(new URL("./shim.js", import.meta.url));

export async function recordCarry(place: Place, round: number): Promise<Recording> {
  const directory = mkdtempSync(join(place.directory, "recording-"));
  const [bin, records] = [join(directory, "bin"), join(directory, "records")];
  for (const each of [bin, records]) mkdirSync(each);
  const real = execFileSync("sh", ["-c", "command -v git"], { encoding: "utf8" }).trim();
  writeFileSync(join(bin, "git"), `#!/bin/sh\nexec '${process.execPath}' '${SHIM}' '${real}' '${records}' "$@"\n`);
  chmodSync(join(bin, "git"), 0o755);
  const environment = { PATH: `${bin}${delimiter}${process.env.PATH}` };
  const git = openEngine(join(place.directory, "engine"), { environment });
  // Asked once in the life of an engine.
  await git.version();
  const asked = new Set(readdirSync(records));
  const tip = tipOf(await git.carry(place.recipe(round)));
  const names = readdirSync(records).filter((name) => name !== "objects" && !asked.has(name));
  // Names begin with the nanosecond of the start.
  names.sort((one, other) => Number(BigInt(one.split("-")[0] ?? 0) - BigInt(other.split("-")[0] ?? 0)));
  return {
    commands: names.map((name) => readCommand(join(records, name))),
    commits: readCommits(join(records, "objects")),
    tip,
  };
}

function readCommand(directory: string): Command {
  const read = (name: string) => {
    const path = join(directory, name);
    return existsSync(path) ? readFileSync(path) : undefined;
  };
  const recorded = JSON.parse(String(read("command.json"))) as Recorded;
  const { after, exit } = JSON.parse(String(read("after.json") ?? "{}")) as Partial<Command>;
  const [stdin, stdout = Buffer.alloc(0)] = [read("stdin"), read("stdout")];
  // A conversation was killed: what was not answered for was not asked.
  return { ...recorded, stdin, stdout, after: after ?? recorded.before, exit: exit ?? 0 };
}

function readCommits(directory: string): Buffer[] {
  return readdirSync(directory).flatMap((name) => {
    const object = inflateSync(readFileSync(join(directory, name)));
    return object.toString("latin1", 0, 7) === "commit " ? [object.subarray(object.indexOf(0) + 1)] : [];
  });
}
