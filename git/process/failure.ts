/** What can go wrong with git, told so that a person can act on the first line. */

export type FailureKind = "auth" | "not-found" | "network" | "refused" | "cancelled" | "other";

/** Git did not do what it was asked. The message holds no secret; its first line says what to do. */
export class GitFailure extends Error {
  override name = "GitFailure";
  readonly kind: FailureKind;
  readonly exitCode?: number;

  constructor(kind: FailureKind, message: string, exitCode?: number) {
    super(message);
    this.kind = kind;
    this.exitCode = exitCode;
  }
}

/** A remote that the settings do not allow; the message says which setting would. */
export class RefusedRemote extends Error {
  override name = "RefusedRemote";
}

/** First match wins: git reports a lost connection after almost every other reason too. */
const SIGNS: [FailureKind, RegExp][] = [
  ["other", /cannot run ssh/i],
  ["other", /repository corruption|unable to read [0-9a-f]{40}|missing (blob|tree|commit)/i],
  ["auth", /authentication failed|could not read (username|password)|permission denied|host key verification failed/i],
  ["auth", /returned error: 40[13]|invalid (username|credentials)|access denied/i],
  [
    "not-found",
    /repository .*not found|does not appear to be a git repository|returned error: 404|couldn't find remote/i,
  ],
  ["not-found", /not our ref|unadvertised object|no such file or directory|is this a git repository/i],
  [
    "refused",
    /hook declined|protected branch|does not support --atomic|remote rejected|fsck error|redirect|not allowed/i,
  ],
  ["refused", /dubious ownership|returned error: 30\d|mismatched algorithms|object-format/i],
  ["network", /could not resolve|failed to connect|connection (timed out|refused|reset|closed)|too slow|timed out/i],
  [
    "network",
    /hung up unexpectedly|early eof|rpc failed|ssl|certificate|returned error: (5\d\d|429)|unable to access/i,
  ],
];

export function failureKind(stderr: string): FailureKind {
  return SIGNS.find(([, sign]) => sign.test(stderr))?.[0] ?? "other";
}

const ADVICE: Record<FailureKind, string> = {
  auth: "refused the credentials: check the token that tokenEnv names (or the ssh key) and that it may do this",
  "not-found": "does not have what was asked for: check the URL, and that the token may see the repository",
  network: "could not be reached: it is tried again; if this stays, check the URL, the network and the proxy",
  refused: "refused the request; git's words below say why",
  cancelled: "was left: the work was cancelled",
  other: "failed; git's words below say why",
};

/** `what` is the deed and its remote, such as `fetching from https://forge/x.git`. `stderr` must be scrubbed. */
export function describeFailure(kind: FailureKind, what: string, stderr: string): string {
  // What git says of itself, before its usage or a remote's chatter.
  const told = stderr.split("\n").filter((line) => /^(fatal|error|remote|ssh|!)\b|^ ! /.test(line));
  const words = (told.length > 0 ? told.join("\n") : stderr.trim()).slice(-2000);
  return `${what} ${ADVICE[kind]}${words ? `\n${words}` : ""}`;
}
