// Whether the worker of this container takes work: exit code 0 when Temporal heard from it lately, else 1 and the reason.
import { hostname } from "node:os";
import process from "node:process";
import { Connection } from "@temporalio/client";
import { parseSettings } from "../dist/domain/settings.js";
import { temporalTarget } from "../dist/service/temporal.js";
import { TASK_QUEUE } from "../dist/workflows/messages.js";

// A worker that lives polls anew at least every 70 s.
const POLL_AGE_MS = 80_000;
const DEADLINE_MS = 8_000;
const WORKFLOW_TASKS = 1;

try {
  const settings = parseSettings(process.env);
  if (!settings.ok) throw new Error(settings.errors.join("; "));
  const target = temporalTarget(settings.value);
  const connection = await Connection.connect({ ...target.connection, connectTimeout: DEADLINE_MS });
  const { pollers } = await connection.withDeadline(Date.now() + DEADLINE_MS, () =>
    connection.workflowService.describeTaskQueue({
      namespace: target.namespace,
      taskQueue: { name: TASK_QUEUE },
      taskQueueType: WORKFLOW_TASKS,
    }),
  );
  // The SDK names a worker `<pid>@<host>`.
  const ours = (pollers ?? []).filter(({ identity }) => identity?.endsWith(`@${hostname()}`));
  const lastPoll = Math.max(0, ...ours.map(({ lastAccessTime }) => Number(lastAccessTime?.seconds ?? 0) * 1000));
  if (Date.now() - lastPoll > POLL_AGE_MS) throw new Error(`no worker of ${hostname()} polls ${TASK_QUEUE}`);
  process.exit(0);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
}
