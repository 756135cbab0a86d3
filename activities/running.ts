import { ApplicationFailure, Context } from "@temporalio/activity";
import { GitFailure, RefusedRemote } from "../git/index.ts";

const HEARTBEAT_MS = 4_000;

/**
 * Runs a step that heartbeats until it is done, so that a dead worker is noticed within the heartbeat timeout, and that
 * stops when the workflow cancels it. What git refuses for good is not tried again; what the network did is. `tell` is given
 * the latest detail every few seconds, where there is a new one, and not any more once the step is over.
 */
export async function running<T>(
  step: (signal: AbortSignal, progress: (detail: string) => void) => Promise<T>,
  tell: (detail: string) => Promise<void> = async () => {},
): Promise<T> {
  const context = Context.current();
  const { cancellationSignal } = context;
  let detail = "";
  let told = "";
  let telling = Promise.resolve();
  const beat = () => context.heartbeat(detail);
  const timer = setInterval(() => {
    beat();
    if (detail === told || cancellationSignal.aborted) return;
    const news = detail;
    told = news;
    // It is for the eyes only: a step that does its work is not ended by it.
    telling = telling
      .then(() => tell(news))
      .catch((error: unknown) => context.log.warn("progress could not be told", { error }));
  }, HEARTBEAT_MS);
  try {
    return await step(cancellationSignal, (text) => {
      detail = text;
      beat();
    });
  } catch (error) {
    if (cancellationSignal.aborted) await context.cancelled;
    throw asFailure(error);
  } finally {
    clearInterval(timer);
    await telling;
  }
}

function asFailure(error: unknown): unknown {
  if (error instanceof RefusedRemote) return ApplicationFailure.nonRetryable(error.message, "RefusedRemote");
  if (!(error instanceof GitFailure)) return error;
  const nonRetryable = error.kind !== "network" && error.kind !== "other";
  return ApplicationFailure.create({ message: error.message, type: `git-${error.kind}`, nonRetryable });
}
