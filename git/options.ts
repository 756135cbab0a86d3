/** What the engine is given from outside. It reads no environment itself. */

import type { Merging } from "./merge/engines.ts";

/** The oldest git whose merges are those of today's: since then `ort` is how git merges. */
export const MINIMUM_GIT = "2.34";

/** Variables of the surrounding environment that git may see; the composition root picks them and nothing else. */
export const INHERITED_VARIABLES: readonly string[] = [
  "PATH",
  "TMPDIR",
  "http_proxy",
  "https_proxy",
  "HTTPS_PROXY",
  "all_proxy",
  "ALL_PROXY",
  "no_proxy",
  "NO_PROXY",
  "SSL_CERT_FILE",
  "SSL_CERT_DIR",
  "GIT_SSL_CAINFO",
  "GIT_SSL_CAPATH",
  "SSH_AUTH_SOCK",
];

export interface GitOptions {
  /** Everything the engine writes is under here, and may be deleted whenever nothing runs. */
  directory: string;
  /** Remotes may resolve to loopback, private or link-local addresses, and such remotes may use plain `http:`. */
  allowPrivateNetwork: boolean;
  /** `file:` URLs and paths may be remotes. */
  allowLocalRepos: boolean;
  /** How patches are merged; by default the fastest way that this git knows. All give the same commits. */
  merging?: Merging;
  /** The environment of git; names other than INHERITED_VARIABLES are ignored. */
  environment: Record<string, string>;
}

export interface Remote {
  url: string;
  /** Password for `https:`; given to git by askpass only, with the user name `x-access-token`. */
  token?: string;
}
