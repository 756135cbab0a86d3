/** What names a record in its log. Parts that come from outside are joined with NUL, which no id holds. */

import type { MaintenanceAttempt } from "../domain/attempt.ts";
import type { Dispatch, FeedJob, FeedSignal, FlowEvent } from "../domain/events.ts";

export const feedSignalKey = (signal: Pick<FeedSignal, "sourceId" | "entryId">): string =>
  `${signal.sourceId}\0${signal.entryId}`;

export const feedJobKey = (job: Pick<FeedJob, "id">): string => job.id;

export const flowEventKey = (event: Pick<FlowEvent, "id">): string => event.id;

export const dispatchKey = (dispatch: Pick<Dispatch, "eventId" | "createdAt">): string =>
  `${dispatch.eventId}\0${dispatch.createdAt}`;

export const attemptKey = (attempt: Pick<MaintenanceAttempt, "id">): string => attempt.id;
