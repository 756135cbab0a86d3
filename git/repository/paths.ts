/** Names of files as git has them: bytes. Inside the engine each is a string of one character a byte (latin1). */

/** As people see it: UTF-8 where it is valid, else with the odd bytes escaped as git does (core.quotePath). */
export function shownPath(path: string): string {
  const bytes = Buffer.from(path, "latin1");
  const text = bytes.toString("utf8");
  if (Buffer.from(text, "utf8").equals(bytes)) return text;
  return path.replace(/[\x80-\xff]/g, (byte) => `\\${byte.charCodeAt(0).toString(8)}`);
}
