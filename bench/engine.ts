/** `npm run bench:engine`: the engine against plain git, as ratios. Prints a table; nothing fails because it is slow. */

import { cpus } from "node:os";
import { delimiter, resolve } from "node:path";
import { type Measuring, readArguments, USAGE } from "./arguments.ts";
import { Grounds } from "./grounds.ts";
import { ROW_NAMES } from "./row-names.ts";
import { ROWS } from "./rows/rows.ts";
import { asLine, HEAD } from "./table.ts";

const wish = readArguments(process.argv.slice(2));
if (wish.kind === "help") process.stdout.write(USAGE);
else if (wish.kind === "wrong") {
  process.stderr.write(`patch.moi: ${wish.message}\n\n${USAGE}`);
  process.exitCode = 2;
} else if (!(await measure(wish))) process.exitCode = 1;

/** False when a row could not be measured. */
async function measure(wish: Measuring): Promise<boolean> {
  const grounds = new Grounds(wish, (line) => process.stderr.write(`patch.moi: ${line}\n`));
  const path = process.env.PATH ?? "";
  // Gigabytes may lie in memory.
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => {
      grounds.remove();
      process.exit(130);
    });
  }
  let complete = true;
  try {
    for (const directory of wish.gits) {
      process.env.PATH = directory === undefined ? path : `${resolve(directory)}${delimiter}${path}`;
      complete = (await measureWithThisGit(grounds)) && complete;
      grounds.forgetPlaces();
    }
  } finally {
    grounds.remove();
  }
  return complete;
}

async function measureWithThisGit(grounds: Grounds): Promise<boolean> {
  const names = grounds.wish.only.length > 0 ? grounds.wish.only : ROW_NAMES;
  const { quick, runs } = grounds.wish;
  const about = `Node.js ${process.versions.node}, ${cpus().length} processors, ${runs} rounds${quick ? ", small repositories" : ""}`;
  process.stdout.write(`\n## git ${grounds.version()}\n\n${about}\n\n${HEAD}\n`);
  let complete = true;
  for (const name of names) {
    try {
      for await (const figure of ROWS[name](grounds)) process.stdout.write(`${asLine(figure)}\n`);
    } catch (error) {
      complete = false;
      const [skipped = ""] = (error as Error).message.split("\n");
      process.stdout.write(`${asLine({ measure: name, skipped })}\n`);
      process.stderr.write(`patch.moi: ${name}: ${(error as Error).stack}\n`);
    }
  }
  return complete;
}
