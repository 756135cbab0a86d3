/** The table of docs/reference/hand-off.md: tests take their names and the messages they expect from it. */

import { page } from "../docs/markdown.ts";

export interface Row {
  id: string;
  what: string;
  /** How a refusal begins; what is in angle brackets stands for anything. */
  refusal?: string;
}

export const ROWS: Row[] = [
  ...page("docs/reference/hand-off.md").text.matchAll(/^\| (`.*) \| (.*) \| (.*) \|$/gm),
].flatMap(([, ids = "", what = "", answer = ""]) => {
  const [, refusal] = /refused\b.*: `([^`]*)`$/.exec(answer) ?? [];
  return [...ids.matchAll(/`([a-z-]+)`/g)].map(([, id]) => ({ id: id as string, what, ...(refusal && { refusal }) }));
});

function rowOf(id: string): Row {
  const row = ROWS.find((each) => each.id === id);
  if (!row) throw new Error(`docs/reference/hand-off.md has no row ${id}`);
  return row;
}

/** The name of the test of a row. */
export function row(id: string): string {
  return `[${id}] ${rowOf(id).what}`;
}

/** What a refusal must look like to be the one that the row shows. */
export function refusalOf(id: string): RegExp {
  const { refusal } = rowOf(id);
  if (!refusal) throw new Error(`the row ${id} refuses nothing`);
  const parts = refusal.split(/<[\w-]+>/).map((part) => part.replace(/[.+^${}()|[\]\\*?]/g, "\\$&"));
  return new RegExp(`^${parts.join(".+?")}`, "s");
}
