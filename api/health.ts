import type { Client } from "@temporalio/client";
import { Router } from "express";
import { TASK_QUEUE } from "../workflows/messages.ts";
import { endpoint, ok } from "./answers.ts";
import type { ApiDeps } from "./app.ts";
import { Problem } from "./problems.ts";

/** A worker that lives polls anew at least every 70 s; the server remembers dead ones for minutes. */
const POLLER_AGE_MS = 80_000;
const ANSWER_MS = 2_000;

/** For load balancers and supervisors; open to all, so they tell nothing but whether the service works. */
export function healthRoutes({ temporal, records }: ApiDeps): Router {
  const router = Router();
  endpoint(router, "/healthz", {
    GET: async () => ({
      status: 200,
      headers: { "Content-Type": "text/plain; charset=utf-8" },
      body: { text: "ok\n" },
    }),
  });
  endpoint(router, "/readyz", {
    GET: async () => {
      const reasons = await Promise.all([whyNoWorker(temporal), whyNotWritable(() => records.checkWritable())]);
      const errors = reasons.filter((reason) => reason !== undefined);
      if (errors.length > 0) {
        throw new Problem(503, "not_ready", errors.join(" "), { errors, headers: { "Retry-After": "5" } });
      }
      return ok({ status: "ready" });
    },
  });
  return router;
}

const WORKFLOW_TASKS = 1;
const ACTIVITY_TASKS = 2;

async function whyNoWorker(client: Client): Promise<string | undefined> {
  const lastPoll = async (taskQueueType: number) => {
    const { namespace } = client.options;
    const request = { namespace, taskQueue: { name: TASK_QUEUE }, taskQueueType };
    const { pollers } = await client.workflowService.describeTaskQueue(request);
    return Math.max(0, ...(pollers ?? []).map(({ lastAccessTime }) => Number(lastAccessTime?.seconds ?? 0) * 1000));
  };
  try {
    const polls = await client.withDeadline(Date.now() + ANSWER_MS, () =>
      Promise.all([lastPoll(WORKFLOW_TASKS), lastPoll(ACTIVITY_TASKS)]),
    );
    const isRecent = polls.every((time) => Date.now() - time < POLLER_AGE_MS);
    return isRecent
      ? undefined
      : `No worker polls the task queue ${TASK_QUEUE}; start one with \`npm run start:worker\`.`;
  } catch (error) {
    return `Temporal does not answer: ${(error as { details?: string }).details ?? (error as Error).message}`;
  }
}

async function whyNotWritable(check: () => Promise<void>): Promise<string | undefined> {
  try {
    await check();
  } catch (error) {
    return (error as Error).message;
  }
}
