import { randomUUID } from "node:crypto";
import { ActivityFailure, WorkflowUpdateFailedError, type WorkflowUpdateHandle } from "@temporalio/client";
import { type Request, Router } from "express";
import { ATTACHMENTS } from "../domain/attempt.ts";
import { forgetResolution, listResolutions, maintainForkId } from "../workflows/messages.ts";
import { accepted, endpoint, ok } from "./answers.ts";
import type { ApiDeps } from "./app.ts";
import { IdempotentAnswers } from "./idempotency.ts";
import { Problem } from "./problems.ts";
import { listQuery, pathId, read, sliceOf } from "./requests.ts";
import { type Delivery, deliver, startingFork } from "./temporal.ts";

const query = listQuery({});

/** What forks remember of resolved conflicts. Workers have git; they answer by way of the fork's workflow. */
export function resolutionRoutes(deps: ApiDeps): Router {
  const { workflow } = deps.temporal;
  const router = Router();

  endpoint(router, "/forks/:id/resolutions", {
    GET: async (request) => {
      const page = read(query, request.query);
      const fork = findFork(deps, request);
      const delivery = await ask(deps, fork, () =>
        workflow.startUpdateWithStart(listResolutions, {
          updateId: randomUUID(),
          waitForStage: "ACCEPTED",
          startWorkflowOperation: startingFork(fork),
        }),
      );
      if (delivery.kind !== "done") throw notYet(fork);
      const { items: resolutions, ...more } = sliceOf("resolutions", await found(deps, fork), page);
      return ok({ resolutions, ...more });
    },
  });

  endpoint(
    router,
    "/forks/:id/resolutions/:key",
    {
      DELETE: async (request, { requestId }) => {
        const fork = findFork(deps, request);
        const key = pathId(request, "key");
        if (!/^[\w.-]{1,200}$/.test(key)) throw unknown(fork, key);
        const delivery = await ask(deps, fork, () =>
          workflow.startUpdateWithStart(forgetResolution, {
            args: [{ key }],
            updateId: requestId,
            waitForStage: "ACCEPTED",
            startWorkflowOperation: startingFork(fork),
          }),
        );
        if (delivery.kind === "done" && !delivery.value) throw unknown(fork, key);
        return accepted({ fork, key, ...(delivery.kind === "done" && { forgotten: true }) });
      },
    },
    new IdempotentAnswers(),
  );
  return router;
}

function findFork({ config }: ApiDeps, request: Request): string {
  const id = pathId(request);
  if (config().forks.some((fork) => fork.id === id)) return id;
  const known = config().forks.map((fork) => fork.id);
  const detail = `forks[] of the config has no "${id}"; it has ${known.join(", ") || "none"}.`;
  throw new Problem(404, "fork_not_found", detail);
}

async function ask<T>(
  { temporal }: ApiDeps,
  fork: string,
  send: () => Promise<WorkflowUpdateHandle<T>>,
): Promise<Delivery<T>> {
  const delivery = await deliver(temporal, send).catch((error: unknown) => {
    throw error instanceof WorkflowUpdateFailedError ? unreadable(fork, error) : error;
  });
  if (delivery.kind !== "untaken") return delivery;
  const detail = "No worker answers, so nothing was read or forgotten. Is one running? `npm run start:worker`";
  throw new Problem(503, "no_worker", detail, { headers: { "Retry-After": "10" } });
}

/** The worker has put the list there just now. */
async function found({ records }: ApiDeps, fork: string): Promise<unknown[]> {
  const list = await records.attachments.get(maintainForkId(fork), ATTACHMENTS.resolutions);
  return list ? (JSON.parse(list.toString()) as unknown[]) : [];
}

function unknown(fork: string, key: string): Problem {
  const detail = `${fork} remembers no resolution "${key}"; GET /forks/${fork}/resolutions lists them.`;
  return new Problem(404, "resolution_not_found", detail);
}

function notYet(fork: string): Problem {
  const detail = `${fork}'s repository has not answered yet. Send the request again in a moment.`;
  return new Problem(503, "fork_slow", detail, { headers: { "Retry-After": "10" } });
}

function unreadable(fork: string, { cause }: WorkflowUpdateFailedError): Problem {
  const reason = cause instanceof ActivityFailure ? cause.cause : cause;
  return new Problem(502, "fork_unreadable", `${fork}'s repository cannot be read or written: ${reason?.message}`);
}
