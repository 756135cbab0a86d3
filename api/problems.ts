import { STATUS_CODES } from "node:http";
import type { ErrorRequestHandler, Request } from "express";
import type { Logger } from "pino";

interface ProblemExtras {
  /** One line a fault, each with the place it is at. */
  errors?: string[];
  headers?: Record<string, string>;
}

/** An answer that is not the one asked for: RFC 9457, plus `error`, a code that scripts can rely on. */
export class Problem extends Error {
  override name = "Problem";
  readonly status: number;
  readonly code: string;
  readonly extras: ProblemExtras;

  /** `detail` tells a person what is wrong and what to do next; it is shown to whoever asked. */
  constructor(status: number, code: string, detail: string, extras: ProblemExtras = {}) {
    super(detail);
    this.status = status;
    this.code = code;
    this.extras = extras;
  }

  body(instance: string): Record<string, unknown> {
    return {
      type: "about:blank",
      title: STATUS_CODES[this.status] ?? "Error",
      status: this.status,
      detail: this.message,
      instance,
      error: this.code,
      ...(this.extras.errors && { errors: this.extras.errors }),
    };
  }
}

export function invalidRequest(errors: string[]): Problem {
  return new Problem(400, "invalid_request", errors.join("; "), { errors });
}

/** Express's last stop: every error leaves as a problem, and only surprises are logged as errors. */
export function sendProblems(log: Logger): ErrorRequestHandler {
  return (error: unknown, request, response, next) => {
    if (response.headersSent) return next(error);
    const problem = asProblem(error, request);
    const { method, path } = request;
    if (problem !== error)
      log[problem.status >= 500 ? "error" : "debug"]({ err: error, method, path }, problem.message);
    else if (problem.status >= 500) log.warn({ method, path, code: problem.code }, problem.message);
    // An upload that nobody will read must not keep the connection.
    if (!request.complete) response.set("Connection", "close");
    response
      .status(problem.status)
      .set(problem.extras.headers ?? {})
      .type("application/problem+json")
      .send(JSON.stringify(problem.body(request.originalUrl)));
  };
}

/** What Express and its body parser throw carries a status and, from the parser, a `type`. */
function asProblem(error: unknown, request: Request): Problem {
  if (error instanceof Problem) return error;
  const { status, type, message } = error as { status?: number; type?: string; message?: string };
  if (type === "entity.parse.failed") return invalidRequest([`$: is not JSON: ${message}`]);
  if (type === "entity.too.large") return new Problem(413, "body_too_large", "A request's body is 1 MiB at most.");
  if (status === 415) return new Problem(415, "unsupported_media_type", `The body cannot be read: ${message}`);
  if (status !== undefined && status >= 400 && status < 500) {
    return new Problem(status, "invalid_request", `${request.method} ${request.path} cannot be understood: ${message}`);
  }
  return new Problem(500, "internal_error", "Something unexpected went wrong here; the service's log says what.");
}
