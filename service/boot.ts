import { resolve } from "node:path";
import { type Logger, pino } from "pino";
import type { FeedSourcesFile, Parsed } from "../domain/config.ts";
import { parseSettings, type Settings } from "../domain/settings.ts";
import { openFileRecords } from "../records/files.ts";
import type { Records } from "../records/records.ts";
import { type ConfigFile, openConfigFile } from "./config-file.ts";

/** What every process of the service starts with. */
export interface Boot {
  settings: Settings;
  config: () => FeedSourcesFile;
  configMissing: boolean;
  records: Records;
  secret: (variable: string) => string | undefined;
  log: Logger;
}

export type Environment = Record<string, string | undefined>;

/** The start is refused: `errors` are all of them, each a line that says what to do. */
export class StartRefused extends Error {
  override name = "StartRefused";
  readonly errors: string[];
  constructor(errors: string[]) {
    super(errors.join("\n"));
    this.errors = errors;
  }
}

/** Reads settings and config and opens the records. Throws StartRefused with every error at once. */
export async function boot(environment: Environment): Promise<Boot> {
  const settings = parseSettings(environment);
  const log = pino({ level: settings.ok ? settings.value.logLevel : "info" });
  const path = environment.FEED_SOURCES_PATH || "./feed-sources.json";
  const config = openConfigFile(path, (message) => log.error(message));
  const errors = [
    ...errorsOf(settings),
    ...errorsOf(config).map((line) => `${path}: ${line}`),
    ...unsupported(environment),
  ];
  if (errors.length > 0) throw new StartRefused(errors);
  const { value } = settings as { value: Settings };
  const { current, missing } = (config as { value: ConfigFile }).value;
  const dataDirectory = resolve(value.dataDirectory);
  const records = await openFileRecords({ directory: dataDirectory, warn: (message) => log.warn(message) });
  return {
    settings: { ...value, dataDirectory },
    config: current,
    configMissing: missing,
    records,
    secret: (variable) => environment[variable] || undefined,
    log,
  };
}

/** Better refused than quietly kept in files. */
function unsupported(environment: Environment): string[] {
  return environment.PATCH_DATABASE_URL
    ? [
        "PATCH_DATABASE_URL: records in PostgreSQL are not in this version; unset it to keep them in files under DATA_DIR",
      ]
    : [];
}

function errorsOf(parsed: Parsed<unknown>): string[] {
  return parsed.ok ? [] : parsed.errors;
}
