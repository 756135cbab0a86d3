import type { CandidateRef, LedgerRow, MaintenanceAttempt } from "../../domain/attempt.ts";
import type { LocalService } from "./service.ts";

/** What the newcomer sees: numbered steps, and under each what came of it. */
export class Teller {
  #steps = 0;
  #started = 0;

  step(title: string): void {
    this.#steps++;
    this.#started = Date.now();
    console.log(`\n${this.#steps}. ${title}`);
  }

  line(text = ""): void {
    for (const row of text.split("\n")) console.log(row && `   ${row}`);
  }

  lines(rows: string[]): void {
    for (const row of rows) this.line(row);
  }

  /** Ends a step with how long it took. */
  done(text: string): void {
    this.line(`${text} (${this.seconds().toFixed(1)} s)`);
  }

  seconds(): number {
    return (Date.now() - this.#started) / 1000;
  }
}

export const short = (sha: string) => sha.slice(0, 10);

/** One line a patch: what became of it, and why. */
export function ledgerLines(ledger: LedgerRow[] = []): string[] {
  return ledger.map(({ outcome, patch, subject, commit, evidence }) => {
    const where = commit ? ` → ${short(commit)}` : "";
    const why =
      outcome === "dropped" || outcome === "skipped"
        ? `  (${evidence?.replace(/\b[0-9a-f]{40}\b/g, short) ?? "no evidence"})`
        : "";
    return `${outcome.padEnd(8)} ${short(patch)}${where}  ${subject}${why}`;
  });
}

export function refLines(refs: CandidateRef[]): string[] {
  return refs.filter(({ sha }) => sha).map(({ ref, sha = "" }) => `${short(sha)}  ${ref}`);
}

/** How a person fixes and resumes a stopped attempt. */
export function fixLines(attempt: MaintenanceAttempt, cloneUrl: string, service: LocalService): string[] {
  const { intervention } = attempt;
  return [
    "In a fresh clone of the fork:",
    "",
    `  git clone ${cloneUrl} fix && cd fix`,
    ...untilResume(intervention?.commands ?? []).map((line) => `  ${line}`),
    "",
    "Then let it go on, by one of these:",
    "",
    `  curl -X POST ${service.api.url}/maintenance-attempts/${encodeURIComponent(attempt.id)}/resume`,
    `  temporal workflow signal --address ${service.temporalAddress} --workflow-id ${attempt.id} --name resume`,
    `  ${workflowUrl(service, attempt.id)}  (Send Signal, name: resume)`,
    ...(intervention?.kind === "conflict" ? skipLines(attempt, service) : []),
  ];
}

function skipLines({ id, intervention }: MaintenanceAttempt, service: LocalService): string[] {
  const body = JSON.stringify({ token: intervention?.token, reason: "why it may go" });
  const url = `${service.api.url}/maintenance-attempts/${encodeURIComponent(id)}/skip-patch`;
  return ["", "Or leave the patch out:", "", `  curl -X POST ${url} -H 'Content-Type: application/json' -d '${body}'`];
}

/** The commands end with how to resume in general; here the addresses are known. */
function untilResume(commands: string[]): string[] {
  const end = commands.findIndex((line) => line.startsWith("# Then let patch.moi go on"));
  return end < 0 ? commands : commands.slice(0, end);
}

export function workflowUrl({ uiUrl }: LocalService, workflowId: string): string {
  return `${uiUrl}/namespaces/default/workflows/${encodeURIComponent(workflowId)}`;
}
