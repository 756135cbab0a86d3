/** The nouns of one maintenance attempt, as CONTRACT.md's records and HTTP API show them. Plain data, JSON-safe. */

export const ATTEMPT_STATUSES = [
  "started",
  "needs_intervention",
  "blocked",
  "changed",
  "completed",
  "skipped",
  "failed",
  "superseded",
  "cancelled",
] as const;
export type AttemptStatus = (typeof ATTEMPT_STATUSES)[number];

/** Statuses in which an attempt has ended for good: a retry makes a new attempt only after the last three and `failed`. */
export function hasEnded(status: AttemptStatus): boolean {
  return !isOpen(status);
}

/** Running, or waiting for a person: the attempt still owns its hand-off refs. */
export function isOpen(status: AttemptStatus): boolean {
  return status === "started" || isWaiting(status);
}

/** Stopped until a person, or something outside, changes. */
export function isWaiting(status: AttemptStatus): boolean {
  return status === "needs_intervention" || status === "blocked";
}

export type Operation = "dispatch" | "retry" | "replay";

export type Outcome = "applied" | "dropped" | "resolved" | "skipped" | "conflict" | "pending";

/** What became of one patch of the stack. `patch` and `commit` are full object ids. */
export interface LedgerRow {
  patch: string;
  subject: string;
  outcome: Outcome;
  /** The commit that carries the patch now; absent when nothing carries it. */
  commit?: string;
  /** Why a row is `dropped`, `skipped` or `resolved`: an upstream commit, a person's reason, a resolution's commit. */
  evidence?: string;
}

/**
 * What a person decided about a stopped carry. The release, the stack and the list of decisions give the same commits on
 * every machine, so they are all that an attempt has to remember.
 */
export type Decision =
  /** `memory`: the key of the remembered resolution that made it; absent for one that a person pushed for this attempt. */
  | { kind: "resolution"; patch: string; commit: string; by?: string; memory?: string }
  | { kind: "skip"; patch: string; reason: string; by?: string }
  /** A person's commits on top of the whole carried stack, made to let the build pass. `onto` is the tip they fixed. */
  | { kind: "fix"; onto: string; commit: string; by?: string };

export type ChannelName = "internal" | "public";

export interface Intervention {
  /** `warnings`: the stack was carried, and the fork's `stopOnWarnings` asks a person to look at what may be broken. */
  kind: "conflict" | "build" | "warnings" | "blocked" | "approval";
  /** Names this wait: a decision that carries it releases this wait and no other. */
  token: string;
  /** The stopped patch, for a conflict. */
  patch?: string;
  files?: string[];
  /** Shell lines that work when pasted in a fresh clone of the fork; comments start with `#`. */
  commands: string[];
  message: string;
  /** Set where a patch looks taken by upstream though not provably so; `skip-patch` accepts it. */
  proposal?: { drop: true; evidence: string };
  /** For an approval: the channels that still wait for `promote`. */
  channels?: ChannelName[];
}

export const DECISIONS = ["resume", "skipPatch", "retry", "abort", "promote"] as const;
export type DecisionName = (typeof DECISIONS)[number];

/** What a wait can be ended by. */
export const ENDED_BY: Record<Intervention["kind"], readonly DecisionName[]> = {
  conflict: ["resume", "skipPatch", "retry", "abort"],
  build: ["resume", "retry", "abort"],
  warnings: ["resume", "retry", "abort"],
  blocked: ["resume", "retry", "abort"],
  approval: ["promote", "abort"],
};

/**
 * Names of what is kept beside an attempt's record. An artifact's name is its path, percent-encoded, after the prefix.
 * `resolutions` is of a fork, under the id of its workflow: the resolutions that it remembered when that was last asked.
 */
export const ATTACHMENTS = {
  rangeDiff: "range-diff.txt",
  buildLog: "build.log",
  artifactPrefix: "artifact.",
  resolutions: "resolutions.json",
} as const;

export interface CandidateRef {
  kind: "branch" | "tag" | "channel" | "patch-branch" | "progress" | "conflict";
  ref: string;
  repo?: string;
  remote?: string;
  sha?: string;
  url?: string;
  pushed?: boolean;
}

/** One try to take one release. `id` is the id of its workflow. Times are ISO 8601, UTC. */
export interface MaintenanceAttempt {
  id: string;
  eventId: string;
  eventType: string;
  operation: Operation;
  status: AttemptStatus;
  fork?: string;
  upstreamRepo?: string;
  upstreamRef?: string;
  upstreamSha?: string;
  upstreamTag?: string;
  workspaceBackendUrl?: string;
  workspaceRunIds: string[];
  workspaceRunStatuses?: Record<string, string>;
  candidateRefs: CandidateRef[];
  ledger?: LedgerRow[];
  intervention?: Intervention;
  /** Things that went on but that a person should know of, e.g. a build that ran without a sandbox. */
  warnings?: string[];
  message?: string;
  error?: string;
  createdAt: string;
  updatedAt: string;
  completedAt?: string;
}
