/** Writes recorded git commands as a shell script that does the same in an equal repository, and nothing else. */

import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Place } from "../place.ts";
import type { Command, Recording } from "./record.ts";
import { ALTERNATES, type Files } from "./recorded.ts";

export interface Script {
  path: string;
  /** Throws unless every command answered as it did in the recording. */
  check(): void;
}

/** Of the engine's marks on processes, and of the shell. */
const NOT_GITS = /^(PATH|PWD|OLDPWD|SHLVL|_|PATCHMOI_COMMAND|PATCHMOI_OWNER)$/;

export function writeScript(place: Place, { commands, commits }: Recording): Script {
  const directory = mkdtempSync(join(place.directory, "script-"));
  const [run, inputs, outputs] = ["run", "inputs", "outputs"].map((name) => join(directory, name)) as [
    string,
    string,
    string,
  ];
  for (const each of [inputs, outputs]) mkdirSync(each);
  const recordedRun = commands.find(({ before }) => ALTERNATES in before)?.repository as string;
  const moved = (text: string) => text.replaceAll(recordedRun, run);
  const common = commonEnvironment(commands);
  const lines = ["set -e", ...Object.entries(common).map(([name, value]) => `export ${name}=${quoted(moved(value))}`)];
  lines.push(`mkdir -p ${quoted(join(run, "objects/info"))} ${quoted(join(run, "objects/pack"))}`);
  const untouched: Files = {};
  let files = untouched;
  for (const [index, command] of commands.entries()) {
    const isRun = command.repository === recordedRun;
    if (isRun) lines.push(...changes(run, files, command.before));
    if (isRun && files === untouched) lines.push(storeAll(run, inputs, commits));
    lines.push(asLine(command, common, moved, { index, inputs, outputs }));
    if (isRun) files = command.after;
  }
  lines.push(`rm -rf ${quoted(run)}`);
  const path = join(directory, "carry.sh");
  writeFileSync(path, `${lines.join("\n")}\n`, "latin1");
  return { path, check: () => compare(commands, outputs) };
}

/** What merges answered shows in what was made of them; the answers themselves hold what only made git speak. */
function compare(commands: Command[], outputs: string): void {
  for (const [index, { stdout, args }] of commands.entries()) {
    if (args.includes("merge-tree") || readFileSync(join(outputs, String(index))).equals(stdout)) continue;
    throw new Error(`the script's git ${args.join(" ")} answered otherwise than the engine's`);
  }
}

/** What holds for every command: the environment that the engine gives to each git. */
function commonEnvironment(commands: Command[]): Record<string, string> {
  const [first, ...others] = commands.map(({ environment }) => environment);
  const entries = Object.entries(first ?? {}).filter(
    ([name, value]) => !NOT_GITS.test(name) && others.every((each) => each[name] === value),
  );
  return Object.fromEntries(entries);
}

/** What the engine did to files of its repository between two commands, by commands that need no process where there are such. */
function changes(run: string, from: Files, to: Files): string[] {
  const fresh = Object.entries(to).filter(([path, content]) => from[path] !== content);
  const gone = Object.keys(from).filter((path) => !(path in to) && !path.endsWith("/"));
  const directories = fresh.flatMap(([path]) => (path.endsWith("/") ? [quoted(join(run, path))] : []));
  return [
    ...(directories.length > 0 ? [`mkdir -p ${directories.join(" ")}`] : []),
    ...fresh.flatMap(([path, content]) =>
      path.endsWith("/") ? [] : [`printf %s ${quoted(content)} > ${quoted(join(run, path))}`],
    ),
    ...(gone.length > 0 ? [`rm -f ${gone.map((path) => quoted(join(run, path))).join(" ")}`] : []),
  ];
}

/** One process for all commits, where a script without the engine would need one each. */
function storeAll(run: string, inputs: string, commits: Buffer[]): string {
  const paths = commits.map((commit, index) => {
    const path = join(inputs, `commit-${index}`);
    writeFileSync(path, commit);
    return path;
  });
  const list = join(inputs, "commits");
  writeFileSync(list, paths.map((path) => `${path}\n`).join(""));
  return `git -C ${quoted(run)} hash-object -t commit -w --no-filters --stdin-paths < ${quoted(list)} > /dev/null`;
}

interface Around {
  index: number;
  inputs: string;
  outputs: string;
}

function asLine(
  { args, cwd, environment, stdin, exit }: Command,
  common: Record<string, string>,
  moved: (text: string) => string,
  { index, inputs, outputs }: Around,
): string {
  const own = Object.entries(environment).filter(([name]) => !(name in common) && !NOT_GITS.test(name));
  const prefix = own.map(([name, value]) => `${name}=${quoted(moved(value))} `).join("");
  const input = stdin ? join(inputs, `stdin-${index}`) : "/dev/null";
  if (stdin) {
    const text = stdin.toString("latin1");
    writeFileSync(input, moved(args.includes("merge-tree") ? withoutRepeated(text) : text), "latin1");
  }
  const words = ["git", "-C", cwd, ...args].map((word) => quoted(moved(word))).join(" ");
  const accepted = exit === 0 ? "" : ` || test $? -eq ${exit}`;
  return `${prefix}${words} < ${quoted(input)} > ${quoted(join(outputs, String(index)))}${accepted}`;
}

/** With a git that keeps answers back the engine asks between its questions what only makes it speak; a script need not. */
function withoutRepeated(text: string): string {
  const lines = text.split("\n");
  return lines.filter((line) => line === "" || lines.indexOf(line) === lines.lastIndexOf(line)).join("\n");
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
