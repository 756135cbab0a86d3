import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { Request, RequestHandler, Response, Router } from "express";
import type { IdempotentAnswers, Wish } from "./idempotency.ts";
import { Problem } from "./problems.ts";

export interface Answer {
  status: number;
  headers?: Record<string, string>;
  body: { json: unknown } | { text: string } | { stream: Readable; bytes: number };
}

export type Read = (request: Request) => Promise<Answer>;
/** What a POST or a DELETE does; `wish` names it, so that doing it twice counts once. */
export type Act = (request: Request, wish: Wish) => Promise<Answer>;

export const ok = (json: unknown): Answer => ({ status: 200, body: { json } });

export const accepted = (json: unknown, location?: string): Answer => ({
  status: 202,
  ...(location && { headers: { Location: location } }),
  body: { json },
});

/** One path and all it takes; every other method is told so. */
export function endpoint(
  router: Router,
  path: string | string[],
  { GET, POST, DELETE }: { GET?: Read; POST?: Act; DELETE?: Act },
  answers?: IdempotentAnswers,
): void {
  const route = router.route(path);
  if (GET) route.get(async (request, response) => send(request, response, await GET(request)));
  if (POST && answers) {
    route.post(async (request, response) => send(request, response, await answers.once(request, POST)));
  }
  if (DELETE && answers) {
    route.delete(async (request, response) => send(request, response, await answers.once(request, DELETE)));
  }
  const methods = [...(GET ? ["GET", "HEAD"] : []), ...(POST ? ["POST"] : []), ...(DELETE ? ["DELETE"] : [])];
  route.all(methodNotAllowed(methods));
}

async function send(request: Request, response: Response, { status, headers, body }: Answer): Promise<void> {
  response.status(status).set(headers ?? {});
  if ("json" in body) response.json(body.json);
  else if ("text" in body) response.send(body.text);
  else {
    response.set("Content-Length", String(body.bytes));
    if (request.method === "HEAD") {
      body.stream.destroy();
      response.end();
    } else {
      // Who goes away in the middle of a download is no error of ours.
      await pipeline(body.stream, response).catch(() => response.destroy());
    }
  }
}

function methodNotAllowed(methods: string[]): RequestHandler {
  const allowed = methods.join(", ");
  return (request) => {
    const detail = `${request.path} takes ${allowed}, not ${request.method}.`;
    throw new Problem(405, "method_not_allowed", detail, { headers: { Allow: allowed } });
  };
}
