import { type Client, WithStartWorkflowOperation, WorkflowNotFoundError } from "@temporalio/client";
import type { Dispatch, FlowEvent } from "../domain/events.ts";
import type { ReleaseOffer } from "../domain/offer.ts";
import type { Records } from "../records/records.ts";
import { offerRelease, startForkOptions } from "../workflows/messages.ts";
import type { TakenSignal } from "./steps.ts";

export interface DispatchDeps {
  records: Records;
  client: () => Client;
}

/** Hands events on to where they are worked on. */
export function dispatchActivities({ records, client }: DispatchDeps) {
  return {
    /** `at` is the dispatch's time and part of its key, so that doing this twice records it once. */
    async dispatch({ taken, at }: { taken: Exclude<TakenSignal, { kind: "none" }>; at: string }): Promise<void> {
      if (taken.kind === "maintain") await records.dispatches.append(await offer(client(), taken.offer, at));
      else await records.dispatches.append(withoutBackend(taken.event, at));
    },

    async describeAttempt({ attemptId }: { attemptId: string }): Promise<{ running: boolean }> {
      try {
        const { status } = await client().workflow.getHandle(attemptId).describe();
        return { running: status.name === "RUNNING" };
      } catch (error) {
        if (error instanceof WorkflowNotFoundError) return { running: false };
        throw error;
      }
    },
  };
}

async function offer(client: Client, wanted: ReleaseOffer, at: string): Promise<Dispatch> {
  const answer = await client.workflow.executeUpdateWithStart(offerRelease, {
    args: [wanted],
    updateId: wanted.requestId,
    startWorkflowOperation: new WithStartWorkflowOperation("maintainFork", startForkOptions(wanted.fork)),
  });
  return {
    ...named(wanted.event, at),
    target: "local",
    transport: "temporal",
    status: "dispatched",
    runIds: [answer.attemptId],
    ...(answer.idempotent ? { idempotent: true } : {}),
  };
}

function withoutBackend(event: FlowEvent, at: string): Dispatch {
  return {
    ...named(event, at),
    target: "workspace-backend",
    transport: "none",
    status: "skipped",
    error: "the target names no fork of forks[], and there is no workspace backend to hand it to",
  };
}

function named(
  { id, type }: FlowEvent,
  at: string,
): Pick<Dispatch, "eventId" | "eventType" | "operation" | "createdAt"> {
  return { eventId: id, eventType: type, operation: "dispatch", createdAt: at };
}
