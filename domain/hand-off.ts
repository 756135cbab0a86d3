/** The refs by which a stopped attempt and a person hand work to each other, and the commands that a person is shown. */

export const progressRef = (name: string) => `refs/heads/patchmoi/progress/${name}`;
export const resolutionRef = (name: string) => `refs/heads/patchmoi/resolution/${name}`;
/** Where a resolution does not belong, and is looked for only to say so. */
export const resolutionTag = (name: string) => `refs/tags/patchmoi/resolution/${name}`;
export const conflictRef = (name: string) => `refs/heads/patchmoi/conflict/${name}`;

/** One word of a POSIX shell line. */
export function shellWord(text: string): string {
  return /^[A-Za-z0-9_./:@%+=,-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

/**
 * A file's name in a comment: a line break in it must not begin a command, and an interactive zsh reads comments as commands, so
 * it is quoted like any word.
 */
function commentWord(text: string): string {
  return shellWord(isPlain(text) ? text : JSON.stringify(text));
}

function isPlain(text: string): boolean {
  return !/[\x00-\x1f\x7f]/.test(text);
}

/** Stands in a comment for the token of the wait, which is not known before the wait begins. */
const TOKEN = "{token}";

export function withToken(commands: string[], token: string): string[] {
  return commands.map((line) => (line.startsWith("#") ? line.replaceAll(TOKEN, token) : line));
}

function callLine(attemptId: string, decision: string, body = ""): string {
  return `#   curl -X POST "$PATCH_URL/maintenance-attempts/${encodeURIComponent(attemptId)}/${decision}"${body}`;
}

/** How to go on once the fix is pushed; comments, because where the API listens is the operator's business. */
function resumeLines(attemptId: string): string[] {
  return [
    "# Then let patch.moi go on, by any of these:",
    callLine(attemptId, "resume"),
    `#   temporal workflow signal --workflow-id ${shellWord(attemptId)} --name resume`,
    "#   the Temporal Web UI: this workflow, Send Signal, name: resume",
  ];
}

/** Of which submodule two commits are wanted; absent where a side has it not, or not as a submodule. */
export interface SubmoduleConflict {
  path: string;
  release?: string;
  patch?: string;
}

export interface ConflictShown {
  attemptId: string;
  name: string;
  patch: string;
  subject: string;
  /** As people read their names. */
  files: string[];
  /** Those of the files that are submodules. */
  submodules: SubmoduleConflict[];
  /** Whether the stopped patch is a merge. */
  isMerge: boolean;
}

/**
 * Fixing one patch that does not apply, in lines that can be pasted in a fresh clone of the fork. The `cherry-pick` stops at the
 * conflict. A merge is not made again: git would merge the sides without what the patch's author did in it, and stop
 * elsewhere or not at all.
 */
export function conflictCommands(stop: ConflictShown): string[] {
  const { patch, submodules } = stop;
  const files = stop.files.filter((file) => !submodules.some(({ path }) => path === file));
  const told =
    stop.files.slice(0, MOST_NAMED).map(commentWord).join(" ") + (stop.files.length > MOST_NAMED ? " …" : "");
  const task = `Edit ${told} until the patch is right (or delete what should go), then:`;
  const body = ` -H 'Content-Type: application/json' -d '{"token": "${TOKEN}", "reason": "why it may go"}'`;
  const allowed = stop.subject === "" ? "--allow-empty --allow-empty-message" : "--allow-empty";
  const start = stop.isMerge
    ? [...startAt(conflictRef(stop.name)), `# It is the merge, with its conflicts marked. ${task}`]
    : [
        ...startAt(progressRef(stop.name)),
        `git cherry-pick ${allowed} ${patch}`,
        `# It stops at the conflict. ${task}`,
      ];
  const how = stop.isMerge ? "--amend --no-edit" : `-C ${patch}`;
  return [
    ...start,
    ...submodules.slice(0, MOST_NAMED).flatMap(submoduleLines),
    ...addLine(files),
    `git commit ${allowed} ${how}`,
    `git push origin +HEAD:${shellWord(resolutionRef(stop.name))}`,
    ...resumeLines(stop.attemptId),
    "# Or leave the patch out:",
    callLine(stop.attemptId, "skip-patch", body),
  ];
}

/** `git add` knows a submodule's commit only where the submodule is checked out. */
function submoduleLines({ path, release, patch }: SubmoduleConflict): string[] {
  const wanted = [release && `progress has ${release}`, patch && `the patch ${patch}`].filter(Boolean).join(", ");
  const word = commentWord(path);
  return [
    `# ${word} is a submodule: ${wanted}. Record the commit that is right (or git rm --cached ${word}):`,
    `#   git update-index --cacheinfo 160000,${patch ?? release},${word}`,
  ];
}

function addLine(files: string[]): string[] {
  if (files.length === 0) return [];
  const canBeNamed = files.length <= MOST_NAMED && files.every(canBeTyped);
  return [canBeNamed ? `git add -A -- ${files.map(shellWord).join(" ")}` : "git add -A"];
}

/** More files than this are not named one by one. */
const MOST_NAMED = 20;

/** As a pathspec that means this file: not one with wildcards or odd bytes, nor one that git named itself in the conflict. */
function canBeTyped(file: string): boolean {
  return isPlain(file) && !/^:|[\\*?[~]/.test(file);
}

function startAt(ref: string): string[] {
  return [`git fetch origin ${shellWord(ref)}`, "git switch --detach FETCH_HEAD"];
}

/** Putting commits on top of a carried stack; `task` says what for, as one sentence. */
export function fixCommands(stop: { attemptId: string; name: string; task: string }): string[] {
  return [
    ...startAt(progressRef(stop.name)),
    `# ${stop.task} (Or mend the patch branch itself, and retry instead of resume.)`,
    `git push origin +HEAD:${shellWord(resolutionRef(stop.name))}`,
    ...resumeLines(stop.attemptId),
  ];
}

/** `{tag}` in a configured branch or tag name. */
export function expandName(template: string, name: string): string {
  return template.replaceAll("{tag}", () => name);
}
