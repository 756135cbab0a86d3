import { readFileSync, statSync } from "node:fs";
import { EMPTY_CONFIG, type FeedSourcesFile, type Parsed, parseConfig } from "../domain/config.ts";

export interface ConfigFile {
  /** The config as the file has it now; the last valid one while the file has errors. */
  current: () => FeedSourcesFile;
  /** True when there was no file at the start. */
  missing: boolean;
}

/**
 * Opens `feed-sources.json`. A missing file is an empty config; an invalid one is every error of it. Later edits count as soon as
 * they are saved; an edit that breaks the file is said once and does not count.
 */
export function openConfigFile(path: string, warn: (message: string) => void): Parsed<ConfigFile> {
  const first = read(path);
  if (!first.ok) return first;
  let version = versionOf(path);
  let config = first.value;
  const current = () => {
    const now = versionOf(path);
    if (now === version) return config;
    version = now;
    const next = read(path);
    if (next.ok) config = next.value;
    else warn(`${path} is not valid now, so what it said before still counts: ${next.errors.join("; ")}`);
    return config;
  };
  return { ok: true, value: { current, missing: version === "none" } };
}

function read(path: string): Parsed<FeedSourcesFile> {
  try {
    return parseConfig(readFileSync(path, "utf8"));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return { ok: true, value: EMPTY_CONFIG };
    return { ok: false, errors: [`$: cannot be read: ${(error as Error).message}`] };
  }
}

function versionOf(path: string): string {
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat ? `${stat.ino}:${stat.mtimeMs}:${stat.size}` : "none";
}
