import { access, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** What is known of the database file; kept beside it in `database.json`. */
interface Marker {
  /** Version of the CLI whose server made it. */
  cli: string;
  /** False until the server has answered for the first time: until then nothing can be in it. */
  complete: boolean;
}

export function databasePath(directory: string): string {
  return join(directory, "temporal.db");
}

/**
 * Why the database cannot be used by this server, and what to do; undefined when it can, or when there is none. The server
 * makes its schema for a new file only and never migrates one.
 */
export async function whyUnusable(directory: string, cliVersion: string): Promise<string | undefined> {
  const path = databasePath(directory);
  if (!(await exists(path))) return undefined;
  const marker = await readMarker(directory);
  const moveAway = `move the directory ${directory} away to start with an empty Temporal (refs and records stay)`;
  if (!marker) {
    return `${path} has no readable database.json beside it, so the Temporal version that made it is unknown. Restore that file from your backup, or ${moveAway}.`;
  }
  if (!marker.complete || marker.cli === cliVersion) return undefined;
  return (
    `${path} was made by Temporal CLI ${marker.cli}, and this is ${cliVersion}, which cannot read it safely; it is left untouched. ` +
    `Set PATCH_TEMPORAL_CLI to a ${marker.cli} binary and let the open attempts end, or ${moveAway}.`
  );
}

/** Refuses a database that cannot be used, and makes way for a new one where the making of the last was interrupted. */
export async function checkDatabase(directory: string, cliVersion: string): Promise<void> {
  const problem = await whyUnusable(directory, cliVersion);
  if (problem) throw new Error(problem);
  const path = databasePath(directory);
  if ((await exists(path)) && (await readMarker(directory))?.complete) return;
  for (const suffix of ["", "-wal", "-shm", "-journal"]) await rm(`${path}${suffix}`, { force: true });
  await writeMarker(directory, { cli: cliVersion, complete: false });
}

/** To be called once the server answers, before anybody else can use it. */
export async function markComplete(directory: string, cliVersion: string): Promise<void> {
  if (!(await readMarker(directory))?.complete) await writeMarker(directory, { cli: cliVersion, complete: true });
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

async function readMarker(directory: string): Promise<Marker | undefined> {
  try {
    const marker = JSON.parse(await readFile(join(directory, "database.json"), "utf8")) as Partial<Marker>;
    return typeof marker.cli === "string" ? { cli: marker.cli, complete: marker.complete === true } : undefined;
  } catch {
    return undefined;
  }
}

async function writeMarker(directory: string, marker: Marker): Promise<void> {
  const path = join(directory, "database.json");
  await writeFile(`${path}.tmp`, `${JSON.stringify(marker)}\n`);
  await rename(`${path}.tmp`, path);
}
