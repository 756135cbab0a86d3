import { Router } from "express";
import type { FeedSource } from "../domain/config.ts";
import type { FeedState } from "../domain/events.ts";
import { pollNow, TASK_QUEUE, watchFeedId } from "../workflows/messages.ts";
import { accepted, endpoint, ok } from "./answers.ts";
import type { ApiDeps } from "./app.ts";
import { IdempotentAnswers } from "./idempotency.ts";
import { Problem } from "./problems.ts";
import { listQuery, pathId, read, sliceOf } from "./requests.ts";
import { call, requireTemporal } from "./temporal.ts";

const query = listQuery({});

/** The sources of the config, in its order, with what polling has found. */
export function feedSourceRoutes(deps: ApiDeps): Router {
  const router = Router();

  endpoint(router, "/feed-sources", {
    GET: async (request) => {
      const { items, ...more } = sliceOf("feed-sources", deps.config().sources, read(query, request.query));
      const states = new Map((await deps.records.feedStates.all()).map((state) => [state.sourceId, state]));
      return ok({ sources: items.map((source) => shown(source, states.get(source.id))), ...more });
    },
  });

  endpoint(
    router,
    "/feed-sources/:id/poll",
    {
      POST: async (request) => {
        const id = pathId(request);
        const source = deps.config().sources.find((each) => each.id === id);
        if (!source) throw new Problem(404, "feed_source_not_found", `sources[] of the config has no "${id}".`);
        await poll(deps, id);
        return accepted({ source: shown(source, await deps.records.feedStates.get(id)) });
      },
    },
    new IdempotentAnswers(),
  );
  return router;
}

async function poll({ temporal }: ApiDeps, sourceId: string): Promise<void> {
  await requireTemporal(temporal);
  await call(temporal, () =>
    temporal.workflow.signalWithStart("watchFeed", {
      workflowId: watchFeedId(sourceId),
      taskQueue: TASK_QUEUE,
      args: [{ sourceId }],
      signal: pollNow,
      staticSummary: `watches ${sourceId}`,
    }),
  );
}

function shown(source: FeedSource, state: FeedState | undefined): Record<string, unknown> {
  return {
    ...source,
    url: withoutSecrets(source.url),
    lastPoll: state?.lastCheckedAt ?? null,
    lastCheckedAt: state?.lastCheckedAt ?? null,
    error: state?.lastError ?? null,
    nextPoll: state?.nextPollAt ?? null,
  };
}

/** Private feeds carry a password, or a token as GitLab's `feed_token`, in their URL. */
function withoutSecrets(address: string): string {
  const url = new URL(address);
  if (!url.username && !url.password && !/token|secret|key|auth/i.test(url.search)) return address;
  if (url.username) url.username = "***";
  if (url.password) url.password = "***";
  for (const name of url.searchParams.keys())
    if (/token|secret|key|auth/i.test(name)) url.searchParams.set(name, "***");
  return url.href;
}
