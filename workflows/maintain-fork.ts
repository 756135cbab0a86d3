import { WorkflowExecutionAlreadyStartedError } from "@temporalio/common";
import {
  allHandlersFinished,
  ChildWorkflowCancellationType,
  type ChildWorkflowHandle,
  condition,
  continueAsNew,
  getExternalWorkflowHandle,
  isCancellation,
  ParentClosePolicy,
  type SignalDefinition,
  setCurrentDetails,
  setHandler,
  startChild,
  workflowInfo,
} from "@temporalio/workflow";
import { isOpen, isWaiting } from "../domain/attempt.ts";
import {
  type ForkState,
  isQueued,
  lapsing,
  noteStatus,
  planOffer,
  type QueuedAttempt,
  remember,
  rememberAnswer,
  waitingHolder,
} from "../domain/fork-queue.ts";
import { attemptId, shortenId } from "../domain/ids.ts";
import type { OfferAnswer, ReleaseOffer } from "../domain/offer.ts";
import { describeFork } from "./describe.ts";
import { maintainRelease } from "./maintain-release.ts";
import {
  attemptReport,
  decisionSignal,
  forgetResolution,
  giveWay,
  listResolutions,
  offerRelease,
  offerReleaseSignal,
  syncAttempt,
  withdraw,
} from "./messages.ts";
import {
  asked,
  git,
  PATCH_EVENT_ID,
  PATCH_FORK,
  PATCH_STATUS,
  PATCH_TAG,
  recorder,
  sinks,
  temporal,
} from "./options.ts";

/**
 * One a fork, never ends: takes releases in, runs one attempt at a time, lets a waiting one give way to a newer release. `state` is what
 * an earlier run handed on; without it the records tell what there was.
 */
export async function maintainFork({ fork, state: handedOn }: { fork: string; state?: ForkState }): Promise<void> {
  let state: ForkState = handedOn ?? { fork, known: [], queue: [], answered: [] };
  let stirred = true;
  let ready = handedOn !== undefined;
  const stir = () => {
    stirred = true;
    setCurrentDetails(describeFork(state));
  };

  const take = async (offer: ReleaseOffer): Promise<OfferAnswer> => {
    await condition(() => ready);
    const plan = planOffer(state, offer);
    if (plan.kind === "answer") return plan.answer;
    return plan.kind === "retry" ? await retry(plan.attemptId, offer) : await open(offer, plan.n);
  };

  /** Answers once the attempt has left its wait, so that whoever looks then does not see the old one. */
  const retry = async (id: string, { requestId }: ReleaseOffer): Promise<OfferAnswer> => {
    const answer = { attemptId: id, idempotent: false };
    rememberAnswer(state, requestId, answer);
    await signalAttempt(id, decisionSignal("retry"), { requestId });
    await condition(() => !state.known.some((known) => known.attemptId === id && isWaiting(known.status)), "5 seconds");
    return answer;
  };

  /** Remembers before it awaits, so that the same offer arriving meanwhile finds it. */
  const open = async (offer: ReleaseOffer, n: number): Promise<OfferAnswer> => {
    const { release, event, operation } = offer;
    const id = attemptId(fork, release.name, n);
    remember(state, { name: release.name, n, attemptId: id, eventId: event.id, status: "started", closed: false });
    const answer = { attemptId: id, idempotent: false };
    rememberAnswer(state, offer.requestId, answer);
    await recorder.openAttempt({ attemptId: id, fork, release, event, operation });
    state.queue.push({ attemptId: id, release, eventId: event.id, operation });
    stir();
    return answer;
  };

  setHandler(offerRelease, take);
  setHandler(offerReleaseSignal, async (offer) => void (await take(offer)));
  setHandler(syncAttempt, async ({ attemptId: id }) => {
    await condition(() => ready);
    const known = state.known.find((each) => each.attemptId === id);
    if (known && isOpen(known.status) && !isQueued(state, id) && !(await isRunning(id))) await giveUp(id);
    await git("read the refs of an attempt").readRefs({ fork, attemptId: id });
  });
  setHandler(withdraw, async ({ attemptId: id, reason }) => {
    await condition(() => ready);
    if (!isQueued(state, id)) return false;
    state.queue = state.queue.filter((each) => each.attemptId !== id);
    noteStatus(state, id, "cancelled", true);
    const message = reason ?? "aborted by a person before its turn";
    await recorder.recordAttempt({ id, change: { status: "cancelled", message } });
    stir();
    return true;
  });
  setHandler(listResolutions, () => asked("list the remembered resolutions").listResolutions({ fork }));
  setHandler(forgetResolution, ({ key }) => asked("forget a resolution").forgetResolution({ fork, key }));
  setHandler(attemptReport, async ({ attemptId, status, closed, candidate }) => {
    await condition(() => ready);
    noteStatus(state, attemptId, status, closed);
    stir();
    if (!candidate) return;
    for (const older of lapsing(state, attemptId)) await signalAttempt(older.attemptId, giveWay, { to: attemptId });
  });

  if (!ready) await recall();
  ready = true;

  for (;;) {
    await condition(() => stirred);
    stirred = false;
    if (state.open && state.queue.length > 0) await letHolderGiveWay();
    const next = state.open ? undefined : state.queue.shift();
    if (next) {
      state.open = next.attemptId;
      watch(await start(fork, next));
    }
    setCurrentDetails(describeFork(state));
    if (workflowInfo().continueAsNewSuggested) {
      await condition(allHandlersFinished);
      await continueAsNew<typeof maintainFork>({ fork, state });
    }
  }

  /** Starting from nothing, what the records say is open may have ended unseen. */
  async function recall(): Promise<void> {
    state = await recorder.recallFork({ fork });
    for (const { attemptId: id, status } of state.known) {
      if (!isOpen(status)) continue;
      if (await isRunning(id)) state.open = id;
      else await giveUp(id);
    }
  }

  /** An attempt that ended without a word (terminated by an operator) must not hold the fork. */
  function watch(child: ChildWorkflowHandle<typeof maintainRelease> | undefined): void {
    const ended = async () => {
      // After a reset another run goes on under the same id.
      if (child && state.open === child.workflowId && !(await isRunning(child.workflowId)))
        await giveUp(child.workflowId);
      stir();
    };
    child?.result().then(ended, ended);
  }

  async function giveUp(id: string): Promise<void> {
    noteStatus(state, id, "failed", true);
    const message = "its workflow ended without a word, as when an operator terminates it; retry starts a new attempt";
    await recorder.recordAttempt({ id, change: { status: "failed", message, error: message, intervention: null } });
    const name = state.known.find((known) => known.attemptId === id)?.name ?? id;
    // Neither a remote nor a sink that cannot be reached may hold the fork up.
    await git("remove hand-off refs")
      .clearHandOff({ fork, name, places: true, decisions: [] })
      .catch(() => {});
    await sinks("tell: failed")
      .notify({ event: "failed", fork, release: { name }, message })
      .catch(() => {});
  }

  async function letHolderGiveWay(): Promise<void> {
    const holderId = state.open as string;
    if (!(await isRunning(holderId))) return await giveUp(holderId);
    const holder = waitingHolder(state);
    if (!holder) return;
    const queue = state.queue.map((queued) => ({ attemptId: queued.attemptId, name: queued.release.name }));
    const { by } = await recorder.supersededBy({ fork, waiting: holder.name, queue });
    if (by) await signalAttempt(holderId, giveWay, { to: by });
  }
}

/** The child lives on when this workflow is ended or continues as new: it reports by signal. */
async function start(
  fork: string,
  { attemptId, release, eventId, operation }: QueuedAttempt,
): Promise<ChildWorkflowHandle<typeof maintainRelease> | undefined> {
  try {
    return await startChild(maintainRelease, {
      workflowId: attemptId,
      args: [{ attemptId, fork, release, eventId, operation }],
      parentClosePolicy: ParentClosePolicy.ABANDON,
      cancellationType: ChildWorkflowCancellationType.ABANDON,
      typedSearchAttributes: [
        { key: PATCH_FORK, value: fork },
        { key: PATCH_TAG, value: shortenId(release.name) },
        { key: PATCH_STATUS, value: "started" },
        { key: PATCH_EVENT_ID, value: eventId },
      ],
      staticSummary: `${fork} takes ${release.name} (${operation})`,
      staticDetails: `Carries the patches of **${fork}** onto \`${release.ref}\` for the event \`${eventId}\`.`,
    });
  } catch (error) {
    if (error instanceof WorkflowExecutionAlreadyStartedError) return undefined;
    throw error;
  }
}

async function isRunning(id: string): Promise<boolean> {
  const { running } = await temporal("see whether the attempt runs").describeAttempt({ attemptId: id });
  return running;
}

/** An attempt that is gone needs no telling. */
async function signalAttempt<Args extends unknown[]>(
  attemptId: string,
  signal: SignalDefinition<Args>,
  ...args: Args
): Promise<void> {
  try {
    await getExternalWorkflowHandle(attemptId).signal(signal, ...args);
  } catch (error) {
    if (isCancellation(error)) throw error;
  }
}
