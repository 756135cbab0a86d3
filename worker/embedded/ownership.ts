import { randomUUID } from "node:crypto";
import { link, readFile, rename, rm, stat, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { identityOf, type ProcessIdentity, stateOf } from "./process-identity.ts";

const BEAT_MS = 1000;
/** How long a lock whose owner cannot be seen has to stay without a heartbeat to count as left behind. */
const SILENCE_MS = 5000;

/** Holds `directory` for this process, so that two services do not run on one database. */
export async function takeOwnership(directory: string): Promise<{ release(): Promise<void> }> {
  const path = join(directory, "owner.json");
  const text = JSON.stringify({ ...(await identityOf(process.pid)), nonce: randomUUID() });
  while (!(await create(path, text))) {
    const held = await readFile(path, "utf8").catch(() => undefined);
    if (held === undefined) continue;
    const owner = ownerIn(held);
    if (await isHeld(path, owner)) {
      throw new Error(
        `${directory} is in use by ${owner ? `process ${owner.pid}` : "another process"}: ` +
          `stop that patch.moi first, or give this one another DATA_DIR.`,
      );
    }
    await removeExactly(path, held);
  }
  const beat = setInterval(() => {
    const now = new Date();
    void utimes(path, now, now).catch(() => {});
  }, BEAT_MS);
  beat.unref();
  return {
    release: async () => {
      clearInterval(beat);
      await removeExactly(path, text);
    },
  };
}

/** The process that holds `directory` as far as can be seen from here; undefined when none does. */
export async function ownerOf(directory: string): Promise<number | undefined> {
  const owner = ownerIn(await readFile(join(directory, "owner.json"), "utf8").catch(() => ""));
  return owner && (await stateOf(owner)) === "alive" ? owner.pid : undefined;
}

/** Complete from the first moment: written aside, then linked to its name, which fails where the name is taken. */
async function create(path: string, text: string): Promise<boolean> {
  const aside = `${path}.${randomUUID()}`;
  await writeFile(aside, text);
  try {
    await link(aside, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  } finally {
    await rm(aside, { force: true });
  }
}

function ownerIn(text: string): ProcessIdentity | undefined {
  try {
    return JSON.parse(text) as ProcessIdentity;
  } catch {
    return undefined;
  }
}

async function isHeld(path: string, owner: ProcessIdentity | undefined): Promise<boolean> {
  const state = owner ? await stateOf(owner) : "gone";
  if (state !== "elsewhere") return state === "alive";
  const before = await beatOf(path);
  await sleep(SILENCE_MS);
  return (await beatOf(path)) !== before;
}

async function beatOf(path: string): Promise<number> {
  return (await stat(path).catch(() => undefined))?.mtimeMs ?? 0;
}

/** Removes the lock only if it is still the one that was judged; somebody may have taken it anew meanwhile. */
async function removeExactly(path: string, text: string): Promise<void> {
  const aside = `${path}.${randomUUID()}`;
  try {
    await rename(path, aside);
  } catch {
    return;
  }
  if ((await readFile(aside, "utf8")) !== text) await link(aside, path).catch(() => {});
  await rm(aside, { force: true });
}
