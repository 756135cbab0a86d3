import { ApplicationFailure, WorkflowNotFoundError, WorkflowUpdateFailedError } from "@temporalio/client";
import { type DecisionName, ENDED_BY, isOpen, type MaintenanceAttempt } from "../domain/attempt.ts";
import { type DecisionRequest, decisionSignal, decisionUpdate, withdraw } from "../workflows/messages.ts";
import { type Answer, accepted } from "./answers.ts";
import type { ApiDeps } from "./app.ts";
import type { Wish } from "./idempotency.ts";
import { Problem } from "./problems.ts";
import { call, type Delivery, deliver, startingFork } from "./temporal.ts";

type Decided = DecisionRequest & { requestId: string };

/** Passes a person's decision to the attempt's workflow. Which decisions fit is the workflow's to say while a worker runs. */
export async function decide(
  deps: ApiDeps,
  attempt: MaintenanceAttempt,
  decision: DecisionName,
  request: DecisionRequest,
  wish: Wish,
): Promise<Answer> {
  const decided = { ...request, requestId: wish.requestId };
  let delivery: Delivery<void>;
  try {
    delivery = await sendUpdate(deps, attempt.id, decision, decided);
  } catch (error) {
    const taken =
      isEndedByUpdate(error) ||
      (isGone(error) && (await wasTakenBefore(deps, attempt.id, wish))) ||
      (isGone(error) && decision === "abort" && (await wasWithdrawn(deps, attempt, decided)));
    if (!taken) throw refusal(error, decision);
    delivery = { kind: "accepted" };
  }
  if (delivery.kind === "untaken") await sendSignal(deps, attempt.id, decision, decided);
  const now = (await deps.records.attempts.get(attempt.id)) ?? attempt;
  return accepted({ attempt: now, ...(delivery.kind === "untaken" && { delivered: "signal" }) });
}

async function sendUpdate({ temporal }: ApiDeps, id: string, decision: DecisionName, decided: Decided) {
  return await deliver(temporal, () =>
    temporal.workflow.getHandle(id).startUpdate(decisionUpdate(decision), {
      args: [decided],
      updateId: decided.requestId,
      waitForStage: "ACCEPTED",
    }),
  );
}

/** An attempt that waits its turn has no workflow yet: the fork's takes it out of its queue. */
async function wasWithdrawn({ temporal }: ApiDeps, { id, fork, status }: MaintenanceAttempt, decided: Decided) {
  if (!fork || status !== "started") return false;
  const delivery = await deliver(temporal, () =>
    temporal.workflow.startUpdateWithStart(withdraw, {
      args: [{ attemptId: id, ...(decided.reason && { reason: decided.reason }) }],
      updateId: decided.requestId,
      waitForStage: "ACCEPTED",
      startWorkflowOperation: startingFork(fork),
    }),
  );
  return delivery.kind === "done" && delivery.value;
}

/** No worker can say whether the decision fits, so the attempt's record does. */
async function sendSignal(deps: ApiDeps, id: string, decision: DecisionName, decided: Decided): Promise<void> {
  const attempt = await deps.records.attempts.get(id);
  const misfit = attempt && misfitOf(attempt, decision, decided);
  if (misfit) throw misfit;
  try {
    await call(deps.temporal, () => deps.temporal.workflow.getHandle(id).signal(decisionSignal(decision), decided));
  } catch (error) {
    throw refusal(error, decision);
  }
}

/** A repeated request whose first one ended the attempt: its workflow takes nothing any more, but knows that answer. */
async function wasTakenBefore({ temporal }: ApiDeps, id: string, { requestId, keyed }: Wish): Promise<boolean> {
  if (!keyed) return false;
  try {
    await call(temporal, () => temporal.workflow.getHandle(id).getUpdateHandle(requestId).result());
    return true;
  } catch {
    return false;
  }
}

const isGone = (error: unknown) => error instanceof WorkflowNotFoundError;

/** The server's word for an update whose workflow ended before its handler did, as an abort's may. */
function isEndedByUpdate(error: unknown): boolean {
  const cause = error instanceof WorkflowUpdateFailedError ? error.cause : undefined;
  return cause instanceof ApplicationFailure && cause.type === "AcceptedUpdateCompletedWorkflow";
}

/** Why a decision does not fit what the attempt waits for; undefined when it does. */
function misfitOf(
  { status, intervention }: MaintenanceAttempt,
  decision: DecisionName,
  { token, channel }: DecisionRequest,
): Problem | undefined {
  if (!intervention) {
    if (decision === "abort" && !token && isOpen(status)) return undefined;
    return notWaiting(`the attempt is ${status} and waits for nothing`);
  }
  if (token !== undefined && token !== intervention.token) return wrongToken(`it waits for something else by now`);
  const fitting = ENDED_BY[intervention.kind];
  if (!fitting.includes(decision))
    return notWaiting(`the attempt waits for ${fitting.join(", ")}, not for ${decision}`);
  if (decision === "promote" && channel && intervention.channels && !intervention.channels.includes(channel)) {
    return notWaiting(`the attempt waits for the channel ${intervention.channels.join(" or ")}, not for ${channel}`);
  }
  return undefined;
}

const notWaiting = (reason: string) => new Problem(409, "not_waiting", `Nothing was decided: ${reason}.`);
const wrongToken = (reason: string) => new Problem(409, "wrong_token", `Nothing was decided: ${reason}.`);

/** The problem that a failed delivery is answered with; surprises stay what they are. */
function refusal(error: unknown, decision: DecisionName): unknown {
  if (isGone(error)) {
    return notWaiting("the attempt's workflow is not running: the attempt has ended, or waits its turn");
  }
  if (!(error instanceof WorkflowUpdateFailedError)) return error;
  const { cause } = error;
  const reason = cause?.message ?? error.message;
  switch (cause instanceof ApplicationFailure ? cause.type : undefined) {
    case "NotWaiting":
      return notWaiting(reason);
    case "WrongToken":
      return wrongToken(reason);
    case "BadDecision":
      // Bodies are checked before: what is left is a channel that nothing waits for.
      return decision === "promote" ? notWaiting(reason) : new Problem(422, "bad_decision", reason);
    default:
      return new Problem(502, "decision_failed", `The attempt's workflow took the decision and failed: ${reason}`);
  }
}
