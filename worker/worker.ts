import { join } from "node:path";
import { Client } from "@temporalio/client";
import { DefaultLogger, type LogEntry, NativeConnection, Runtime, Worker } from "@temporalio/worker";
import type { Logger } from "pino";
import { collectBuilds } from "../activities/build/rooms.ts";
import { findSandbox } from "../activities/build/sandbox.ts";
import { hiddenDirectories } from "../activities/build.ts";
import { createActivities } from "../activities/index.ts";
import { type Git, INHERITED_VARIABLES, openGit } from "../git/index.ts";
import type { Boot, Environment } from "../service/boot.ts";
import type { Running } from "../service/run.ts";
import { connected, type TemporalTarget } from "../service/temporal.ts";
import { TASK_QUEUE } from "../workflows/messages.ts";
import { workflowBundlePath } from "./bundle.ts";
import { watchSources } from "./watch-sources.ts";

/** Long enough for a step over the network to end by itself; what is cut off is taken again by the next worker. */
const SHUTDOWN_GRACE = "5 seconds";

const COLLECT_MS = 6 * 60 * 60 * 1000;

/** Polls Temporal for work and keeps a watch on every source of the config. Rejects `failed` when the worker dies for good. */
export async function startWorker(
  boot: Boot,
  environment: Environment,
  target: TemporalTarget,
  failed: (error: unknown) => void,
): Promise<Running> {
  const { settings, config, records, secret, log } = boot;
  Runtime.install({ logger: new DefaultLogger("INFO", (entry) => pass(entry, log)) });
  const connection = await connected("Temporal", () => NativeConnection.connect(target.connection), log);
  const client = new Client({ connection, namespace: target.namespace });
  const inherited = INHERITED_VARIABLES.flatMap((name) => (environment[name] ? [[name, environment[name]]] : []));
  const git = openGit({
    directory: join(settings.dataDirectory, "git"),
    allowPrivateNetwork: settings.allowPrivateNetwork,
    allowLocalRepos: settings.allowLocalRepos,
    environment: Object.fromEntries(inherited),
  });
  const collecting = collectNowAndThen(git, log);
  const builds = join(settings.dataDirectory, "builds");
  await collectBuilds(builds);
  const activities = createActivities({
    config,
    secret,
    records,
    git,
    client: () => client,
    sandbox: await findSandbox(),
    directory: builds,
    hidden: hiddenDirectories(settings.dataDirectory),
    programPath: environment.PATH ?? "",
    discord: settings.discord,
    allowPrivateNetwork: settings.allowPrivateNetwork,
  });
  const worker = await Worker.create({
    connection,
    namespace: target.namespace,
    taskQueue: TASK_QUEUE,
    workflowBundle: { codePath: workflowBundlePath },
    activities,
    shutdownGraceTime: SHUTDOWN_GRACE,
    // By default the SDK holds heartbeats back for 80 % of their timeout, and a busy machine then misses it.
    maxHeartbeatThrottleInterval: "5 seconds",
  });
  const running = worker.run().catch(failed);
  const watch = watchSources({ config, client, log });
  return {
    async close() {
      watch.close();
      clearInterval(collecting);
      if (worker.getState() === "RUNNING") worker.shutdown();
      await running;
      await connection.close();
    },
  };
}

const LEVELS = { TRACE: "trace", DEBUG: "debug", INFO: "debug", WARN: "warn", ERROR: "error" } as const;

/** The SDK's log lines among ours; its own news of states are for debugging. */
function pass({ level, message, meta }: LogEntry, log: Boot["log"]): void {
  const { error, ...rest } = (meta ?? {}) as Record<string, unknown>;
  log[LEVELS[level]]({ ...rest, ...(error ? { err: error } : {}) }, message);
}

/** A big mirror takes minutes to pack: nothing waits for it. */
function collectNowAndThen(git: Git, log: Logger): NodeJS.Timeout {
  const collect = () => {
    git.collect().catch((error: unknown) => log.warn({ err: error }, "the git caches could not be tidied"));
  };
  collect();
  return setInterval(collect, COLLECT_MS).unref();
}
