import type { Request, RequestHandler } from "express";
import { z } from "zod";
import { issueLines } from "../domain/config.ts";
import { checkedLimit, decodeCursor, encodeCursor } from "../records/cursor.ts";
import { InvalidCursor, type ListQuery, type Log } from "../records/records.ts";
import { type Answer, ok } from "./answers.ts";
import { invalidRequest, Problem } from "./problems.ts";

/** What came from outside, understood by a schema; all faults are told at once. */
export function read<T>(schema: z.ZodType<T>, value: unknown): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw invalidRequest(issueLines(result.error));
}

/** JSON only: a browser does not send it to another site without asking first, as it does with forms and text. */
export const onlyJson: RequestHandler = (request, _response, next) => {
  const hasBody = request.headers["transfer-encoding"] !== undefined || Number(request.headers["content-length"]) > 0;
  if (hasBody && !request.is(["application/json", "application/*+json"])) {
    const detail = "A body is JSON: send it with `Content-Type: application/json`.";
    throw new Problem(415, "unsupported_media_type", detail);
  }
  next();
};

const pageQuery = {
  limit: z
    .string()
    .transform((text) => (/^\d{1,4}$/.test(text) ? Number(text) : 0))
    .refine((limit) => limit >= 1 && limit <= 1000, "must be a whole number from 1 to 1000")
    .optional(),
  cursor: z.string().optional(),
};

/** A list's query: its own filters, `limit` and `cursor`. A parameter given twice is refused. */
export function listQuery<Shape extends Record<string, z.ZodType>>(filters: Shape) {
  return z.object({ ...filters, ...pageQuery });
}

/** One page of a log under the list's own name, with `nextCursor` when there is more. */
export async function listPage<T>(name: string, log: Log<T>, query: ListQuery<T>): Promise<Answer> {
  const { items, nextCursor } = await log.list(query).catch(refuseCursor);
  return ok({ [name]: items, ...(nextCursor && { nextCursor }) });
}

/** One page of what is at hand whole, in its own order. */
export function sliceOf<T>(
  list: string,
  all: T[],
  { limit, cursor }: { limit?: number; cursor?: string },
): { items: T[]; nextCursor?: string } {
  const start = cursor === undefined ? 0 : positionOf(list, cursor, all.length);
  const end = start + checkedLimit(limit);
  return { items: all.slice(start, end), ...(end < all.length && { nextCursor: encodeCursor(list, end) }) };
}

function positionOf(list: string, cursor: string, end: number): number {
  try {
    return decodeCursor(list, cursor, end);
  } catch (error) {
    return refuseCursor(error);
  }
}

function refuseCursor(error: unknown): never {
  if (error instanceof InvalidCursor) throw new Problem(400, "invalid_cursor", error.message);
  throw error;
}

export function pathId(request: Request, name = "id"): string {
  return String(request.params[name]);
}
