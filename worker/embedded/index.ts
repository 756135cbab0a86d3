/** The embedded Temporal server: found, started, watched over. */
export { whyUnusable } from "./database.ts";
export {
  cacheDirectoryIn,
  type FindOptions,
  findInstalledCli,
  findTemporalCli,
  temporalVersion,
} from "./find-binary.ts";
export { prepareNamespace, SEARCH_ATTRIBUTES } from "./namespace.ts";
export { ownerOf } from "./ownership.ts";
export { TEMPORAL_CLI_VERSION } from "./pinned.ts";
export { whyNotFree } from "./ports.ts";
export { type EmbeddedOptions, type EmbeddedTemporal, startEmbeddedTemporal } from "./start.ts";
