import { isIP } from "node:net";
import type { Request, RequestHandler } from "express";
import { Problem } from "./problems.ts";

/**
 * Stands in for the token where none is set and the service listens on loopback only. A web page that the operator happens
 * to have open reaches loopback too: by a request to another site (told by `Origin`), or by a name of its own that it
 * lets resolve to 127.0.0.1 (told by `Host`, which then holds that name).
 */
export const onlyLocalCallers: RequestHandler = (request, _response, next) => {
  const host = hostname(request.get("Host"));
  if (host !== undefined && !isLocal(host)) {
    throw new Problem(
      403,
      "foreign_host",
      `Without PATCH_ADMIN_TOKEN this service answers to loopback addresses only, not to "${host}": set the token, or use http://127.0.0.1.`,
    );
  }
  if (isWrite(request) && isForeign(request)) {
    throw new Problem(
      403,
      "foreign_origin",
      "Web pages of another origin may not act here; use curl, or set PATCH_ADMIN_TOKEN.",
    );
  }
  next();
};

function hostname(header: string | undefined): string | undefined {
  return (
    header
      ?.replace(/:\d+$/, "")
      .replace(/^\[|\]$/g, "")
      .toLowerCase() || undefined
  );
}

/** No page can be served under a bare address that is not its own, so every address will do. */
function isLocal(host: string): boolean {
  return isIP(host) !== 0 || host === "localhost" || host.endsWith(".localhost");
}

const isWrite = (request: Request) => !["GET", "HEAD"].includes(request.method);

function isForeign(request: Request): boolean {
  const origin = request.get("Origin");
  if (origin !== undefined) return origin.replace(/^https?:\/\//, "") !== request.get("Host");
  return !["same-origin", "none", undefined].includes(request.get("Sec-Fetch-Site"));
}
