/** Every workflow of the task queue `patchmoi`, by its type name. */
export { maintainFork } from "./maintain-fork.ts";
export { maintainRelease } from "./maintain-release.ts";
export { watchFeed } from "./watch-feed.ts";
