import { homedir } from "node:os";
import { join } from "node:path";
import type { TemporalSettings } from "../domain/settings.ts";
import type { Boot, Environment } from "../service/boot.ts";
import { cacheDirectoryIn, type EmbeddedTemporal, findTemporalCli, startEmbeddedTemporal } from "./embedded/index.ts";

/** Finds the Temporal server, or fetches it, and runs it with its database under `DATA_DIR/temporal`. */
export async function startEmbedded(
  { settings, log }: Boot,
  { cli: explicit, port, uiPort }: Extract<TemporalSettings, { kind: "embedded" }>,
  environment: Environment,
): Promise<EmbeddedTemporal> {
  const cli = await findTemporalCli({
    explicit,
    cacheDirectory: cacheDirectoryIn(environment, homedir()),
    path: environment.PATH ?? "",
    environment,
    report: (line) => console.log(line),
  });
  const directory = join(settings.dataDirectory, "temporal");
  return await startEmbeddedTemporal({ cli, directory, port, uiPort, log: (level, message) => log[level](message) });
}
