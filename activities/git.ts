import { ATTACHMENTS, type CandidateRef, type ChannelName } from "../domain/attempt.ts";
import type { Fork } from "../domain/config.ts";
import { expandName, resolutionRef } from "../domain/hand-off.ts";
import { isOlderRelease } from "../domain/release.ts";
import type { Git, Push } from "../git/index.ts";
import type { Records } from "../records/records.ts";
import { type ForkLookup, forkOf, forkRemote, recipeOf } from "./forks.ts";
import { changeAttempt, tellProgress } from "./record.ts";
import { running } from "./running.ts";
import type { Blocked, CandidatePushed, Carry, HandOver, Prepared, Promoted, Subject, Taking, Work } from "./steps.ts";
import { boundedWarnings, conflictStop, shownSubject, warningsStop } from "./stops.ts";

export interface GitDeps extends ForkLookup {
  git: Git;
  records: Records;
}

type Stopped = HandOver["stopped"];

/** Steps of an attempt that read or write the remotes. Each starts from the remotes alone and may run twice. */
export function gitActivities(deps: GitDeps) {
  const { git, records } = deps;
  /** `what` it is at, where that takes long, stands in the attempt's record meanwhile. */
  const step = <T>(attemptId: string, what: string, run: Parameters<typeof running<T>>[0]) =>
    running(
      (signal, progress) => {
        progress(what);
        return run(signal, progress);
      },
      (detail) => tellProgress(records, attemptId, detail),
    );
  return {
    /** Fetches, pins the commits to work with, and says whether there is anything to carry. */
    async prepare({ attemptId, fork: id, release, operation }: Subject): Promise<Prepared> {
      return await step(attemptId, "reading upstream, fork and stack", async (signal) => {
        const fork = forkOf(deps, id);
        const input = { upstream: { url: fork.upstream.url }, fork: forkRemote(deps, fork), target: release };
        const plan = await git.plan({ ...input, patchBranch: fork.patchBranch, stackBase: fork.stackBase }, signal);
        if (plan.kind === "blocked") return plan;
        await changeAttempt(records, attemptId, { upstreamSha: plan.release });
        if (plan.kind === "nothing") return { kind: "nothing", reason: plan.reason };
        const byHand = operation !== "dispatch";
        if (!byHand && plan.baseTag && isOlderRelease(release.name, plan.baseTag)) {
          return { kind: "skipped", reason: olderLine(fork, release.name, plan.baseTag) };
        }
        const { tip, base, patches } = plan;
        const warnings = boundedWarnings(plan.warnings);
        return { kind: "carry", pinned: { release: plan.release, tip, base }, patches, warnings };
      });
    },

    /** Carries the stack with what was decided so far. Ledger and range-diff go to the attempt's record, not through history. */
    async carry(work: Work): Promise<Carry> {
      const { attemptId } = work;
      return await step(attemptId, "carrying the stack", async (signal, progress) => {
        const recipe = recipeOf(deps, work);
        const onProgress = (k: number, n: number, subject: string) =>
          progress(`patch ${k} of ${n}: ${shownSubject(subject)}`);
        const carried = await git.carry(recipe, { signal, onProgress });
        if (carried.kind === "blocked") return carried;
        if (carried.kind === "conflict") {
          await changeAttempt(records, attemptId, { ledger: carried.ledger });
          return conflictStop(work, carried);
        }
        const { tip, ledger, remembered, rangeDiff } = carried;
        const warnings = boundedWarnings(carried.warnings);
        await records.attachments.put(attemptId, ATTACHMENTS.rangeDiff, `${rangeDiff.trimEnd()}\n`);
        await changeAttempt(records, attemptId, { ledger, warnings });
        const { stopOnWarnings, build } = forkOf(deps, work.fork);
        const stop = stopOnWarnings && warnings.length > 0 ? warningsStop(work, tip, warnings) : undefined;
        return { kind: "carried", tip, remembered, warnings, stop, builds: build !== undefined };
      });
    },

    async pushHandOff(input: Work & { stopped: Stopped }): Promise<{ kind: "pushed" } | Blocked> {
      return await step(input.attemptId, "pushing the progress", async (signal) => {
        const pushed = await git.pushHandOff(recipeOf(deps, input), input.stopped, signal);
        return pushed.kind === "pushed" ? { kind: "pushed" } : pushed;
      });
    },

    /** Reads what the person pushed. Of a carried stack, whose build failed or that has warnings, nothing need be pushed. */
    async takeResolution(input: Work & { stopped: Stopped }): Promise<Taking> {
      return await step(input.attemptId, "reading the resolution", async (signal) => {
        const recipe = recipeOf(deps, input);
        if (input.stopped.patch === undefined) {
          const ref = resolutionRef(input.release.name);
          const pushed = (await git.listRefs(recipe.fork, [ref], signal)).get(ref);
          if (pushed === undefined || pushed === input.stopped.progress) return { kind: "nothing" };
        }
        return await git.readResolution(recipe, input.stopped, signal);
      });
    },

    /** `places`: progress, conflict and resolution; `decisions`: accepted commits that need not be reachable any more. */
    async clearHandOff({ fork, name, ...what }: { fork: string; name: string; places: boolean; decisions: string[] }) {
      const remote = forkRemote(deps, forkOf(deps, fork));
      await running((signal) => git.clearHandOff(remote, name, what, signal));
    },

    /** Pushes branch and tag together. */
    async pushCandidate(input: Work & { tip: string }): Promise<CandidatePushed | Blocked> {
      return await step(input.attemptId, "pushing the candidate", async (signal) => {
        const { tip, release } = input;
        const fork = forkOf(deps, input.fork);
        const pushed = await git.pushCandidate(
          recipeOf(deps, input),
          { tip, ...candidateNames(fork, release.name) },
          signal,
        );
        if (pushed.kind === "blocked") return pushed;
        const message = `candidate pushed: ${pushed.refs.map(({ ref }) => ref).join(", ")}`;
        return { kind: "pushed", tip, refs: shownRefs(fork, pushed), channels: channelsOf(fork), message };
      });
    },

    async promote(input: Work & { tip: string; channel: ChannelName }): Promise<Promoted | Blocked> {
      return await step(input.attemptId, `promoting to ${input.channel}`, async (signal) => {
        const fork = forkOf(deps, input.fork);
        const { name } = input.release;
        const channel = fork.channels[input.channel];
        const promoted = await git.promote(
          recipeOf(deps, input),
          {
            channel: input.channel,
            branch: channel?.branch && expandName(channel.branch, name),
            tag: channel?.tag && expandName(channel.tag, name),
            candidate: input.tip,
            movePatchBranch: input.channel === "public",
            message: `${fork.id} ${name}`,
          },
          signal,
        );
        return promoted.kind === "blocked" ? promoted : { kind: "promoted", refs: shownRefs(fork, promoted) };
      });
    },

    /** Reads the attempt's refs again and records how they stand now: `pushed` says whether a ref still is where it was put. */
    async readRefs({ fork: id, attemptId }: { fork: string; attemptId: string }): Promise<void> {
      await running(async (signal) => {
        const attempt = await records.attempts.get(attemptId);
        if (!attempt?.candidateRefs.length) return;
        const fork = forkOf(deps, id);
        const found = await git.listRefs(
          forkRemote(deps, fork),
          attempt.candidateRefs.map(({ ref }) => ref),
          signal,
        );
        const wasAsked = ({ ref, sha }: CandidateRef) =>
          attempt.candidateRefs.some((asked) => asked.ref === ref && asked.sha === sha);
        // A promotion may have pushed more, or moved a ref, meanwhile.
        await changeAttempt(records, attemptId, (latest) => ({
          candidateRefs: latest.candidateRefs.map((each) =>
            wasAsked(each) ? { ...each, pushed: found.get(each.ref) === each.sha } : each,
          ),
        }));
      });
    },
  };
}

function olderLine(fork: Fork, name: string, baseTag: string): string {
  return `${name} is older than ${baseTag}, which ${fork.patchBranch} sits on; replay takes it all the same`;
}

function candidateNames(fork: Fork, name: string) {
  const { branch, tag } = fork.candidate;
  return {
    branch: expandName(branch, name),
    tag: tag && expandName(tag, name),
    message: `${fork.id}: candidate for ${name}`,
  };
}

/** Promotion to `public` can always be asked for by hand; to `internal` only where the config says what it moves. */
function channelsOf({ channels }: Fork): CandidatePushed["channels"] {
  const names = (["internal", "public"] as const).filter((name) => channels[name] || name === "public");
  const auto = names.filter((name) => channels[name]?.promote === "auto");
  return { auto, manual: names.filter((name) => !auto.includes(name)) };
}

function shownRefs({ fork }: Fork, pushed: Extract<Push, { kind: "pushed" }>): CandidateRef[] {
  return pushed.refs.map(({ kind, ref, sha }) => ({
    kind,
    ref,
    sha,
    ...(fork.repoFullName ? { repo: fork.repoFullName } : {}),
    remote: fork.url,
    pushed: true,
  }));
}
