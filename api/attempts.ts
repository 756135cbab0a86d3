import { type Request, Router } from "express";
import { z } from "zod";
import { ATTEMPT_STATUSES, type MaintenanceAttempt } from "../domain/attempt.ts";
import { syncAttempt } from "../workflows/messages.ts";
import { type Act, accepted, endpoint, ok } from "./answers.ts";
import type { ApiDeps } from "./app.ts";
import { decide } from "./decisions.ts";
import { IdempotentAnswers } from "./idempotency.ts";
import { Problem } from "./problems.ts";
import { listPage, listQuery, pathId, read } from "./requests.ts";
import { deliver, startingFork } from "./temporal.ts";

const query = listQuery({ eventId: z.string().optional(), status: z.enum(ATTEMPT_STATUSES).optional() });

const text = (longest: number) => z.string().min(1).max(longest);
const decision = z.strictObject({
  token: text(200).optional(),
  by: text(200).optional(),
  reason: text(2000).optional(),
  channel: z.enum(["internal", "public"]).optional(),
});
/** What each decision cannot do without. */
const DECISION_ROUTES = {
  resume: { name: "resume", body: decision },
  "skip-patch": { name: "skipPatch", body: decision.required({ token: true, reason: true }) },
  abort: { name: "abort", body: decision },
  promote: { name: "promote", body: decision.required({ channel: true }) },
} as const;

/** @throws Problem 404 `attempt_not_found`. */
export async function findAttempt({ records }: ApiDeps, request: Request): Promise<MaintenanceAttempt> {
  const id = pathId(request);
  const attempt = await records.attempts.get(id);
  if (attempt) return attempt;
  const detail = `There is no maintenance attempt "${id}"; GET /maintenance-attempts lists them.`;
  throw new Problem(404, "attempt_not_found", detail);
}

export function attemptRoutes(deps: ApiDeps): Router {
  const router = Router();
  const answers = new IdempotentAnswers();
  endpoint(router, "/maintenance-attempts", {
    GET: async (request) => {
      const { eventId, status, ...page } = read(query, request.query);
      const where = (attempt: MaintenanceAttempt) =>
        (eventId === undefined || attempt.eventId === eventId) && (status === undefined || attempt.status === status);
      return await listPage("attempts", deps.records.attempts, { where, ...page });
    },
  });
  endpoint(router, "/maintenance-attempts/:id", {
    GET: async (request) => ok({ attempt: await findAttempt(deps, request) }),
  });
  for (const [path, { name, body }] of Object.entries(DECISION_ROUTES)) {
    const POST: Act = async (request, wish) => {
      const attempt = await findAttempt(deps, request);
      return await decide(deps, attempt, name, read(body, request.body ?? {}), wish);
    };
    endpoint(router, `/maintenance-attempts/:id/${path}`, { POST }, answers);
  }
  endpoint(router, "/maintenance-attempts/:id/sync", { POST: syncing(deps) }, answers);
  return router;
}

/** `maintainFork` does it, so that attempts whose own workflow has ended can be read again too. */
function syncing(deps: ApiDeps): Act {
  return async (request, { requestId }) => {
    const { id, fork } = await findAttempt(deps, request);
    if (!fork) throw new Problem(409, "nothing_to_sync", `Attempt ${id} belongs to no fork of forks[].`);
    const delivery = await deliver(deps.temporal, () =>
      deps.temporal.workflow.startUpdateWithStart(syncAttempt, {
        args: [{ attemptId: id }],
        updateId: requestId,
        waitForStage: "ACCEPTED",
        startWorkflowOperation: startingFork(fork),
      }),
    );
    if (delivery.kind === "untaken") {
      const headers = { "Retry-After": "10" };
      const detail = "No worker answers, so the refs were not read again. Is one running? `npm run start:worker`";
      throw new Problem(503, "no_worker", detail, { headers });
    }
    return accepted({ attempt: await findAttempt(deps, request) });
  };
}
