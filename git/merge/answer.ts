/** What `git merge-tree` answers, with `-z` (git-merge-tree(1), OUTPUT). Paths are bytes (paths.ts). */

/** One stage of a path in conflict: 1 base, 2 ours, 3 theirs ("conflicted file info"). */
export interface ConflictEntry {
  path: string;
  stage: 1 | 2 | 3;
  mode: string;
  oid: string;
}

/** A tree in conflict is as whole as git can make it, with markers in its files. */
export type Merge =
  | { clean: true; tree: string }
  | { clean: false; tree: string; files: string[]; entries: ConflictEntry[] };

/** `<tree> NUL {<mode> <oid> <stage> TAB <path> NUL} NUL {<count> NUL {<path> NUL} <type> NUL <message> NUL}`. */
export function parseMerge(clean: boolean, output: string): Merge {
  const [tree = "", ...fields] = output.split("\0");
  if (clean) return { clean, tree };
  const end = fields.indexOf("");
  const entries = (end < 0 ? [] : fields.slice(0, end)).map(parseEntry);
  const files = new Set(entries.map(({ path }) => path));
  // Some conflicts (a directory that was renamed) leave no file in conflict: then the messages name the paths.
  if (files.size === 0) for (const path of pathsOfMessages(fields.slice(end + 1))) files.add(path);
  return { clean, tree, files: [...files], entries };
}

export function parseEntry(line: string): ConflictEntry {
  const tab = line.indexOf("\t");
  const [mode = "", oid = "", stage] = line.slice(0, tab).split(" ");
  return { path: line.slice(tab + 1), stage: Number(stage) as 1 | 2 | 3, mode, oid };
}

function pathsOfMessages(fields: string[]): string[] {
  const paths: string[] = [];
  for (let at = 0; /^\d+$/.test(fields[at] ?? ""); ) {
    const count = Number(fields[at]);
    const [type] = fields.slice(at + 1 + count, at + 2 + count);
    if (type?.startsWith("CONFLICT")) paths.push(...fields.slice(at + 1, at + 1 + count));
    at += count + 3;
  }
  return paths;
}

/**
 * Where the first answer of `merge-tree --stdin` ends: `<1 or 0> NUL <tree> NUL [entries NUL messages] NUL`. Undefined
 * while it is not whole.
 */
export function endOfAnswer(text: string): number | undefined {
  let at = 0;
  const field = (): string | undefined => {
    const end = text.indexOf("\0", at);
    if (end < 0) return undefined;
    const value = text.slice(at, end);
    at = end + 1;
    return value;
  };
  const clean = field();
  if (clean === undefined || field() === undefined) return undefined;
  if (clean === "0") {
    for (let entry = field(); entry !== ""; entry = field()) if (entry === undefined) return undefined;
    for (let count = field(); count !== ""; count = field()) {
      if (count === undefined) return undefined;
      for (let left = Number(count) + 2; left > 0; left--) if (field() === undefined) return undefined;
    }
    return at;
  }
  return field() === undefined ? undefined : at;
}
