/** Figures as a Markdown table. */

import { type Counted, type Figure, isReached, ratios, type Skipped, spread } from "./figure.ts";

export const HEAD = `| Measure | Goal | Measured: median (least–most) | Reached | Ours / theirs, medians | Notes |
|---|---|---|---|---|---|`;

export type Line = Figure | Counted | Skipped;

export function asLine(line: Line): string {
  if ("skipped" in line) return cells([line.measure, "", "", "", "", `not measured: ${line.skipped}`]);
  return "counts" in line ? counted(line) : measured(line);
}

function measured(figure: Figure): string {
  const { measure, as, goal, ours, theirs, unit = "s", notes = "" } = figure;
  const { median, least, most } = ratios(figure);
  const wanted = goal === undefined ? "" : as === "times" ? `≥ ${goal}×` : `≤ ${share(goal)}`;
  const shown = as === "times" ? times : share;
  return cells([
    measure,
    wanted,
    `${shown(median)} (${shown(least)}–${shown(most)})`,
    answer(isReached(figure)),
    `${digits(spread(ours).median)} / ${digits(spread(theirs).median)} ${unit}`,
    notes,
  ]);
}

function counted({ measure, most, counts, notes = "" }: Counted): string {
  return cells([measure, `≤ ${most}`, counts.join(", "), answer(Math.max(...counts) <= most), "", notes]);
}

function answer(reached: boolean | undefined): string {
  return reached === undefined ? "" : reached ? "yes" : "**no**";
}

function cells(texts: string[]): string {
  return `| ${texts.join(" | ")} |`;
}

function times(value: number): string {
  return `${digits(value)}×`;
}

function share(value: number): string {
  return value < 0.5 ? `${digits(value * 100)} %` : digits(value);
}

function digits(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toPrecision(value >= 1 ? 3 : 2);
}
