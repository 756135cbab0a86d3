/** Conflict markers in a merged file, and the two sides between them. Text is bytes: one character a byte (latin1). */

/** The two sides of a conflict, with their line ends. */
export type Hunk = [ours: string, theirs: string];

/** git puts the path behind the label where the sides have the file under different names. */
const START = /^(<{7,99}) progress(?::.*?)?(\r?)$/s;
const END = /^(>{7,99}) (?:merge|[0-9a-f]{40}|[0-9a-f]{64})(?::.*?)?(\r?)$/s;

/**
 * The text with its markers numbered instead of labelled: labels name a patch, which may be another one next time, and numbers
 * keep a comparison of two such texts from mistaking one conflict for the next. Unchanged where there are no markers.
 */
export function numbered(text: string): string {
  let [starts, ends] = [0, 0];
  const lines = text.split("\n").map((line) => {
    const start = START.exec(line);
    if (start) return `${start[1]} conflict ${++starts}${start[2]}`;
    const end = END.exec(line);
    return end ? `${end[1]} conflict ${++ends}${end[2]}` : line;
  });
  return starts + ends > 0 ? lines.join("\n") : text;
}

/** Whether markers are left, as git wrote them or numbered. */
export function holdsMarkers(text: string): boolean {
  return /^(?:<{7,99}|>{7,99}) conflict \d+\r?$/m.test(numbered(text));
}

/**
 * The conflicts of a merged file, in order. Undefined where there are none, and where it is in doubt what is a marker and what
 * is a line of the file, as in documents about conflicts.
 */
export function hunksOf(text: string): Hunk[] | undefined {
  const lines = text.split("\n");
  const sizes = lines.flatMap((line) => START.exec(line)?.[1]?.length ?? []);
  if (sizes.length === 0) return undefined;
  // Conflicts inside of a conflict have longer markers: they are lines of the outer one.
  const size = Math.min(...sizes);
  const isMarker = new RegExp(`^(?:<{${size}}|\\|{${size}}|={${size}}|>{${size}})(?: |\\r?$)`);
  const hunks: Hunk[] = [];
  let sides: string[] = [];
  for (const line of lines) {
    const kind = START.test(line) ? "start" : END.test(line) ? "end" : /^=+\r?$/.test(line) ? "middle" : "line";
    if (!isMarker.test(line)) {
      if (sides.length > 0) sides.push(`${sides.pop()}${line}\n`);
      else if (kind === "start" || kind === "end") return undefined;
    } else if (kind === "start" && sides.length === 0) sides = [""];
    else if (kind === "middle" && sides.length === 1) sides.push("");
    else if (kind === "end" && sides.length === 2) {
      hunks.push(sides as Hunk);
      sides = [];
    } else if (sides.length > 0 || kind === "end") return undefined;
  }
  return sides.length === 0 ? hunks : undefined;
}
