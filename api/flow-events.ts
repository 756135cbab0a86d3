import { Router } from "express";
import { z } from "zod";
import type { Operation } from "../domain/attempt.ts";
import { isSafeRefName } from "../domain/config.ts";
import type { FlowEvent } from "../domain/events.ts";
import { manualEventId } from "../domain/ids.ts";
import { type Act, endpoint, ok } from "./answers.ts";
import type { ApiDeps } from "./app.ts";
import { IdempotentAnswers } from "./idempotency.ts";
import { offerEvent } from "./offers.ts";
import { Problem } from "./problems.ts";
import { listPage, listQuery, pathId, read } from "./requests.ts";

const query = listQuery({ type: z.string().optional() });

const wanted = z.object({
  type: z.string().min(1).max(200),
  payload: z.looseObject({
    fork: z.string().min(1),
    tag: z.string().min(1).max(200).refine(isSafeRefName, "is not a valid git tag name"),
  }),
});

export function flowEventRoutes(deps: ApiDeps): Router {
  const { records } = deps;
  const router = Router();
  const answers = new IdempotentAnswers();

  const find = async (id: string): Promise<FlowEvent> => {
    const event = await records.flowEvents.get(id);
    if (event) return event;
    throw new Problem(404, "flow_event_not_found", `There is no flow event "${id}"; GET /flow-events lists them.`);
  };
  const again =
    (operation: Operation): Act =>
    async (request, wish) =>
      await offerEvent(deps, await find(pathId(request)), operation, wish);

  endpoint(
    router,
    "/flow-events",
    {
      GET: async (request) => {
        const { type, ...page } = read(query, request.query);
        const where = (event: FlowEvent) => type === undefined || event.type === type;
        return await listPage("events", records.flowEvents, { where, ...page });
      },
      POST: async (request, wish) => {
        const { type, payload } = read(wanted, request.body ?? {});
        const id = manualEventId(payload.fork, payload.tag, type);
        const event: FlowEvent = { id, type, source: "patch", receivedAt: new Date().toISOString(), payload };
        return await offerEvent(deps, (await records.flowEvents.get(id)) ?? event, "dispatch", wish);
      },
    },
    answers,
  );
  endpoint(router, "/flow-events/:id", {
    GET: async (request) => {
      const event = await find(pathId(request));
      const { items } = await records.dispatches.list({ where: (each) => each.eventId === event.id, limit: 1000 });
      return ok({ event, dispatches: items });
    },
  });
  endpoint(router, "/flow-events/:id/retry", { POST: again("retry") }, answers);
  endpoint(router, "/flow-events/:id/replay", { POST: again("replay") }, answers);
  return router;
}
