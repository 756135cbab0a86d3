import { Router } from "express";
import { z } from "zod";
import type { Dispatch } from "../domain/events.ts";
import { endpoint } from "./answers.ts";
import type { ApiDeps } from "./app.ts";
import { listPage, listQuery, read } from "./requests.ts";

const query = listQuery({
  eventId: z.string().optional(),
  status: z.enum(["dispatched", "failed", "skipped"]).optional(),
});

/** `/flow-dispatches` is what older clients ask for. */
export function dispatchRoutes({ records }: ApiDeps): Router {
  const router = Router();
  endpoint(router, ["/workspace-dispatches", "/flow-dispatches"], {
    GET: async (request) => {
      const { eventId, status, ...page } = read(query, request.query);
      const where = (dispatch: Dispatch) =>
        (eventId === undefined || dispatch.eventId === eventId) && (status === undefined || dispatch.status === status);
      return await listPage("dispatches", records.dispatches, { where, ...page });
    },
  });
  return router;
}
