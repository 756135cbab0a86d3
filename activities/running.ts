import { ApplicationFailure, Context } from "@temporalio/activity";
import { GitFailure, RefusedRemote } from "../git/index.ts";

const HEARTBEAT_MS = 4_000;

/**
 * Runs a step that heartbeats until it is done, so that a dead worker is noticed within the heartbeat timeout, and that
 * stops when the workflow cancels it. What git refuses for good is not tried again; what the network did is.
 */
export async function running<T>(
  step: (signal: AbortSignal, progress: (detail: string) => void) => Promise<T>,
): Promise<T> {
  const context = Context.current();
  let detail = "";
  const beat = () => context.heartbeat(detail);
  const timer = setInterval(beat, HEARTBEAT_MS);
  try {
    return await step(context.cancellationSignal, (text) => {
      detail = text;
      beat();
    });
  } catch (error) {
    if (context.cancellationSignal.aborted) await context.cancelled;
    throw asFailure(error);
  } finally {
    clearInterval(timer);
  }
}

function asFailure(error: unknown): unknown {
  if (error instanceof RefusedRemote) return ApplicationFailure.nonRetryable(error.message, "RefusedRemote");
  if (!(error instanceof GitFailure)) return error;
  const nonRetryable = error.kind !== "network" && error.kind !== "other";
  return ApplicationFailure.create({ message: error.message, type: `git-${error.kind}`, nonRetryable });
}
