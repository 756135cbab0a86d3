import { allHandlersFinished, condition } from "@temporalio/workflow";
import type { AttemptStatus, ChannelName } from "../domain/attempt.ts";
import { type Attempt, type AttemptInput, openAttempt, type Stop, type TakeResolution } from "./attempt.ts";
import { builder, git } from "./options.ts";

/**
 * One try to take one release. A pass goes as far as it can; where it stops, somebody decides, and the next pass goes on from
 * what is known by then. A pass may be cut off anywhere and taken again: each step is an activity that can run twice.
 */
export async function maintainRelease(input: AttemptInput): Promise<AttemptStatus> {
  const attempt = openAttempt(input);
  const status = await attempt.untilEnded(pass, decide);
  await condition(allHandlersFinished);
  return status;
}

/** prepare → carry → build → push candidate → promote; what is done already is not done again. */
async function pass(attempt: Attempt): Promise<Stop> {
  attempt.plan ??= await attempt.step("read upstream, fork and stack", (summary) =>
    git(summary).prepare(attempt.subject),
  );
  if (attempt.plan.kind === "nothing") return { end: "completed", message: attempt.plan.reason };
  if (attempt.plan.kind === "skipped") return { end: "skipped", message: attempt.plan.reason };
  if (attempt.plan.kind === "blocked") return attempt.blocked(attempt.plan);
  attempt.startFrom(attempt.plan);

  attempt.carried ??= await attempt.step("carry the stack", (summary) => git(summary).carry(attempt.work));
  if (attempt.carried.kind === "blocked") return attempt.blocked(attempt.carried);
  attempt.takeUp(attempt.carried);
  if (attempt.carried.kind === "conflict") return attempt.handOver("conflict", attempt.carried);
  const { tip, stop, builds = true } = attempt.carried;
  if (stop && !attempt.accepts(attempt.carried)) return attempt.handOver("warnings", stop);

  if (builds && attempt.built !== tip) {
    const build = await attempt.step("build", (summary) => builder(summary).build({ ...attempt.work, tip }));
    if (build.kind === "blocked") return attempt.blocked(build);
    attempt.warn("build", build.warnings);
    if (build.kind === "failed") return attempt.handOver("build", build);
    attempt.built = tip;
  }

  if (attempt.candidate?.sha !== tip) {
    const pushed = await attempt.step("push the candidate", (summary) =>
      git(summary).pushCandidate({ ...attempt.work, tip }),
    );
    if (pushed.kind === "blocked") return attempt.blocked(pushed);
    await attempt.candidateReady(pushed);
  }

  for (const channel of attempt.channelsToPromote()) {
    const promoted = await attempt.step(`promote to ${channel}`, (summary) =>
      git(summary).promote({ ...attempt.work, tip, channel }),
    );
    if (promoted.kind === "blocked") return attempt.blocked(promoted);
    await attempt.promotedTo(channel, promoted.refs);
  }
  return attempt.awaitApproval();
}

/** What a decision changes for the next pass. Returns a stop to stay in, when the decision could not be taken. */
async function decide(attempt: Attempt, stop: Extract<Stop, { wait: unknown }>): Promise<Stop | undefined> {
  const decision = attempt.taken;
  const take: TakeResolution = (summary, stopped) => git(summary).takeResolution({ ...attempt.work, stopped });
  switch (decision?.name) {
    case "abort":
      return { end: "cancelled", message: decision.reason ?? "aborted by a person" };
    case "giveWay":
      await attempt.rememberPushed(stop, take);
      return attempt.gaveWay(decision.to);
    case "skipPatch":
      return attempt.decided({
        kind: "skip",
        patch: stop.wait.patch as string,
        reason: decision.reason as string,
        by: decision.by,
      });
    case "promote":
      return attempt.approve(decision.channel as ChannelName);
    case "resume":
      if (!stop.handedOver) return attempt.takeAfresh();
      return await attempt.takeResolution(stop, take);
    default:
      return attempt.takeAfresh();
  }
}
