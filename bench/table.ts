/** Figures as a Markdown table. */

import { type Counted, type Figure, isReached, ratios, type Skipped, spread } from "./figure.ts";

export const HEAD = `| Measure | Goal | Measured: median (least–most) | Reached | Ours / theirs, medians | Notes |
|---|---|---|---|---|---|`;

export type Line = Figure | Counted | Skipped;

export function asLine(figure: Line): string {
  if ("skipped" in figure) return cells([figure.measure, "", "", "", "", `not measured: ${figure.skipped}`]);
  if ("counts" in figure) return counted(figure);
  const { median, least, most } = ratios(figure);
  const times = isTimes(figure);
  const measured = `${shown(median, times)} (${shown(least, times)}–${shown(most, times)})`;
  const reached = isReached(figure);
  const [ours, theirs] = [spread(figure.ours).median, spread(figure.theirs).median];
  const unit = figure.unit ?? "s";
  return cells([
    figure.measure,
    goal(figure),
    measured,
    reached === undefined ? "" : reached ? "yes" : "**no**",
    `${digits(ours)} / ${digits(theirs)} ${unit}`,
    figure.notes ?? "",
  ]);
}

function counted({ measure, most, counts, notes = "" }: Counted): string {
  const reached = Math.max(...counts) <= most ? "yes" : "**no**";
  return cells([measure, `≤ ${most}`, counts.join(", "), reached, "", notes]);
}

function cells(texts: string[]): string {
  return `| ${texts.join(" | ")} |`;
}

function isTimes({ goal }: Figure): boolean {
  return goal !== undefined && "least" in goal;
}

function goal({ goal }: Figure): string {
  if (!goal) return "";
  return "least" in goal ? `≥ ${goal.least}×` : `≤ ${shown(goal.most, false)}`;
}

function shown(value: number, times: boolean): string {
  if (times) return `${digits(value)}×`;
  return value < 0.2 ? `${digits(value * 100)} %` : digits(value);
}

function digits(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toPrecision(2 + Number(value >= 1));
}
