/** Reads what `git diff-tree --stdin --always --raw [-p]` says (git-diff-tree(1), "Raw output format"). */

export interface FileDiff {
  /** Absent for a file that is new. */
  from?: string;
  /** Absent for a file that is deleted. */
  to?: string;
  old: Entry;
  new: Entry;
  /** Of the hunks, each with its sign; `@@` begins a hunk. */
  lines: string[];
  /** Binary, or too large to be read. */
  opaque: boolean;
}

export interface Entry {
  mode: string;
  blob: string;
}

/** By the path after the change, or before it for a deleted file. */
export type Diff = Map<string, FileDiff>;

/** A diff for each commit that was asked for, in this order. Bytes are characters (latin1). */
export function parseDiffs(output: string): Diff[] {
  const diffs: Diff[] = [];
  let diff: Diff = new Map();
  let file: FileDiff | undefined;
  let [from, blobs, inHunk] = ["", "", false];
  for (const line of output.split("\n")) {
    if (inHunk && /^[-+ \\]/.test(line)) {
      if (!line.startsWith("\\")) file?.lines.push(line);
    } else if (line.startsWith("@@")) {
      inHunk = true;
      file?.lines.push("@@");
    } else if (line.startsWith(":")) {
      const entry = parseEntry(line);
      diff.set(entry.to ?? (entry.from as string), entry);
    } else if (/^[0-9a-f]{40,64}$/.test(line)) {
      diff = new Map();
      diffs.push(diff);
      inHunk = false;
    } else if (line.startsWith("diff --git ")) inHunk = false;
    else if (line.startsWith("index ")) blobs = line.split(" ")[1] as string;
    else if (line.startsWith("--- ")) from = nameIn(line);
    else if (line.startsWith("+++ ")) file = diff.get(nameIn(line) || from);
    else if (line.startsWith("Binary files ")) {
      for (const each of diff.values()) if (`${each.old.blob}..${each.new.blob}` === blobs) each.opaque = true;
    }
  }
  return diffs;
}

/** `:<mode> <mode> <blob> <blob> <status> TAB <path> [TAB <path>]`. */
function parseEntry(line: string): FileDiff {
  const [head = "", ...names] = line.slice(1).split("\t");
  const [oldMode = "", newMode = "", oldBlob = "", newBlob = "", status = ""] = head.split(" ");
  const [from = "", to = from] = names.map(unquoted);
  return {
    ...(status !== "A" && { from }),
    ...(status !== "D" && { to }),
    old: { mode: oldMode, blob: oldBlob },
    new: { mode: newMode, blob: newBlob },
    lines: [],
    opaque: false,
  };
}

/** Of a `---` or `+++` line; empty for /dev/null. A tab follows a name with a space in it. */
function nameIn(line: string): string {
  const name = unquoted(line.slice(4).replace(/\t$/, ""));
  return name === "/dev/null" ? "" : name;
}

const ESCAPES: Record<string, string> = { a: "\x07", b: "\b", t: "\t", n: "\n", v: "\v", f: "\f", r: "\r" };

/** Git quotes names with odd bytes in them (git-config(1), core.quotePath). */
function unquoted(name: string): string {
  if (!name.startsWith('"')) return name;
  return name
    .slice(1, -1)
    .replace(/\\([0-7]{3}|.)/g, (_, code: string) =>
      code.length === 3 ? String.fromCharCode(Number.parseInt(code, 8)) : (ESCAPES[code] ?? code),
    );
}
