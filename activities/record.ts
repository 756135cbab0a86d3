import { hasEnded, type MaintenanceAttempt, type Operation } from "../domain/attempt.ts";
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
      const now = new Date().toISOString();
      const opened: MaintenanceAttempt = {
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
      };
      await records.attempts.update(attemptId, (latest) => (latest ? undefined : opened));
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

/** Merges a change, or what is made of the latest record of an attempt, into that record. Of changes at once none is lost. */
export async function changeAttempt(
  records: Records,
  id: string,
  change: AttemptChange | ((latest: MaintenanceAttempt) => AttemptChange),
): Promise<void> {
  await records.attempts.update(
    id,
    (latest) => latest && changed(latest, typeof change === "function" ? change(latest) : change),
  );
}

/** Says how far a running attempt is. What was said since it stopped or ended stands. */
export async function tellProgress(records: Records, id: string, message: string): Promise<void> {
  await records.attempts.update(id, (latest) =>
    latest?.status === "started" ? changed(latest, { message }) : undefined,
  );
}

function changed(before: MaintenanceAttempt, { intervention, ...rest }: AttemptChange): MaintenanceAttempt {
  const now = new Date().toISOString();
  const after: MaintenanceAttempt = { ...before, ...rest, updatedAt: now };
  if (intervention === null) delete after.intervention;
  else if (intervention) after.intervention = intervention;
  if (hasEnded(after.status)) after.completedAt ??= now;
  else delete after.completedAt;
  return after;
}

/** An attempt with a candidate has ended, but is not closed while it waits for approval. */
function known({ id, eventId, status, upstreamTag, intervention }: MaintenanceAttempt): KnownAttempt {
  const n = Number(id.slice(id.lastIndexOf("/") + 1));
  const closed = hasEnded(status) && intervention?.kind !== "approval";
  return { name: upstreamTag ?? "", n, attemptId: id, eventId, status, closed };
}
