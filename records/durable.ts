import { randomUUID } from "node:crypto";
import { type FileHandle, open, readdir, rename, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";

const TEMPORARY = /\.[0-9a-f-]{36}\.tmp$/;
/** No write takes this long: a temporary file older than this was left by a crash. */
const ABANDONED_MS = 60_000;

/** A name beside `path` for what is not finished yet; it does not grow with the name, which may be as long as names get. */
export function temporaryBeside(path: string): string {
  return join(dirname(path), `.${randomUUID()}.tmp`);
}

/** Replaces a file whole: after a crash at any moment the old content or the new one is there, never a mixture. */
export async function replaceFile(
  path: string,
  write: (file: FileHandle) => Promise<unknown>,
  mayReplace: () => Promise<boolean> = async () => true,
): Promise<boolean> {
  const temporary = temporaryBeside(path);
  try {
    const file = await open(temporary, "wx");
    try {
      await write(file);
      await file.sync();
    } finally {
      await file.close();
    }
    if (!(await mayReplace())) return false;
    await rename(temporary, path);
  } finally {
    await rm(temporary, { force: true });
  }
  await syncDirectory(dirname(path));
  return true;
}

/** Makes renames and new files in it survive a power cut. */
export async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Removes what a crash between writing and renaming left in a directory. */
export async function removeAbandoned(directory: string): Promise<void> {
  for (const name of await readdir(directory)) {
    if (!TEMPORARY.test(name)) continue;
    const path = join(directory, name);
    const found = await stat(path).catch(() => undefined);
    if (found && Date.now() - found.mtimeMs > ABANDONED_MS) await rm(path, { force: true });
  }
}
