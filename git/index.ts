/** The git engine. Usable without Temporal; the rest of the project imports from here only. */

export type { CandidateInput } from "./candidate.ts";
export type { Carried, Conflict, OnProgress } from "./carry.ts";
export { type FailureKind, GitFailure, RefusedRemote } from "./failure.ts";
export { type CarryOptions, type Git, openGit } from "./git.ts";
export { type GitOptions, INHERITED_VARIABLES, MINIMUM_GIT, type Remote } from "./options.ts";
export type { MemoryEntry } from "./memory.ts";
export type { Plan, PlanInput } from "./plan.ts";
export type { PromoteInput } from "./promote.ts";
export type { Push, PushedRef } from "./push.ts";
export type { Recipe, Stopped, Target } from "./recipe.ts";
export { channelMarker, handOffRefs } from "./ref-names.ts";
export type { Resolution } from "./resolution.ts";
export type { UpstreamCommit } from "./upstream-history.ts";
