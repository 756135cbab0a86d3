/** Finds conflict markers that somebody left. */

import { join } from "node:path";
import { shownPath } from "../repository/paths.ts";
import type { RunRepository } from "../repository/run-repository.ts";

/** Bigger files are not looked into. Nor are binary ones: git leaves no markers in those. */
const CONFIG = ["-c", "core.bigFileThreshold=50m"];
const FLAGS = ["--no-color", "--no-ext-diff", "--no-textconv", "--no-renames"];
/** What may be a marker of any size. */
const SEARCH = "-G^(<<<+|>>>+|===+|[|][|][|]+)([[:space:]]|$)";
const DEFAULT_SIZE = 7;

/**
 * Files in which `to` has marker lines that `from` has not, as people read their names. Lines that a patch of `stack` (a range)
 * adds on purpose, as tests and documents about conflicts do, are none. The lines between two sides look like headings, so they
 * count only in `conflicted` files (bytes), and are meant only where a patch adds them to that very file. What a marker is
 * follows `conflict-marker-size` of `to` (gitattributes(5)).
 */
export async function filesWithMarkers(
  run: RunRepository,
  from: string,
  to: string,
  stack: { base: string; tip: string },
  conflicted: string[] = [],
): Promise<string[]> {
  // Files whose diffs nobody wants to read are no binary ones for that: no attribute may say so.
  const diff = [...CONFIG, "diff", ...FLAGS, SEARCH];
  const files = (await run.bytes([...diff, "-z", "--name-only", from, to, "--"])).split("\0").filter(Boolean);
  if (files.length === 0) return [];
  const changes = changesIn(await run.bytes([...diff, "-U0", from, to, "--"]));
  const log = [...CONFIG, "log", "--format=", "-p", "-U0", ...FLAGS, SEARCH, stack.tip, `^${stack.base}`, "--"];
  const meant = changesIn(await run.bytes(log));
  const isMeant = (line: string, name: string) =>
    meant.some((change) => (/^[<>]/.test(line) || change.name === name) && change.added.includes(line));
  const sizes = await markerSizes(run, to, files);
  const found = files.filter((file, index) => {
    const isMarker = markers(sizes.get(file) ?? DEFAULT_SIZE, conflicted.includes(file));
    const { name = "", added = [] } = changes[index] ?? {};
    return added.some((line) => isMarker.test(line) && !isMeant(line, name));
  });
  return found.map(shownPath);
}

/** Those of the commits on top of `below` that add or remove what may be a marker. Merges are not among them. */
export async function commitsWithMarkers(run: RunRepository, below: string[], top: string): Promise<Set<string>> {
  return new Set(
    (await run.text([...CONFIG, "log", "--format=%H", ...FLAGS, SEARCH, top, "--not", ...below])).split("\n"),
  );
}

function markers(size: number, isConflicted: boolean): RegExp {
  const between = isConflicted ? `|={${size}}$|[|]{${size}}(?: |$)` : "";
  return new RegExp(`^(?:[<]{${size}}(?: |$)|[>]{${size}}(?: |$)${between})`);
}

interface Change {
  /** As git writes it: quoted where it must be. */
  name: string;
  /** Lines without their ends. */
  added: string[];
}

/** One a file, in the order of the files. */
function changesIn(patch: string): Change[] {
  const sections = patch.split(/^diff --git /m).slice(1);
  return sections.map((section) => {
    const lines = section.split("\n").filter((line) => line.startsWith("+"));
    const at = lines.findIndex((line) => line.startsWith("+++ "));
    const added = lines.slice(at + 1).map((line) => line.slice(1).replace(/\r$/, ""));
    return { name: lines[at] ?? "", added };
  });
}

async function markerSizes(run: RunRepository, commit: string, files: string[]): Promise<Map<string, number>> {
  // From an index every git can read them, also where there is no work tree.
  const environment = { GIT_INDEX_FILE: join(run.path, "markers.index") };
  await run.git(["read-tree", commit], { environment });
  const input = Buffer.from(files.map((file) => `${file}\0`).join(""), "latin1");
  const args = ["check-attr", "--cached", "--stdin", "-z", "conflict-marker-size"];
  const fields = (await run.bytes(args, { environment, input })).split("\0");
  const sizes = new Map<string, number>();
  for (let at = 0; at + 2 < fields.length; at += 3) {
    const size = Number(fields[at + 2]);
    if (size > 0) sizes.set(fields[at] as string, size);
  }
  return sizes;
}
