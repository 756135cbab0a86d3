/** Lines of a diff as what they say. */

import type { FileDiff } from "./parse.ts";

/** Lines that a change removes in one place, and those that it puts there. */
export interface Block {
  removed: string[];
  added: string[];
}

export function blocksOf({ lines }: FileDiff): Block[] {
  const blocks: Block[] = [];
  let open: Block | undefined;
  for (const line of lines) {
    if (!/^[-+]/.test(line)) open = undefined;
    else {
      if (!open) blocks.push((open = { removed: [], added: [] }));
      open[line.startsWith("-") ? "removed" : "added"].push(said(line));
    }
  }
  return blocks;
}

export function removedBy(file: FileDiff): string[] {
  return blocksOf(file).flatMap(({ removed }) => removed);
}

export function addedBy(file: FileDiff): string[] {
  return blocksOf(file).flatMap(({ added }) => added);
}

/** Without sign, indentation and spacing: a line that only moves to the right is the same. */
function said(line: string): string {
  return line.slice(1).trim().replace(/\s+/g, " ");
}

/** Says nothing by itself, and is everywhere: a diff may take one such line for another. */
export function isTrivial(line: string): boolean {
  const characters = line.match(/[\w\x80-\xff]/g)?.length ?? 0;
  return characters < 3 || /^\W*(begin|break|done|else|end|endif|esac|return|then)\W*$/i.test(line);
}

export function wordsOf(line: string): string[] {
  return line.match(/[\w\x80-\xff]+/g) ?? [];
}

/** How often each is there. */
export class Bag {
  readonly #counts = new Map<string, number>();

  constructor(lines: Iterable<string> = []) {
    for (const line of lines) this.#counts.set(line, this.count(line) + 1);
  }

  count(line: string): number {
    return this.#counts.get(line) ?? 0;
  }

  /** False when there is none left. */
  take(line: string): boolean {
    const count = this.count(line);
    if (count > 0) this.#counts.set(line, count - 1);
    return count > 0;
  }

  /** Makes it hold each as often as the other does, where that is more often. */
  rise(other: Bag): this {
    for (const [line, count] of other.#counts) this.#counts.set(line, Math.max(count, this.count(line)));
    return this;
  }
}
