/** One bare mirror an upstream: a cache that may be deleted whenever nothing runs. */

import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readdir, rename, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Remote } from "../options.ts";
import type { Engine } from "../process/engine.ts";
import { GitFailure } from "../process/failure.ts";
import { withWriterLock } from "./writer-lock.ts";

/** Files in a mirror whose times say when it was last asked, and last packed anew as a whole. */
const LAST_USED = "patchmoi-used";
const LAST_PACKED = "patchmoi-packed";

/** A mirror that no step asked for in so long belongs to an upstream that nobody follows any more. */
const IDLE_MS = 30 * 24 * 60 * 60 * 1000;
/** Only then is thrown away what upstream took back, and only what was unreachable for twice as long. */
const REPACK_MS = 7 * 24 * 60 * 60 * 1000;

/** More packs than this are rolled together; nothing unreachable is ever thrown away, as runs may borrow it. */
const MOST_PACKS = 20;

/** How refs are brought anywhere: these refs and nothing beside. */
export const FETCH = ["fetch", "--no-tags", "--no-write-fetch-head", "--no-auto-maintenance"] as const;

export class Mirror {
  readonly path: string;
  readonly #engine: Engine;
  readonly #remote: Remote;

  constructor(engine: Engine, remote: Remote) {
    this.#engine = engine;
    this.#remote = remote;
    const name = createHash("sha256").update(remote.url).digest("hex").slice(0, 32);
    this.path = join(mirrorsDirectory(engine.options.directory), `${name}.git`);
  }

  get objects(): string {
    return join(this.path, "objects");
  }

  /** Whether the commit is here with all of its history: on a ref, as only a finished fetch leaves it. */
  async holds(commit: string, signal?: AbortSignal): Promise<boolean> {
    if (!existsSync(this.objects)) return false;
    await writeFile(join(this.path, LAST_USED), "").catch(() => undefined);
    const args = ["rev-list", "--max-count=1", "--count", commit, "--not", "--all"];
    const { exitCode, stdout } = await this.#engine.run(this.path, args, { signal, accept: [128] });
    return exitCode === 0 && stdout.toString().trim() === "0";
  }

  /** Brings all heads and tags here. */
  async update(signal?: AbortSignal): Promise<void> {
    await this.#write(signal, async () => {
      const refspecs = ["+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*"];
      if (await this.#fetch(["--prune", "--"], refspecs, signal)) await this.#maintain(signal);
    });
  }

  /** Makes sure that the commit is here. False when upstream does not have it any more. */
  async ensure(commit: string, signal?: AbortSignal): Promise<boolean> {
    if (await this.holds(commit, signal)) return true;
    await this.update(signal);
    if (await this.holds(commit, signal)) return true;
    try {
      await this.#write(signal, async () => {
        await this.#fetch(["--"], [`+${commit}:refs/patchmoi/wanted/${commit}`], signal);
      });
    } catch (error) {
      if (error instanceof GitFailure && ["not-found", "refused", "other"].includes(error.kind)) return false;
      throw error;
    }
    return this.holds(commit, signal);
  }

  /** True when anything changed: git says nothing when nothing did. */
  async #fetch(flags: string[], refspecs: string[], signal?: AbortSignal): Promise<boolean> {
    const args = (url: string) => [...FETCH, ...flags, url, ...refspecs];
    const { stderr } = await this.#engine.runRemote(this.path, this.#remote, "fetching from", args, { signal });
    return stderr !== "";
  }

  /** Runs `work` as the only writer; a mirror that is broken is made afresh, once. */
  async #write(signal: AbortSignal | undefined, work: () => Promise<void>): Promise<void> {
    await withWriterLock(`${this.path}.lock`, signal, async () => {
      await this.#prepare(signal);
      try {
        await work();
      } catch (error) {
        if (!(error instanceof GitFailure) || error.kind !== "other" || (await this.#isSound(signal))) throw error;
        await this.#retire();
        await this.#prepare(signal);
        await work();
      }
    });
  }

  async #prepare(signal?: AbortSignal): Promise<void> {
    if (existsSync(this.path)) {
      if (existsSync(join(this.path, "HEAD")) && existsSync(this.objects)) return removeLeftovers(this.path);
      await this.#retire();
    }
    // Made aside and renamed: a mirror that is there is whole.
    const fresh = `${this.path}.new`;
    await rm(fresh, { recursive: true, force: true });
    await mkdir(fresh, { recursive: true });
    await this.#engine.run(fresh, ["init", "--bare"], { signal });
    for (const name of [LAST_USED, LAST_PACKED]) await writeFile(join(fresh, name), "");
    await rename(fresh, this.path);
  }

  async #isSound(signal?: AbortSignal): Promise<boolean> {
    const { exitCode } = await this.#engine.run(this.path, ["rev-list", "--all", "--count", "--max-count=1"], {
      signal,
      accept: [1, 128],
    });
    return exitCode === 0;
  }

  async #retire(): Promise<void> {
    const aside = `${this.path}.retired`;
    await rm(aside, { recursive: true, force: true });
    await rename(this.path, aside);
    await rm(aside, { recursive: true, force: true });
  }

  async #maintain(signal?: AbortSignal): Promise<void> {
    const packs = (await readdir(join(this.objects, "pack"))).filter((name) => name.endsWith(".pack"));
    if (packs.length > MOST_PACKS) {
      await this.#engine.run(this.path, ["repack", "-d", "--geometric=2", "--write-midx"], { signal });
    }
    await this.#engine.run(this.path, ["pack-refs", "--all"], { signal });
    await this.#engine.run(this.path, ["commit-graph", "write", "--reachable", "--split", "--no-progress"], { signal });
  }
}

function mirrorsDirectory(directory: string): string {
  return join(directory, "mirrors");
}

/** Keeps the mirrors on this disk bounded. Safe beside running steps of any process. */
export async function tidyMirrors(engine: Engine): Promise<void> {
  const mirrors = mirrorsDirectory(engine.options.directory);
  for (const name of await readdir(mirrors).catch(() => [])) {
    const path = join(mirrors, name);
    if (name.endsWith(".git")) await tidyMirror(engine, path);
    // What a killed process was making or taking away.
    else if (/\.(new|retired)$/.test(name) && (await age(path)) > REPACK_MS)
      await rm(path, { recursive: true, force: true });
  }
}

async function tidyMirror(engine: Engine, path: string): Promise<void> {
  const isIdle = async () => (await age(join(path, LAST_USED))) > IDLE_MS;
  const isDue = async () => (await age(join(path, LAST_PACKED))) > REPACK_MS;
  if (!(await isIdle()) && !(await isDue())) return;
  await withWriterLock(`${path}.lock`, undefined, async () => {
    if (await isIdle()) return rm(path, { recursive: true, force: true, maxRetries: 3 });
    if (!(await isDue())) return;
    await removeLeftovers(path);
    await engine.run(path, ["gc", "--quiet", "--prune=2.weeks.ago"]);
    await writeFile(join(path, LAST_PACKED), "");
  });
}

/** Milliseconds since the file was written; of one that is not there, since the mirror was. */
async function age(path: string): Promise<number> {
  const { mtimeMs } = await stat(path).catch(() => stat(dirname(path)));
  return Date.now() - mtimeMs;
}

/** A killed git leaves locks and half packs; under the writer lock nobody else can hold them. */
async function removeLeftovers(directory: string): Promise<void> {
  const entries = await readdir(directory, { withFileTypes: true });
  for (const entry of entries) {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) {
      // Loose objects need no lock, and there may be many directories of them.
      if (!/^[0-9a-f]{2}$/.test(entry.name)) await removeLeftovers(path);
    } else if (entry.name.endsWith(".lock") || entry.name.startsWith("tmp_")) {
      await rm(path, { force: true });
    }
  }
}
