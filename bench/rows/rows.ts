/** All rows, in the order of the table. */

import type { Grounds } from "../grounds.ts";
import type { RowName } from "../row-names.ts";
import type { Line } from "../table.ts";
import { bare } from "./bare.ts";
import { disk, memory } from "./carry.ts";
import { maintenance } from "./maintenance.ts";
import { rangeDiff } from "./range-diff.ts";
import { real } from "./real.ts";
import { secondFork } from "./second-fork.ts";
import { patches, sizes } from "./sizes.ts";
import { fallback, merges } from "./ways.ts";

export type Row = (grounds: Grounds) => AsyncGenerator<Line>;

export const ROWS: Record<RowName, Row> = {
  memory,
  disk,
  sizes,
  patches,
  merges,
  fallback,
  bare,
  "second-fork": secondFork,
  maintenance,
  "range-diff": rangeDiff,
  real,
};
