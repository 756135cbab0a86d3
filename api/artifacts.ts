import { Router } from "express";
import { ATTACHMENTS } from "../domain/attempt.ts";
import { endpoint, ok } from "./answers.ts";
import type { ApiDeps } from "./app.ts";
import { findAttempt } from "./attempts.ts";
import { Problem } from "./problems.ts";
import { pathId } from "./requests.ts";

const { artifactPrefix: PREFIX, buildLog: LOG, rangeDiff: RANGE_DIFF } = ATTACHMENTS;

/** What a build left, and the review text. All of it comes from upstream's code: it is sent as text or to be saved, never to be rendered. */
export function artifactRoutes(deps: ApiDeps): Router {
  const { attachments } = deps.records;
  const router = Router();

  endpoint(router, "/maintenance-attempts/:id/artifacts", {
    GET: async (request) => {
      const { id } = await findAttempt(deps, request);
      const artifacts = (await attachments.list(id))
        .filter(({ name }) => name === LOG || name.startsWith(PREFIX))
        .map(({ name, bytes }) => ({ name: shownName(name), bytes }));
      return ok({ artifacts });
    },
  });

  endpoint(router, "/maintenance-attempts/:id/artifacts/:name", {
    GET: async (request) => {
      const { id } = await findAttempt(deps, request);
      const name = pathId(request, "name");
      // Looked up in the list, so that a name from outside never becomes a path.
      const stored = (await attachments.list(id)).find(
        (each) => (each.name === LOG || each.name.startsWith(PREFIX)) && shownName(each.name) === name,
      );
      const found = stored && (await attachments.open(id, stored.name));
      if (!found) throw new Problem(404, "artifact_not_found", `Attempt ${id} has no artifact "${name}".`);
      return {
        status: 200,
        headers: { "Content-Type": "application/octet-stream", "Content-Disposition": disposition(name) },
        body: found,
      };
    },
  });

  endpoint(router, "/maintenance-attempts/:id/range-diff", {
    GET: async (request) => {
      const { id } = await findAttempt(deps, request);
      const found = await attachments.open(id, RANGE_DIFF);
      if (!found) {
        throw new Problem(
          404,
          "range_diff_not_found",
          `Attempt ${id} has no range-diff: it comes once the stack is carried.`,
        );
      }
      return { status: 200, headers: { "Content-Type": "text/plain; charset=utf-8" }, body: found };
    },
  });
  return router;
}

function shownName(stored: string): string {
  if (stored === LOG) return LOG;
  const encoded = stored.slice(PREFIX.length);
  try {
    return decodeURIComponent(encoded);
  } catch {
    return encoded;
  }
}

/** RFC 6266, with the name's last part only: the directories of a build are none of the reader's machine. */
function disposition(name: string): string {
  const base = name.slice(name.lastIndexOf("/") + 1);
  const ascii = base.replaceAll(/[^\w.+-]/g, "_");
  return `attachment; filename="${ascii}"; filename*=UTF-8''${encodeURIComponent(base).replaceAll(/['()*]/g, "_")}`;
}
