/** Finds conflict markers that somebody left. */

import type { RunRepository } from "./run-repository.ts";

const MARKER = /^\+((?:<{7}|>{7}) .*)$/;
const DIFF = ["--no-color", "--no-ext-diff", "--no-textconv", "--no-renames", "--text"];
const SEARCH = "-G^(<<<<<<<|>>>>>>>) ";

/**
 * Files in which `to` has marker lines that `from` has not. Lines that a patch of `stack` (a range) adds on purpose, as
 * tests and documents about conflicts do, are none.
 */
export async function filesWithMarkers(
  run: RunRepository,
  from: string,
  to: string,
  stack: { base: string; tip: string },
): Promise<string[]> {
  const listed = await run.text(["diff", ...DIFF, "-z", "--name-only", SEARCH, from, to, "--"]);
  const files = listed.split("\0").filter(Boolean);
  if (files.length === 0) return [];
  const meant = markerLines(await run.text(["log", "-p", "-U0", ...DIFF, SEARCH, stack.tip, `^${stack.base}`, "--"]));
  const found: string[] = [];
  for (const file of files) {
    const lines = markerLines(await run.text(["diff", ...DIFF, "-U0", from, to, "--", file]));
    if ([...lines].some((line) => !meant.has(line))) found.push(file);
  }
  return found;
}

function markerLines(diff: string): Set<string> {
  return new Set(diff.split("\n").flatMap((line) => MARKER.exec(line.replace(/\r$/, ""))?.[1] ?? []));
}
