import type { Decision, LedgerRow } from "../domain/attempt.ts";
import { conflictCommands, fixCommands } from "../domain/hand-off.ts";
import type { Conflict } from "../git/index.ts";
import type { Carry, HandOver, Work } from "./steps.ts";

/** What a person is told where an attempt stops, and how to go on from there. */

/** More than a person would read; a conflict of thousands of files must still fit a payload. */
const MOST_FILES_TOLD = 200;
const MOST_CHARACTERS_OF_FILES = 20_000;
const LONGEST_SUBJECT = 200;
const LONGEST_EVIDENCE = 1_000;

export function conflictStop({ attemptId, release }: Work, stop: Conflict): Extract<Carry, { kind: "conflict" }> {
  const { progress, conflict, patch, subject, submodules, isMerge, remembered } = stop;
  const proposal = stop.proposal && { ...stop.proposal, evidence: cut(stop.proposal.evidence, LONGEST_EVIDENCE) };
  const files = fewFiles(stop.files);
  const merge = isMerge ? "The merge " : "";
  const more = stop.files.length > files.length ? ` and ${stop.files.length - files.length} more` : "";
  const lines = [
    `${merge}"${shownSubject(subject)}" (${short(patch)}) does not apply: ${files.join(", ")}${more}.`,
    ...(proposal ? [`Upstream has probably taken it: ${proposal.evidence}. If so, leave it out with skip-patch.`] : []),
    ...upstreamLines(stop),
  ];
  return {
    kind: "conflict",
    message: lines.join("\n"),
    commands: conflictCommands({ attemptId, name: release.name, patch, subject, files, submodules, isMerge }),
    files,
    proposal,
    stopped: { progress, conflict, patch },
    remembered,
  };
}

function upstreamLines({ upstreamCommits, moreUpstreamCommits }: Conflict): string[] {
  if (upstreamCommits.length === 0) return [];
  const lines = upstreamCommits.map(
    ({ commit, subject, what }) => `  ${short(commit)} ${shownSubject(subject)}${what ? ` (${what})` : ""}`,
  );
  const more = moreUpstreamCommits > 0 ? [`  and ${moreUpstreamCommits} more`] : [];
  return ["Upstream commits that touched them:", ...lines, ...more];
}

const MOST_WARNINGS = 50;
const LONGEST_WARNING = 1_000;

/** Warnings quote upstream's files, and travel through history: as many and as long as a person would read. */
export function boundedWarnings(warnings: string[]): string[] {
  const told = warnings.slice(0, MOST_WARNINGS).map((text) => cut(text, LONGEST_WARNING));
  return warnings.length > told.length ? [...told, `and ${warnings.length - told.length} more warnings`] : told;
}

/** For a fork that stops on warnings. */
export function warningsStop({ attemptId, release }: Work, tip: string, warnings: string[]): HandOver {
  const task = "Look at what the warnings name: where all is well push nothing and resume, else commit what mends it.";
  return {
    message: ["The stack is carried, and may be broken all the same:", ...warnings.map((each) => `- ${each}`)].join(
      "\n",
    ),
    commands: fixCommands({ attemptId, name: release.name, task }),
    stopped: { progress: tip },
  };
}

/** `suspects` as from `suspectsAmong`. */
export function buildStop({ attemptId, release }: Work, tip: string, failed: string, suspects: string[]): HandOver {
  const task = "Make the build pass, and commit what it takes.";
  return {
    message: [failed, ...suspects].join("\n"),
    commands: fixCommands({ attemptId, name: release.name, task }),
    stopped: { progress: tip },
  };
}

/** Resolutions from memory that may be what broke a build, each with how to be rid of it. */
export function suspectsAmong({ fork, decisions }: Work, ledger: LedgerRow[] = []): string[] {
  const remembered = decisions.filter(
    (each): each is Decision & { kind: "resolution"; memory: string } =>
      each.kind === "resolution" && each.memory !== undefined,
  );
  if (remembered.length === 0) return [];
  const lines = remembered.map(({ patch, by, memory }) => {
    const subject = shownSubject(ledger.find((row) => row.patch === patch)?.subject ?? "");
    const who = by ? `resolved by ${by}` : "resolved by a person";
    return `  ${subject ? `"${subject}" ` : ""}(${short(patch)}), ${who}; to forget it: DELETE /forks/${fork}/resolutions/${memory}`;
  });
  return [
    "",
    "These resolutions were remembered from earlier conflicts. If one is to blame, forget it and retry:",
    ...lines,
  ];
}

/** As many as fit, and one at least. */
function fewFiles(files: string[]): string[] {
  let characters = 0;
  const isTooMuch = (file: string, index: number) =>
    (characters += file.length) > MOST_CHARACTERS_OF_FILES && index > 0;
  const end = files.slice(0, MOST_FILES_TOLD).findIndex(isTooMuch);
  return files.slice(0, end < 0 ? MOST_FILES_TOLD : end);
}

/** A commit's subject may be as long as its author likes. */
export function shownSubject(subject: string): string {
  return cut(subject, LONGEST_SUBJECT);
}

function cut(text: string, longest: number): string {
  // A pair of surrogates is not left halved.
  return text.length > longest ? `${text.slice(0, longest - 1).replace(/[\uD800-\uDBFF]$/, "")}…` : text;
}

function short(commit: string): string {
  return commit.slice(0, 12);
}
