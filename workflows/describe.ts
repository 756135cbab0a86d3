import type { AttemptChange, Subject } from "../activities/steps.ts";
import type { ForkState } from "../domain/fork-queue.ts";

/** The markdown that the Temporal Web UI shows of an attempt: how it stands, and what it asks of the operator. */
export function describeAttempt(subject: Omit<Subject, "operation">, shown: AttemptChange, note?: string): string {
  const lines = [
    `**${shown.status ?? "started"}** — ${subject.fork} takes ${subject.release.name}`,
    "",
    shown.message ?? "",
  ];
  const asked = shown.intervention;
  if (asked?.commands.length) lines.push("", "```sh", ...asked.commands, "```");
  if (asked) lines.push("", `Token of this wait: \`${asked.token}\``, "", `Send Signal: ${SIGNALS[asked.kind]}`);
  for (const { ref, sha } of shown.candidateRefs ?? []) lines.push("", `- \`${ref}\` ${sha?.slice(0, 12) ?? ""}`);
  for (const warning of shown.warnings ?? []) lines.push("", `> ${warning}`);
  if (note) lines.push("", `_${note}_`);
  return lines.join("\n");
}

const SIGNALS = {
  conflict: '`resume`; `skipPatch` with `{"token": "…", "reason": "…"}`; `retry`; `abort`',
  build: "`retry`; `resume` after pushing a fix; `abort`",
  warnings: "`resume` to accept them, or after pushing a fix; `retry`; `abort`",
  blocked: "`retry`; `abort`",
  approval: '`promote` with `{"channel": "…"}`; `abort`',
};

/** What maintainFork shows: who holds the fork, what waits its turn, and how the last releases ended. */
export function describeFork(state: ForkState): string {
  const lines = [`**${state.fork}** — ${state.open ? `at work: \`${state.open}\`` : "waits for a release"}`];
  for (const { attemptId } of state.queue) lines.push("", `- in the queue: \`${attemptId}\``);
  for (const { attemptId, status } of state.known.slice(-10).reverse()) lines.push("", `- \`${attemptId}\` ${status}`);
  return lines.join("\n");
}
