import { type ChildProcess, spawn } from "node:child_process";
import { createHash, timingSafeEqual } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { resolve } from "node:path";
import { quietGitEnv } from "./git.ts";
import { listen } from "./listen.ts";

export interface GitServer {
  /** `http://127.0.0.1:<port>`; a repository at `<root>/a/b.git` is `<url>/a/b.git`. */
  url: string;
  port: number;
  close(): Promise<void>;
}

/**
 * Serves every bare repository under `root` over HTTP by `git http-backend`, pushes included. With a token, reading and
 * pushing both ask for it as a Basic password, with any user name. Listens on loopback only; port 0 (default) is a free one.
 */
export async function startGitServer(options: { root: string; token?: string; port?: number }): Promise<GitServer> {
  const root = resolve(options.root);
  const running = new Set<ChildProcess>();
  const server = createServer((request, response) => {
    if (options.token !== undefined && !mayEnter(request, options.token)) {
      request.resume();
      response.writeHead(401, { "WWW-Authenticate": 'Basic realm="git"' }).end("Authentication required\n");
      return;
    }
    serve(root, request, response, running);
  });
  const { port, close } = await listen(server, options.port);
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    close: async () => {
      for (const child of running) endGroup(child);
      await close();
    },
  };
}

function mayEnter(request: IncomingMessage, token: string): boolean {
  const [scheme, value] = (request.headers.authorization ?? "").split(" ");
  if (scheme?.toLowerCase() !== "basic" || !value) return false;
  const password = Buffer.from(value, "base64")
    .toString("utf8")
    .replace(/^[^:]*:/, "");
  const digest = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(password), digest(token));
}

/** One CGI run (RFC 3875). `git http-backend` inflates gzipped bodies itself and reads to the end of input where there is no length. */
function serve(root: string, request: IncomingMessage, response: ServerResponse, running: Set<ChildProcess>): void {
  const env = cgiEnv(root, request);
  if (!env) {
    request.resume();
    response.writeHead(400).end("Bad path\n");
    return;
  }
  // A process group of its own, so that the pack-objects under it can be ended with it.
  const child = spawn("git", ["http-backend"], { env, detached: true, stdio: ["pipe", "pipe", "ignore"] });
  running.add(child);
  child.once("close", () => running.delete(child));
  child.once("error", () => fail(response));
  child.stdin.on("error", () => {}); // The backend may answer before it has read everything.
  request.pipe(child.stdin);
  response.once("close", () => {
    if (!response.writableFinished) endGroup(child);
  });
  passOn(child, response);
}

function cgiEnv(root: string, request: IncomingMessage): NodeJS.ProcessEnv | undefined {
  const [path = "/", query = ""] = (request.url ?? "/").split(/\?(.*)/s);
  let decoded: string;
  try {
    decoded = decodeURIComponent(path);
  } catch {
    return undefined;
  }
  if (decoded.includes("\0") || decoded.split("/").includes("..")) return undefined;
  const { headers } = request;
  return {
    ...quietGitEnv(),
    GIT_PROJECT_ROOT: root,
    GIT_HTTP_EXPORT_ALL: "1",
    GIT_CONFIG_COUNT: "1",
    GIT_CONFIG_KEY_0: "http.receivepack",
    GIT_CONFIG_VALUE_0: "true",
    REQUEST_METHOD: request.method,
    PATH_INFO: decoded,
    QUERY_STRING: query,
    REMOTE_ADDR: request.socket.remoteAddress,
    SERVER_PROTOCOL: `HTTP/${request.httpVersion}`,
    ...(headers["content-type"] && { CONTENT_TYPE: headers["content-type"] }),
    ...(headers["content-length"] && { CONTENT_LENGTH: headers["content-length"] }),
    ...(headers["content-encoding"] && { HTTP_CONTENT_ENCODING: headers["content-encoding"] }),
    ...(headers["git-protocol"] && { GIT_PROTOCOL: String(headers["git-protocol"]) }),
  };
}

/** Turns the CGI head (`Status:` and headers) into an HTTP one, then streams the rest. */
function passOn(child: ChildProcess, response: ServerResponse): void {
  const output = child.stdout as NodeJS.ReadableStream;
  let head = Buffer.alloc(0);
  const onData = (chunk: Buffer) => {
    head = Buffer.concat([head, chunk]);
    const end = head.indexOf("\r\n\r\n");
    if (end < 0) return;
    output.off("data", onData);
    output.off("end", onEnd);
    let status = 200;
    for (const line of head.subarray(0, end).toString("latin1").split("\r\n")) {
      const [, name, value] = /^([^:]+):\s*(.*)$/.exec(line) ?? [];
      if (!name || value === undefined) continue;
      if (name.toLowerCase() === "status") status = Number.parseInt(value, 10);
      else response.setHeader(name, value);
    }
    response.writeHead(status);
    response.write(head.subarray(end + 4));
    output.pipe(response);
  };
  const onEnd = () => fail(response);
  output.on("data", onData);
  output.on("end", onEnd);
}

function fail(response: ServerResponse): void {
  if (!response.headersSent) response.writeHead(500);
  response.end();
}

function endGroup(child: ChildProcess): void {
  if (child.pid === undefined || child.exitCode !== null) return;
  try {
    process.kill(-child.pid, "SIGTERM");
  } catch {
    // Already gone.
  }
}
