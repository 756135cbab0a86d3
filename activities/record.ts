import { isOpen, type MaintenanceAttempt, type Operation } from "../domain/attempt.ts";
import type { FeedSourcesFile } from "../domain/config.ts";
import type { FlowEvent } from "../domain/events.ts";
import { type ForkState, type KnownAttempt, remember } from "../domain/fork-queue.ts";
import type { Release } from "../domain/offer.ts";
import { isOlderRelease } from "../domain/release.ts";
import type { Records } from "../records/records.ts";
import type { AttemptChange } from "./steps.ts";

export interface RecordDeps {
  config: () => FeedSourcesFile;
  records: Records;
}

interface Opening {
  attemptId: string;
  fork: string;
  release: Release;
  event: FlowEvent;
  operation: Operation;
}

/** Append-only history of attempts and events. Nothing here is needed to go on with an attempt. */
export function recordActivities({ config, records }: RecordDeps) {
  return {
    async openAttempt({ attemptId, fork, release, event, operation }: Opening): Promise<void> {
      if (!(await records.flowEvents.get(event.id))) await records.flowEvents.append(event);
      if (await records.attempts.get(attemptId)) return;
      const now = new Date().toISOString();
      await records.attempts.append({
        id: attemptId,
        eventId: event.id,
        eventType: event.type,
        operation,
        status: "started",
        fork,
        upstreamRepo: config().forks.find(({ id }) => id === fork)?.upstream.url,
        upstreamRef: release.ref,
        upstreamTag: release.name,
        ...(release.sha ? { upstreamSha: release.sha } : {}),
        workspaceRunIds: [attemptId],
        candidateRefs: [],
        message: "waits its turn",
        createdAt: now,
        updatedAt: now,
      });
    },

    async recordAttempt({ id, change }: { id: string; change: AttemptChange }): Promise<void> {
      await changeAttempt(records, id, change);
    },

    /** What a fork's records tell when its workflow starts from nothing. */
    async recallFork({ fork }: { fork: string }): Promise<ForkState> {
      const state: ForkState = { fork, known: [], queue: [], answered: [] };
      const { items } = await records.attempts.list({ where: (attempt) => attempt.fork === fork, limit: 1000 });
      for (const attempt of items.reverse()) remember(state, known(attempt));
      return state;
    },

    /** The first queued release that the waiting attempt gives way to, by the fork's `onNewerRelease`. */
    async supersededBy(input: {
      fork: string;
      waiting: string;
      queue: { attemptId: string; name: string }[];
    }): Promise<{ by?: string }> {
      const policy = config().forks.find(({ id }) => id === input.fork)?.onNewerRelease ?? "supersede";
      const newer = input.queue.find(
        ({ name }) => name === input.waiting || (policy === "supersede" && !isOlderRelease(name, input.waiting)),
      );
      return newer ? { by: newer.attemptId } : {};
    },
  };
}

const ENDED = new Set(["changed", "completed", "skipped", "failed", "superseded", "cancelled"]);

/** Merges a change into the latest record of an attempt. One workflow writes an attempt, one step at a time. */
export async function changeAttempt(records: Records, id: string, change: AttemptChange): Promise<void> {
  const before = await records.attempts.get(id);
  if (!before) return;
  const { intervention, ...rest } = change;
  const now = new Date().toISOString();
  const after: MaintenanceAttempt = { ...before, ...rest, updatedAt: now };
  if (intervention === null) delete after.intervention;
  else if (intervention) after.intervention = intervention;
  if (ENDED.has(after.status)) after.completedAt ??= now;
  else delete after.completedAt;
  await records.attempts.append(after);
}

function known({ id, eventId, status, upstreamTag }: MaintenanceAttempt): KnownAttempt {
  const n = Number(id.slice(id.lastIndexOf("/") + 1));
  const closed = !isOpen(status) && status !== "changed";
  return { name: upstreamTag ?? "", n, attemptId: id, eventId, status, closed };
}
