/** The embedded Temporal server: found, started, watched over. */
export { cacheDirectoryIn, type FindOptions, findInstalledCli, findTemporalCli } from "./find-binary.ts";
export { prepareNamespace, SEARCH_ATTRIBUTES } from "./namespace.ts";
export { TEMPORAL_CLI_VERSION } from "./pinned.ts";
export { whyNotFree } from "./ports.ts";
export { type EmbeddedOptions, type EmbeddedTemporal, startEmbeddedTemporal } from "./start.ts";
