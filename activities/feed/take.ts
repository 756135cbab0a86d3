import type { FeedSource, FeedSourcesFile } from "../../domain/config.ts";
import type { FeedSignal } from "../../domain/events.ts";
import { signalKey } from "../../domain/feed-entry.ts";
import { decide } from "../../domain/intake.ts";
import { feedSignalKey } from "../../records/keys.ts";
import type { Records } from "../../records/records.ts";
import type { TakenSignal } from "../steps.ts";

/** Records a feed signal and what is decided about it, each once. */
export async function take(
  found: FeedSignal,
  source: FeedSource,
  { config, records, now }: { config: FeedSourcesFile; records: Records; now: Date },
): Promise<TakenSignal> {
  const signal = await underItsOwnId(found, records);
  const first = await firstOfItsKind(signal, records);
  const fork = config.forks.find(({ id }) => source.target && "fork" in source.target && id === source.target.fork);
  // The same release under another entry id is the same event: it goes by the id it had first.
  const { event, job, action } = decide({ ...signal, entryId: first.entryId }, source, fork, now.toISOString());

  const stored = event && (await records.flowEvents.get(event.id));
  if (event && !stored) await records.flowEvents.append(event);
  if (job && !(await records.feedJobs.get(job.id))) await records.feedJobs.append(job);
  await recordSignal(signal, records);

  switch (action.kind) {
    case "maintain":
      return { kind: "maintain", offer: { ...action.offer, event: stored ?? action.offer.event } };
    case "backend":
      return { kind: "backend", event: stored ?? action.event };
    case "record-only":
      return { kind: "none", reason: action.reason };
  }
}

/** Some feeds give everything the same id ("latest"): what the id stood for first keeps it. */
async function underItsOwnId(signal: FeedSignal, records: Records): Promise<FeedSignal> {
  const before = await records.feedSignals.get(feedSignalKey(signal));
  if (!before || signalKey(before) === signalKey(signal)) return signal;
  return { ...signal, entryId: `${signal.entryId}#${signal.tag ?? signal.sha}` };
}

async function recordSignal(signal: FeedSignal, records: Records): Promise<void> {
  if (!(await records.feedSignals.get(feedSignalKey(signal)))) await records.feedSignals.append(signal);
}

/** The signal by which this source first told of the release or commit. */
async function firstOfItsKind(signal: FeedSignal, records: Records): Promise<FeedSignal> {
  const key = signalKey(signal);
  let first = signal;
  let cursor: string | undefined;
  do {
    const page = await records.feedSignals.list({
      where: (each) => each.sourceId === signal.sourceId && signalKey(each) === key,
      limit: 1000,
      cursor,
    });
    first = page.items.at(-1) ?? first;
    cursor = page.nextCursor;
  } while (cursor !== undefined);
  return first;
}
