/** Resolutions that people made, remembered on the fork: the same conflict is resolved the same way when it comes again. */

import type { Commit } from "./commit-object.ts";
import type { Engine } from "./engine.ts";
import type { ConflictEntry } from "./merge-tree.ts";
import type { Remote } from "./options.ts";
import type { RunRepository } from "./run-repository.ts";

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

export interface MemoryEntry {
  key: string;
  patch: string;
  subject: string;
  files: string[];
  release: string;
  by: string;
  commit: string;
  createdAt: string;
}

export class Memory {
  private constructor(_run: RunRepository, _fork: Remote) {}

  /** Reads nothing yet: a carry without conflicts must not pay for it. */
  static of(run: RunRepository, fork: Remote): Memory {
    return new Memory(run, fork);
  }

  async recall(_stop: Stop): Promise<Remembered | undefined> {
    return undefined;
  }

  async remember(
    _stop: Stop,
    _resolution: { tree: string; commit: string; by: string; release: string },
  ): Promise<void> {}
}

export async function listMemory(_engine: Engine, _fork: Remote, _signal?: AbortSignal): Promise<MemoryEntry[]> {
  return [];
}

export async function forgetMemory(
  _engine: Engine,
  _fork: Remote,
  _key: string,
  _signal?: AbortSignal,
): Promise<boolean> {
  return false;
}
