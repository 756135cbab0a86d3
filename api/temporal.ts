import {
  type Client,
  isGrpcServiceError,
  WithStartWorkflowOperation,
  type WorkflowUpdateHandle,
  WorkflowUpdateRPCTimeoutOrCancelledError,
} from "@temporalio/client";
import { startForkOptions } from "../workflows/messages.ts";
import { Problem } from "./problems.ts";

/** How long a worker has to take an update up before it is handed over as a signal. */
const TAKE_UP_MS = 5_000;
/** How long an update that was taken up may work before the request is answered without its result. */
const RESULT_MS = 10_000;
const PROBE_MS = 3_000;
const CALL_MS = 5_000;

/** What became of an update: `untaken` when no worker took it up in time, `accepted` when its result is still to come. */
export type Delivery<T> = { kind: "done"; value: T } | { kind: "accepted" } | { kind: "untaken" };

/** @throws Problem 503 when Temporal does not answer: nothing was done then. Whatever the workflow refuses is thrown as it is. */
export async function deliver<T>(client: Client, send: () => Promise<WorkflowUpdateHandle<T>>): Promise<Delivery<T>> {
  await requireTemporal(client);
  let handle: WorkflowUpdateHandle<T>;
  try {
    handle = await client.withDeadline(Date.now() + TAKE_UP_MS, send);
  } catch (error) {
    if (!isNoAnswer(error)) throw error;
    await requireTemporal(client);
    return { kind: "untaken" };
  }
  try {
    return { kind: "done", value: await client.withDeadline(Date.now() + RESULT_MS, () => handle.result()) };
  } catch (error) {
    if (!isNoAnswer(error)) throw error;
    return { kind: "accepted" };
  }
}

/** A call that no worker has to answer. */
export async function call<T>(client: Client, run: () => Promise<T>): Promise<T> {
  try {
    return await client.withDeadline(Date.now() + CALL_MS, run);
  } catch (error) {
    throw isNoAnswer(error) ? unreachable() : error;
  }
}

export function startingFork(fork: string): WithStartWorkflowOperation<(input: { fork: string }) => Promise<void>> {
  return new WithStartWorkflowOperation("maintainFork", startForkOptions(fork));
}

export async function requireTemporal(client: Client): Promise<void> {
  try {
    await client.withDeadline(Date.now() + PROBE_MS, () => client.workflowService.getSystemInfo({}));
  } catch (error) {
    throw isNoAnswer(error) ? unreachable() : error;
  }
}

export function unreachable(): Problem {
  const detail = "Temporal does not answer, so nothing was done. Send the request again once it does.";
  return new Problem(503, "temporal_unreachable", detail, { headers: { "Retry-After": "5" } });
}

const CANCELLED = 1;
const DEADLINE_EXCEEDED = 4;
const RESOURCE_EXHAUSTED = 8;
const UNAVAILABLE = 14;

/** Whether a call ended without a word from the server: down, cut off, overloaded, or our deadline. */
function isNoAnswer(error: unknown): boolean {
  if (error instanceof WorkflowUpdateRPCTimeoutOrCancelledError) return true;
  const cause = isGrpcServiceError(error) ? error : (error as Error).cause;
  if (!isGrpcServiceError(cause)) return false;
  return [CANCELLED, DEADLINE_EXCEEDED, RESOURCE_EXHAUSTED, UNAVAILABLE].includes(cause.code);
}
