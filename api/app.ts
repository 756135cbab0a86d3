import type { Client } from "@temporalio/client";
import express, { type Express, type RequestHandler } from "express";
import helmet from "helmet";
import type { Logger } from "pino";
import type { FeedSourcesFile } from "../domain/config.ts";
import type { Records } from "../records/records.ts";
import { artifactRoutes } from "./artifacts.ts";
import { attemptRoutes } from "./attempts.ts";
import { requireToken } from "./auth.ts";
import { dispatchRoutes } from "./dispatches.ts";
import { feedSourceRoutes } from "./feed-sources.ts";
import { flowEventRoutes } from "./flow-events.ts";
import { healthRoutes } from "./health.ts";
import { onlyLocalCallers } from "./local-callers.ts";
import { Problem, sendProblems } from "./problems.ts";
import { onlyJson } from "./requests.ts";
import { resolutionRoutes } from "./resolutions.ts";

export interface ApiDeps {
  /** The config as it is now. */
  config: () => FeedSourcesFile;
  records: Records;
  temporal: Client;
  log: Logger;
  adminToken?: string | undefined;
}

const BODY_LIMIT = "1mb";

/** The HTTP API of CONTRACT.md. Listens nowhere by itself. */
export function createApi(deps: ApiDeps): Express {
  const app = express();
  app.disable("x-powered-by");
  app.use(logRequests(deps), helmet());
  app.use(healthRoutes(deps));
  app.use(deps.adminToken ? requireToken(deps.adminToken) : onlyLocalCallers);
  app.use(onlyJson, express.json({ limit: BODY_LIMIT, type: () => true }));
  app.use(
    flowEventRoutes(deps),
    attemptRoutes(deps),
    artifactRoutes(deps),
    dispatchRoutes(deps),
    feedSourceRoutes(deps),
    resolutionRoutes(deps),
  );
  app.use((request) => {
    throw new Problem(404, "not_found", `There is nothing at ${request.path}.`);
  });
  app.use(sendProblems(deps.log));
  return app;
}

/** Path, status and time only: queries, headers and bodies may hold what a log should not. */
function logRequests({ log }: ApiDeps): RequestHandler {
  return (request, response, next) => {
    const start = performance.now();
    const { method, path } = request;
    response.once("close", () => {
      const ms = Math.round(performance.now() - start);
      const isProbe = path === "/healthz" || path === "/readyz";
      log[isProbe ? "debug" : "info"]({ method, path, status: response.statusCode, ms }, "request");
    });
    next();
  };
}
