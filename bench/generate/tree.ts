/** The files of a generated project: where they are and what is in them. */

import { type Random, random } from "./random.ts";

/** Of a tree of C or TypeScript sources, roughly: the kernel has 13 files a directory. */
const FILES_PER_DIRECTORY = 13;
const SHORTEST = 40;
const LONGEST = 110;

const WORDS =
  "buffer cache channel client codec config context cursor device driver event field filter frame graph handle index input layer list lock mapper message node option output packet parser path pool query queue reader record region request route scope server session signal socket source state store stream table task token tree value view worker writer".split(
    " ",
  );
const ENDINGS = ["c", "h", "ts", "go", "py", "md"];

const MODULES = 24;
const DEEPEST = 7;

/** Paths in nested directories. A path never changes its index, however many files there are. */
export function layOut(files: number, seed: number): string[] {
  const { below, pick, chance } = random(seed);
  const modules = Array.from({ length: MODULES }, (_, index) => `${pick(WORDS)}${index}`);
  const directories = [...modules];
  const paths: string[] = [];
  for (let index = 0; index < files; index++) {
    if (index % FILES_PER_DIRECTORY === 0 && index > 0) {
      const parent = directories[below(directories.length)] as string;
      const isDeep = parent.split("/").length >= DEEPEST;
      directories.push(`${isDeep ? pick(modules) : parent}/${pick(WORDS)}${directories.length}`);
    }
    // Mostly the newest directory; some files are put beside older ones.
    const directory = chance(0.8) ? directories.at(-1) : pick(directories);
    paths.push(`${directory}/${pick(WORDS)}-${index}.${pick(ENDINGS)}`);
  }
  return paths;
}

/** A few kilobytes of lines that look like code. */
export function writeFile(index: number, seed: number): string[] {
  const source = random(seed * 1_000_003 + index);
  const length = SHORTEST + source.below(LONGEST - SHORTEST);
  return Array.from({ length }, () => writeLine(source));
}

export function writeLine(source: Random): string {
  const { below, pick, chance } = source;
  const indent = "  ".repeat(below(4));
  if (chance(0.12)) return "";
  if (chance(0.15)) return `${indent}}`;
  return `${indent}${pick(WORDS)}.${pick(WORDS)}(${pick(WORDS)}${below(1000)}, ${pick(WORDS)});`;
}
