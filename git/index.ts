/** The git engine. Usable without Temporal; the rest of the project imports from here only. */

export type { Carried, Conflict, OnProgress } from "./carry/carry.ts";
export type { UpstreamCommit } from "./evidence/upstream-history.ts";
export { type CarryOptions, type Git, openGit } from "./git.ts";
export type { Resolution } from "./hand-off/resolution.ts";
export type { MemoryEntry } from "./memory/memory.ts";
export { type GitOptions, INHERITED_VARIABLES, MINIMUM_GIT, type Remote } from "./options.ts";
export type { Plan, PlanInput } from "./plan.ts";
export { type FailureKind, GitFailure, RefusedRemote } from "./process/failure.ts";
export type { CandidateInput } from "./publish/candidate.ts";
export type { PromoteInput } from "./publish/promote.ts";
export type { Push, PushedRef } from "./publish/push.ts";
export type { Recipe, Stopped, Target } from "./recipe.ts";
export { channelMarker, handOffRefs } from "./repository/ref-names.ts";
