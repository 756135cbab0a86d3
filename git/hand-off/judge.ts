/** Judges one branch that a person pushed: what of it is taken, or why nothing is. docs/reference/hand-off.md has all cases. */

import { short } from "../blocked.ts";
import { accountsOn, nameOf } from "../carry/decisions.ts";
import { describe } from "../carry/stack.ts";
import type { Recipe } from "../recipe.ts";
import { type Commit, readCommit, secondsOf } from "../repository/commit-object.ts";
import type { RunRepository } from "../repository/run-repository.ts";
import { foldAll, foldLine } from "./fold.ts";
import { filesOfTools, filesUntouched } from "./leftovers.ts";
import { commitsWithMarkers, filesWithMarkers } from "./markers.ts";
import { commitsOnTop, foreignMerge, isLine, MOST_ON_TOP, withoutIdleMerges } from "./on-top.ts";
import type { ConflictAgain, StopAgain } from "./stop.ts";

/** A leftover is of another stop, or nothing at all, and says nothing about this one. */
export type Verdict = Accepted | { refused: string; leftover?: true };

export interface Accepted {
  head: Commit;
  /** Whoever pushed it. */
  by: string;
  /** Of a conflict: what the person made of the stopped patch. */
  own?: Commit;
  /** The last commit before those of later patches, where these follow: its tree is the answer to the conflict alone. */
  answer?: Commit;
}

export interface Place {
  /** Of the branch that was pushed, and of the one that it must build on; as people write them. */
  name: string;
  progress: string;
  /** Whether it is the branch on which the commit with the markers was put. */
  holdsConflict: boolean;
}

export class Judge {
  readonly #run: RunRepository;
  readonly #recipe: Recipe;
  readonly #stop: StopAgain;

  constructor(run: RunRepository, recipe: Recipe, stop: StopAgain) {
    this.#run = run;
    this.#recipe = recipe;
    this.#stop = stop;
  }

  async judge(place: Place, head: string): Promise<Verdict> {
    const { name, progress } = place;
    const { conflict } = this.#stop;
    if (head === this.#stop.progress) return { refused: nothingOnTop(place, conflict !== undefined), leftover: true };
    if (head === conflict?.commit) {
      return { refused: `${name} is the conflict as it is: resolve it, commit and push again`, leftover: true };
    }
    if (!(await this.#run.isAncestor(this.#stop.progress, head))) {
      return {
        refused: `${name} (${short(head)}) does not build on ${progress} (${short(this.#stop.progress)}): fetch ${progress}, put the fix on top of it and push that to ${name} with --force-with-lease`,
        leftover: true,
      };
    }
    const commits = await commitsOnTop(this.#run, this.#below, head);
    const flaw = shapeFlaw(place, commits, this.#below) ?? (await this.#contentFlaw(place, head));
    if (flaw) return { refused: flaw };
    const kept = withoutIdleMerges(commits, this.#below, ({ id }) => id === conflict?.commit);
    if (conflict) return this.#judgeResolution(place, conflict, kept);
    if (!isLine(kept, this.#stop.progress)) return { refused: asPlainCommits(place, "holds merges") };
    const top = kept.at(-1) as Commit;
    return { head: top, by: nameOf(top) };
  }

  /** What the person had to build on. */
  get #below(): string[] {
    return [this.#stop.progress, ...(this.#stop.conflict?.others ?? [])];
  }

  async #contentFlaw({ name }: Place, head: string): Promise<string | undefined> {
    const marked = await this.#markedFiles(head);
    if (marked.length > 0)
      return `${name} still has conflict markers in ${listed(marked)}: resolve them, commit and push again`;
    const tools = await filesOfTools(this.#run, this.#stop.progress, head, this.#recipe);
    if (tools.length === 0) return undefined;
    return `${name} adds ${listed(tools)}, which resolving left behind: delete or rename it, commit and push again`;
  }

  async #judgeResolution(place: Place, conflict: ConflictAgain, commits: Commit[]): Promise<Verdict> {
    const { name } = place;
    const accounts = accountsOn(commits, conflict.left, conflict.others);
    const own = accounts.get(conflict.patch.id);
    if (!own) return { refused: missing(place, conflict), leftover: true };
    const top = commits.at(-1) as Commit;
    // A merge is fixed from there, wherever it is pushed.
    const isMerge = conflict.patch.parents.length > 1;
    if (place.holdsConflict || isMerge || commits.some(({ id }) => id === conflict.commit)) {
      const untouched = await filesUntouched(this.#run, conflict, top, commits);
      if (untouched.length > 0) {
        return {
          refused: `${name} leaves ${listed(untouched)} as the conflict has it, which no marker shows: change it, or where it is right so name it in the message of a commit there, and push again`,
        };
      }
    }
    return this.#inOneLine(place, conflict, commits, accounts);
  }

  /** What has markers must not stay in the history, and what a forge merged is made plain where only one thing can be meant. */
  async #inOneLine(
    place: Place,
    conflict: ConflictAgain,
    commits: Commit[],
    accounts: Map<string, Commit>,
  ): Promise<Verdict> {
    const own = accounts.get(conflict.patch.id) as Commit;
    const top = commits.at(-1) as Commit;
    const release = await readCommit(this.#run, this.#recipe.release);
    const fold = { run: this.#run, seconds: secondsOf(release.committer) };
    if (!isLine(commits, this.#stop.progress, conflict.others.length > 0 ? own : undefined)) {
      if (accounts.size > 1) return { refused: asPlainCommits(place, "holds merges, and later patches beside") };
      const folded = foldAll(fold, own, top.tree, this.#below);
      return { head: folded, by: nameOf(top), own: folded, answer: folded };
    }
    const starts = new Set(accounts.values());
    const markers = await commitsWithMarkers(this.#run, this.#below, top.id);
    const marked = new Set<Commit>();
    for (const commit of starts) {
      if (commit === top || (commit !== own && !markers.has(commit.id))) continue;
      if (commit.id === conflict.commit || (await this.#markedFiles(commit.id)).length > 0) marked.add(commit);
    }
    const line = foldLine(fold, commits, marked, starts);
    return { head: line.at(-1) as Commit, by: nameOf(top), ...answerIn(line, conflict) };
  }

  #markedFiles(commit: string): Promise<string[]> {
    return filesWithMarkers(this.#run, this.#stop.progress, commit, this.#recipe, this.#stop.conflict?.files);
  }
}

function answerIn(line: Commit[], { patch, left, others }: ConflictAgain): Pick<Accepted, "own" | "answer"> {
  const accounts = accountsOn(line, left, others);
  const own = accounts.get(patch.id) as Commit;
  const later = new Set([...accounts.values()].filter((commit) => commit !== own));
  const next = line.findIndex((commit) => later.has(commit));
  if (next < 0) return { own, answer: line.at(-1) as Commit };
  return next > line.indexOf(own) ? { own, answer: line[next - 1] as Commit } : { own };
}

function shapeFlaw(place: Place, commits: Commit[], below: string[]): string | undefined {
  if (commits.length >= MOST_ON_TOP) return asPlainCommits(place, `holds ${MOST_ON_TOP} commits or more`);
  const merge = foreignMerge(commits, below);
  return (
    merge &&
    asPlainCommits(place, `holds the merge ${describe(merge)} of commits that do not build on ${place.progress}`)
  );
}

function asPlainCommits({ name, progress }: Place, what: string): string {
  return `${name} ${what}: put the fix on top of ${progress} as plain commits and push again`;
}

function nothingOnTop({ name }: Place, isConflict: boolean): string {
  const leaveOut = isConflict ? "; if nothing should be left of the patch, leave it out with skip-patch" : "";
  return `${name} is the progress itself: commit the fix on top of it and push again${leaveOut}`;
}

function missing({ name, progress }: Place, { patch, others }: ConflictAgain): string {
  if (others.length > 0) {
    const sides = others.map(short).join(" and ");
    return `the stopped merge ${describe(patch)} is missing from ${name}: it must merge ${sides} into ${progress}; amend the conflict branch, which does, and push that`;
  }
  return `the stopped patch ${describe(patch)} is missing from ${name}: cherry-pick it (git cherry-pick -x ${patch.id}), or if one of the commits there is it, put the line "(cherry picked from commit ${patch.id})" in its message, and push again; or skip it with a reason`;
}

const MOST_LISTED = 5;

function listed(files: string[]): string {
  const more = files.length > MOST_LISTED ? ` and ${files.length - MOST_LISTED} more` : "";
  return files.slice(0, MOST_LISTED).join(", ") + more;
}
