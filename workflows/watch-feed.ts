import {
  ActivityFailure,
  ApplicationFailure,
  CancellationScope,
  continueAsNew,
  isCancellation,
  setCurrentDetails,
  setHandler,
  workflowInfo,
} from "@temporalio/workflow";
import type { Polled } from "../activities/steps.ts";
import type { FeedSignal } from "../domain/events.ts";
import { pollNow } from "./messages.ts";
import { feed, recorder, sinks, temporal } from "./options.ts";

/** One a source, never ends while the config has the source. What a poll found is committed only after all of it was handed on. */
export async function watchFeed({ sourceId }: { sourceId: string }): Promise<void> {
  let poked = false;
  let polling: CancellationScope | undefined;
  setHandler(pollNow, () => {
    poked = true;
    polling?.cancel();
  });

  /** Cut short by `pollNow`, the poll is begun again: nothing it had found is committed yet. */
  const news = async (): Promise<Polled> => {
    for (;;) {
      if (workflowInfo().continueAsNewSuggested) await continueAsNew<typeof watchFeed>({ sourceId });
      poked = false;
      polling = new CancellationScope();
      try {
        return await polling.run(() => feed(`poll ${sourceId}`).pollFeed({ sourceId }));
      } catch (error) {
        if (!(poked && isCancellation(error))) throw error;
      }
    }
  };

  setCurrentDetails(`watches \`${sourceId}\``);
  for (;;) {
    try {
      const { signals, state } = await news();
      for (const signal of signals) await handOn(sourceId, signal);
      await recorder.commitFeed({ state });
    } catch (error) {
      if (isGone(error)) return;
      throw error;
    }
  }
}

async function handOn(sourceId: string, signal: FeedSignal): Promise<void> {
  const taken = await recorder.takeSignal({ sourceId, signal });
  if (taken.kind !== "none")
    await temporal(`hand on ${signal.tag ?? signal.entryId}`).dispatch({ taken, at: new Date().toISOString() });
  await announce(sourceId, signal);
}

/** A sink that cannot be reached holds nothing up. */
async function announce(sourceId: string, signal: FeedSignal): Promise<void> {
  try {
    await sinks("tell: upstream").notifyUpstream({ sourceId, signal });
  } catch (error) {
    if (isCancellation(error)) throw error;
  }
}

/** The config no longer has the source: watching ends, and begins again when the source comes back. */
function isGone(error: unknown): boolean {
  return (
    error instanceof ActivityFailure && error.cause instanceof ApplicationFailure && error.cause.type === "SourceGone"
  );
}
