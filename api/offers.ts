import { WorkflowUpdateFailedError } from "@temporalio/client";
import type { Operation } from "../domain/attempt.ts";
import { type Dispatch, type FlowEvent, releaseOf } from "../domain/events.ts";
import type { OfferAnswer, ReleaseOffer } from "../domain/offer.ts";
import { dispatchKey } from "../records/keys.ts";
import { offerRelease, offerReleaseSignal, startForkOptions } from "../workflows/messages.ts";
import { type Answer, accepted } from "./answers.ts";
import type { ApiDeps } from "./app.ts";
import type { Wish } from "./idempotency.ts";
import { Problem } from "./problems.ts";
import { call, type Delivery, deliver, startingFork } from "./temporal.ts";

/**
 * Offers an event's release to its fork and records that. 202 with the attempt's `Location`; nothing is recorded unless
 * Temporal has taken the offer, or has been reached and refused it (502).
 */
export async function offerEvent(deps: ApiDeps, event: FlowEvent, operation: Operation, wish: Wish): Promise<Answer> {
  const offer = offerOf(deps, event, operation, wish.requestId);
  const wasThere = (await deps.records.flowEvents.get(event.id)) !== undefined;
  const before = wish.keyed ? await dispatchedAs(deps, event.id, wish.requestId) : undefined;
  if (before) return answer(event, before, false);
  const delivery = await send(deps, offer).catch((error: unknown) => refused(deps, offer, wish, error));
  if (!wasThere) await remember(deps, event);
  const record = await recordDispatch(deps, offer, wish, outcome(delivery));
  return answer(event, record, operation === "dispatch" && wasThere);
}

function offerOf(deps: ApiDeps, event: FlowEvent, operation: Operation, requestId: string): ReleaseOffer {
  const wanted = releaseOf(event);
  if (!wanted) {
    const detail = `${event.id} names no fork and release of forks[], so no attempt was made from it here.`;
    throw new Problem(409, "nothing_to_take", detail);
  }
  if (!deps.config().forks.some(({ id }) => id === wanted.fork)) {
    const known = deps.config().forks.map(({ id }) => id);
    const detail = `forks[] of the config has no "${wanted.fork}"; it has ${known.join(", ") || "none"}.`;
    throw new Problem(422, "unknown_fork", detail);
  }
  return { ...wanted, event, operation, requestId };
}

/** The signal carries the same request id: an update that a late worker still finds counts once with it. */
async function send({ temporal }: ApiDeps, offer: ReleaseOffer): Promise<Delivery<OfferAnswer>> {
  const delivery = await deliver(temporal, () =>
    temporal.workflow.startUpdateWithStart(offerRelease, {
      args: [offer],
      updateId: offer.requestId,
      waitForStage: "ACCEPTED",
      startWorkflowOperation: startingFork(offer.fork),
    }),
  );
  if (delivery.kind === "untaken") {
    const signal = { signal: offerReleaseSignal, signalArgs: [offer] as [ReleaseOffer] };
    await call(temporal, () =>
      temporal.workflow.signalWithStart("maintainFork", { ...startForkOptions(offer.fork), ...signal }),
    );
  }
  return delivery;
}

async function refused(deps: ApiDeps, offer: ReleaseOffer, wish: Wish, error: unknown): Promise<never> {
  if (error instanceof Problem) throw error;
  const cause = error instanceof WorkflowUpdateFailedError && error.cause ? error.cause : (error as Error);
  deps.log.error({ err: error, fork: offer.fork, eventId: offer.event.id }, "a dispatch failed");
  await remember(deps, offer.event);
  await recordDispatch(deps, offer, wish, { status: "failed", error: cause.message });
  throw new Problem(502, "dispatch_failed", `The workflow of fork ${offer.fork} did not take it: ${cause.message}`);
}

function outcome(delivery: Delivery<OfferAnswer>): Pick<Dispatch, "status" | "runIds" | "idempotent" | "delivered"> {
  if (delivery.kind === "untaken") return { status: "dispatched", delivered: "signal" };
  if (delivery.kind === "accepted") return { status: "dispatched", delivered: "update" };
  const { attemptId, idempotent } = delivery.value;
  return { status: "dispatched", runIds: [attemptId], ...(idempotent && { idempotent }), delivered: "update" };
}

function answer(event: FlowEvent, record: Dispatch, wasThere: boolean): Answer {
  const [attemptId] = record.runIds ?? [];
  const location = attemptId
    ? `/maintenance-attempts/${encodeURIComponent(attemptId)}`
    : `/maintenance-attempts?eventId=${encodeURIComponent(event.id)}`;
  return accepted({ event, record, ...(wasThere && { idempotent: true }) }, location);
}

/** The worker may have recorded it meanwhile. */
async function remember({ records }: ApiDeps, event: FlowEvent): Promise<void> {
  if (!(await records.flowEvents.get(event.id))) await records.flowEvents.append(event);
}

async function recordDispatch(
  { records }: ApiDeps,
  { event, operation }: ReleaseOffer,
  wish: Wish,
  result: Pick<Dispatch, "status" | "runIds" | "idempotent" | "delivered" | "error">,
): Promise<Dispatch> {
  const record: Dispatch = {
    eventId: event.id,
    eventType: event.type,
    operation,
    target: "local",
    transport: "temporal",
    ...result,
    ...(wish.keyed && { requestId: wish.requestId }),
    createdAt: new Date().toISOString(),
  };
  // The time is part of the key: two of one millisecond must not become one.
  while (await records.dispatches.get(dispatchKey(record))) {
    record.createdAt = new Date(Date.parse(record.createdAt) + 1).toISOString();
  }
  await records.dispatches.append(record);
  return record;
}

async function dispatchedAs({ records }: ApiDeps, eventId: string, requestId: string): Promise<Dispatch | undefined> {
  const { items } = await records.dispatches.list({
    where: (each) => each.requestId === requestId && each.eventId === eventId && each.status === "dispatched",
    limit: 1,
  });
  return items[0];
}
