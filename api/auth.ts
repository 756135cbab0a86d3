import { createHash, timingSafeEqual } from "node:crypto";
import type { Request, RequestHandler } from "express";
import { Problem } from "./problems.ts";

/** Lets through who presents the admin token, in either of the two headers. */
export function requireToken(token: string): RequestHandler {
  const wanted = hash(token);
  return (request, _response, next) => {
    const given = [bearer(request), request.get("X-Patch-Admin-Token")];
    if (given.some((each) => each !== undefined && timingSafeEqual(hash(each), wanted))) return next();
    const detail = "Send PATCH_ADMIN_TOKEN's value as `Authorization: Bearer …` or `X-Patch-Admin-Token: …`.";
    throw new Problem(401, "unauthorized", detail, { headers: { "WWW-Authenticate": 'Bearer realm="patch.moi"' } });
  };
}

/** Hashes are of one length, so a comparison's time tells nothing. */
function hash(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}

function bearer(request: Request): string | undefined {
  return /^Bearer +(.+)$/i.exec(request.get("Authorization") ?? "")?.[1];
}
