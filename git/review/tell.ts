/** A review in words: a line a warning, whatever is in names, subjects and files. */

import { short } from "../blocked.ts";
import { shownPath } from "../repository/paths.ts";
import type { Shrunk } from "./applied.ts";
import type { Change } from "./comparison.ts";
import type { Loss } from "./lost.ts";

const LONGEST_QUOTE = 60;
const LONGEST_SUBJECT = 72;

export function tellLosses(losses: Loss[]): string[] {
  const groups = new Map<string, Loss[]>();
  for (const loss of losses.filter(({ whole }) => whole)) {
    const key = [loss.whole, ...loss.by.map(({ id }) => id)].join(" ");
    groups.set(key, [...(groups.get(key) ?? []), loss]);
  }
  const lines = losses.filter(({ whole }) => !whole);
  lines.sort((one, other) => other.gone.length + other.back.length - one.gone.length - one.back.length);
  return [...[...groups.values()].map(tellFiles), ...lines.map(tellLines)];
}

function tellFiles(losses: Loss[]): string {
  const [{ whole, by }] = losses as [Loss];
  const what = counted(losses.length, "file");
  const fate = whole === "gone" ? "of upstream gone, which the old stack kept" : "back, which upstream removed";
  return oneLine(`${what} ${fate}${byWhom(by)}: ${fewFiles(losses.map(({ file }) => file))}`);
}

function tellLines({ file, gone, back, by }: Loss): string {
  const fates = [
    ...(gone.length > 0 ? [`${counted(gone.length, "line")} of upstream gone, which the old stack kept`] : []),
    ...(back.length > 0 ? [`${counted(back.length, "line")} back, which upstream removed`] : []),
  ];
  const signed = [0, 1].flatMap((at) => [
    ...gone.slice(at, at + 1).map((line) => `-${line}`),
    ...back.slice(at, at + 1).map((line) => `+${line}`),
  ]);
  return oneLine(`${shownPath(file)}: ${fates.join("; ")}${byWhom(by)}: ${signed.slice(0, 2).map(quoted).join(", ")}`);
}

function byWhom(by: Change[]): string {
  return by.length > 0 ? `, by ${few(by.map(named), 2)}` : "";
}

export function tellShrunk({ change, files, lines, others, upstream }: Shrunk): string {
  const left =
    files.length > 0 ? [`${lines.left} of ${counted(lines.before, "changed line")} left in ${fewFiles(files)}`] : [];
  const gone = others.map(({ what, name }) => `it no longer changes the ${what} of ${shownPath(name)}`);
  const why = upstream ? "upstream has the rest" : "the rest was there already";
  return oneLine(`${named(change)} became smaller: ${few([...left, ...gone], 3)}; ${why}`);
}

export function tellFuzzy({ change, files }: { change: Change; files: { name: string; share: number }[] }): string {
  const places = files.map(({ name, share }) => `${shownPath(name)} (${Math.round(share * 100)} %)`);
  return oneLine(`${named(change)} was applied with fuzz in files that upstream changed much: ${few(places, 3)}`);
}

export function tellUnread(files: string[], more: number): string[] {
  const unread = `not compared, being binary or large, and changed by upstream and the stack: ${fewFiles(files)}`;
  return [
    ...(files.length > 0 ? [oneLine(unread)] : []),
    ...(more > 0 ? [`${counted(more, "file")} not compared: there are too many`] : []),
  ];
}

function named({ id, subject, outcome }: Change): string {
  const how = outcome === "resolved" ? " (resolved)" : "";
  return `${short(id)} "${cut(subject, LONGEST_SUBJECT)}"${how}`;
}

/** A line of a file, byte for byte. */
function quoted(line: string): string {
  return `\`${cut(Buffer.from(line, "latin1").toString("utf8"), LONGEST_QUOTE)}\``;
}

function cut(text: string, longest: number): string {
  const characters = Array.from(text);
  return characters.length > longest ? `${characters.slice(0, longest - 1).join("")}…` : text;
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

function fewFiles(paths: string[]): string {
  return few(paths.map(shownPath), 3);
}

/** The first ones, and how many more there are. */
function few(all: string[], most: number): string {
  const rest = all.length - most;
  return rest > 0 ? `${all.slice(0, most).join(", ")} and ${rest} more` : all.join(", ");
}

/** What comes from strangers can neither break the line nor speak to a terminal. */
function oneLine(text: string): string {
  return text.replace(/[\0-\x1f\x7f-\x9f\u2028\u2029]+/g, " ");
}
