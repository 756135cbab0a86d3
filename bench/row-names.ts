/** What `--only` takes, in the order of the table. */
export const ROW_NAMES = [
  "memory",
  "disk",
  "sizes",
  "patches",
  "merges",
  "fallback",
  "bare",
  "second-fork",
  "maintenance",
  "range-diff",
  "real",
] as const;

export type RowName = (typeof ROW_NAMES)[number];

export function isRowName(name: string): name is RowName {
  return (ROW_NAMES as readonly string[]).includes(name);
}
