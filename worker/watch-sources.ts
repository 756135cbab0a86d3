import type { Client } from "@temporalio/client";
import type { FeedSourcesFile } from "../domain/config.ts";
import { TASK_QUEUE, watchFeedId } from "../workflows/messages.ts";

const LOOK_MS = 5_000;

/** Starts `watchFeed` for each source that the config has, now and whenever it changes. One that the config lost ends itself. */
export function watchSources({
  config,
  client,
  log,
}: {
  config: () => FeedSourcesFile;
  client: Client;
  log: { warn: (message: string) => void };
}): { close: () => void } {
  let started: FeedSourcesFile | undefined;
  const look = async () => {
    const now = config();
    if (now === started) return;
    try {
      await Promise.all(now.sources.map(({ id }) => start(client, id)));
      started = now;
    } catch (error) {
      log.warn(`sources are not all watched yet, trying again: ${(error as Error).message}`);
    }
  };
  void look();
  const timer = setInterval(() => void look(), LOOK_MS);
  return { close: () => clearInterval(timer) };
}

async function start(client: Client, sourceId: string): Promise<void> {
  await client.workflow.start("watchFeed", {
    workflowId: watchFeedId(sourceId),
    taskQueue: TASK_QUEUE,
    args: [{ sourceId }],
    workflowIdConflictPolicy: "USE_EXISTING",
    staticSummary: `watches ${sourceId}`,
  });
}
