import { dirname, resolve } from "node:path";
import { EMPTY_CONFIG, type FeedSourcesFile } from "../../domain/config.ts";
import { parseSettings, type Settings } from "../../domain/settings.ts";
import { openConfigFile } from "../../service/config-file.ts";
import { checkFeeds } from "./feeds.ts";
import { bounded, type Finding, fail, ok, warn } from "./finding.ts";
import { checkForks } from "./forks.ts";
import { checkDataDirectory, checkNode, checkSandbox } from "./machine.ts";
import { checkPort } from "./ports.ts";
import { checkTemporal } from "./temporal.ts";

export type Environment = Record<string, string | undefined>;

/** Everything that the checks of the outside need. */
export interface Patient {
  environment: Environment;
  settings: Settings;
  config: FeedSourcesFile;
}

const QUICK_MS = 20_000;
const NETWORK_MS = 40_000;

/** Runs the checks at the same time and yields what they find in a fixed order. */
export async function* examine(environment: Environment): AsyncGenerator<Finding> {
  yield checkNode(process.versions.node);
  const parsed = parseSettings(environment);
  if (!parsed.ok) {
    for (const error of parsed.errors) yield fail(error);
    return yield warn("the other checks need valid settings", "set them right and run this again");
  }
  const settings = { ...parsed.value, dataDirectory: resolve(parsed.value.dataDirectory) };
  yield ok("settings are valid");
  if (settings.databaseUrl) {
    yield fail("PATCH_DATABASE_URL is set, and records in PostgreSQL are not in this version", "unset it");
  }
  const { config, findings } = readConfig(settings.feedSourcesPath);
  yield* findings;
  const patient = { environment, settings, config };
  const checks = [
    bounded("DATA_DIR", QUICK_MS, () => checkDataDirectory(settings.dataDirectory)),
    bounded("API port", QUICK_MS, () => checkPort("PORT", settings.host, settings.port, settings.dataDirectory)),
    bounded("Temporal", NETWORK_MS, () => checkTemporal(patient)),
    bounded("build sandbox", QUICK_MS, () => checkSandbox(config)),
    checkForks(patient, NETWORK_MS),
    checkFeeds(patient, NETWORK_MS),
  ];
  for (const check of checks) yield* await check;
}

function readConfig(path: string): { config: FeedSourcesFile; findings: Finding[] } {
  const opened = openConfigFile(path, () => {});
  if (!opened.ok) return { config: EMPTY_CONFIG, findings: opened.errors.map((error) => fail(`${path}: ${error}`)) };
  const config = opened.value.current();
  if (opened.value.missing) {
    const todo = `write one in ${dirname(resolve(path))}, or name it in FEED_SOURCES_PATH`;
    return { config, findings: [warn(`${path} is not there: the service would watch nothing`, todo)] };
  }
  const summary = `${path} is valid: ${config.sources.length} source(s), ${config.forks.length} fork(s)`;
  return { config, findings: [ok(summary)] };
}
