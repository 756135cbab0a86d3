import type { FileHandle } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";

const NEWLINE = 0x0a;
const CHUNK_BYTES = 1 << 20;

/**
 * Hands over the whole lines of a growing file from byte `from` on, and returns the byte after the last of them: where
 * to go on next time. A half line at the end, which another process may be writing, is left.
 */
export async function readLines(
  file: FileHandle,
  from: number,
  onLine: (line: Buffer, at: number) => void,
): Promise<number> {
  const { size } = await file.stat();
  let position = from;
  let taken = from;
  let rest: Buffer = Buffer.alloc(0);
  while (position < size) {
    const chunk = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, size - position));
    const { bytesRead } = await file.read(chunk, 0, chunk.length, position);
    if (bytesRead === 0) break;
    position += bytesRead;
    rest = Buffer.concat([rest, chunk.subarray(0, bytesRead)]);
    let start = 0;
    for (let end = rest.indexOf(NEWLINE); end !== -1; end = rest.indexOf(NEWLINE, start)) {
      onLine(rest.subarray(start, end), taken + start);
      start = end + 1;
    }
    taken += start;
    rest = rest.subarray(start);
  }
  return taken;
}

/** The bytes after the last newline, and where they start; empty for a file that ends as it should. */
export async function unfinishedTail(file: FileHandle): Promise<{ start: number; bytes: Buffer }> {
  const { size } = await file.stat();
  let start = size;
  let tail: Buffer = Buffer.alloc(0);
  while (start > 0) {
    const length = Math.min(CHUNK_BYTES, start);
    const chunk = Buffer.alloc(length);
    const { bytesRead } = await file.read(chunk, 0, length, start - length);
    const newline = chunk.subarray(0, bytesRead).lastIndexOf(NEWLINE);
    if (newline !== -1) {
      tail = Buffer.concat([chunk.subarray(newline + 1, bytesRead), tail]);
      return { start: start - length + newline + 1, bytes: tail };
    }
    tail = Buffer.concat([chunk.subarray(0, bytesRead), tail]);
    start -= length;
  }
  return { start: 0, bytes: tail };
}

/** Waits, in milliseconds, that tell a line which is being written (the kernel shows long ones page by page) from a torn one. */
const LOOKS = [1, 4, 15, 30];

/** Whether the next append would land on a line that something left unfinished. */
export async function endsMidLine(file: FileHandle): Promise<boolean> {
  for (const wait of LOOKS) {
    if (await endsWithNewline(file)) return false;
    await sleep(wait);
  }
  return !(await endsWithNewline(file));
}

async function endsWithNewline(file: FileHandle): Promise<boolean> {
  const { size } = await file.stat();
  if (size === 0) return true;
  const last = Buffer.alloc(1);
  await file.read(last, 0, 1, size - 1);
  return last[0] === NEWLINE;
}
