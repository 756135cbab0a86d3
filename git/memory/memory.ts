/**
 * Resolutions that people made, remembered on the fork: the same conflict is resolved the same way when it comes again. Each is
 * a ref of its own, named by what makes the conflict that conflict (conflict-key.ts), on a commit (memory-entry.ts).
 */

import type { ConflictEntry } from "../merge/answer.ts";
import type { Remote } from "../options.ts";
import { push } from "../publish/push.ts";
import { type Commit, readCommit, secondsOf, writeObject } from "../repository/commit-object.ts";
import { shownPath } from "../repository/paths.ts";
import { readRemoteRefs } from "../repository/remote-refs.ts";
import type { RunRepository } from "../repository/run-repository.ts";
import { type ChangedFile, changedFiles, readObjects, sizesOf } from "../repository/tree-files.ts";
import { type KnownConflict, knowConflict, TEXT_LIMITS } from "./conflict-key.ts";
import { holdsMarkers } from "./conflict-text.ts";
import { changesOf, MOST_FILES, originOf, writeEntry } from "./entry.ts";
import { resolveAgain } from "./recall.ts";
import { fetchEntries, memoryRef, memoryRefs } from "./refs.ts";

export { forgetMemory, listMemory, type MemoryEntry } from "./list.ts";

/** A patch that does not apply. */
export interface Stop {
  patch: Commit;
  /** The merge's tree, with markers. */
  tree: string;
  entries: ConflictEntry[];
  files: string[];
}

export interface Remembered {
  key: string;
  tree: string;
  /** Who resolved it and for which release, as people read it. */
  by: string;
}

export interface PersonsResolution {
  /** What the person made of the stop's tree; further patches that they carried are not in it. */
  tree: string;
  /** The commit that accounts for the stopped patch; must be here. */
  commit: string;
  by: string;
  release: string;
}

export class Memory {
  readonly #run: RunRepository;
  readonly #fork: Remote;
  #refs: Promise<Map<string, string>> | undefined;

  private constructor(run: RunRepository, fork: Remote) {
    this.#run = run;
    this.#fork = fork;
  }

  /** Reads nothing yet: a carry without conflicts must not pay for it. */
  static of(run: RunRepository, fork: Remote): Memory {
    return new Memory(run, fork);
  }

  /**
   * What a person made of the same conflict; undefined when nobody met it, and where what they did does not fit any more. Reads
   * the fork's refs once, and then the one entry in question: of up to 1,000 files, of which those that differ from the
   * remembered ones are read up to 8 MiB each and 64 MiB together.
   */
  async recall(stop: Stop): Promise<Remembered | undefined> {
    this.#refs ??= memoryRefs(this.#run.engine, this.#fork, this.#run.signal);
    const refs = await this.#refs;
    if (refs.size === 0) return undefined;
    const conflict = await knowConflict(this.#run, stop);
    const { key } = conflict;
    const seen = refs.get(key);
    const entry = seen && (await fetchEntries(this.#run, this.#fork, new Map([[key, seen]]))).get(key);
    const origin = entry && originOf(entry);
    const changed = origin && (await changesOf(this.#run, entry.tree));
    const tree = changed && (await resolveAgain(this.#run, stop, conflict, changed));
    return tree ? { key, tree, by: `${origin.by}, for ${origin.release}` } : undefined;
  }

  /**
   * Remembers the resolution in place of an earlier one; twice is harmless. One that changes more than 1,000 files or 64 MiB,
   * or that leaves markers, is not remembered. Throws Blocked when the fork declines the push.
   */
  async remember(stop: Stop, { tree, commit, by, release }: PersonsResolution): Promise<void> {
    const conflict = await knowConflict(this.#run, stop);
    const changed = await this.#changes(conflict, await changedFiles(this.#run, stop.tree, tree));
    if (!changed) return;
    const { id, subject } = stop.patch;
    const origin = { patch: id, subject, files: stop.files.map(shownPath), release, by, commit };
    const made = secondsOf((await readCommit(this.#run, commit)).committer);
    const entry = await writeEntry(this.#run, changed, origin, made);
    if (entry) await this.#push(memoryRef(conflict.key), entry);
  }

  /** As they are remembered: with numbered markers. Undefined when they are not to be. */
  async #changes({ marked }: KnownConflict, changed: ChangedFile[]): Promise<ChangedFile[] | undefined> {
    if (changed.length > MOST_FILES) return undefined;
    const ids = changed.flatMap(({ before, after }) => [before, after].flatMap((file) => file?.oid ?? []));
    const bytes = [...(await sizesOf(this.#run, "blob", ids)).values()].reduce((sum, size) => sum + size, 0);
    const resolved = changed.filter(({ path }) => marked.has(path));
    const results = resolved.flatMap(({ after }) => after?.oid ?? []);
    const texts = await readObjects(this.#run, "blob", results, TEXT_LIMITS);
    const isLeft = !texts || resolved.length < marked.size || [...texts.values()].some(holdsMarkers);
    if (isLeft || bytes > TEXT_LIMITS.all) return undefined;
    return changed.map((change) => {
      const text = marked.get(change.path);
      if (text === undefined || !change.before) return change;
      const oid = writeObject(this.#run, "blob", Buffer.from(text, "latin1"));
      return { ...change, before: { ...change.before, oid } };
    });
  }

  /** Of two people who resolve the same conflict in the same moment, one is remembered. */
  async #push(ref: string, to: string): Promise<void> {
    for (let round = 0; round < 2; round++) {
      const seen = await readRemoteRefs(this.#run.engine, this.#fork, [ref], this.#run.signal);
      if ((await push(this.#run, this.#fork, [{ ref, from: seen.get(ref)?.sha, to }])).length === 0) return;
    }
  }
}
