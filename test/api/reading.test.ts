import { request as rawRequest } from "node:http";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { at, attempt, dispatch, flowEvent } from "../records/samples.ts";
import { freePort, type Service, startService } from "./service.ts";

const odd = flowEvent(9, { id: "patch:tool/releases:https://example.org/acme/tool/releases/v9%:upstream.release" });

const path = (id: string) => encodeURIComponent(id);

/** Reading needs no Temporal, so there is none. */
describe("reading over HTTP", () => {
  let service: Service;
  beforeAll(async () => {
    service = await startService(`127.0.0.1:${await freePort()}`);
    const { records } = service;
    for (const n of [1, 2, 3]) await records.flowEvents.append(flowEvent(n, { type: n === 2 ? "other" : "release" }));
    await records.flowEvents.append(odd);
    for (const n of [1, 2, 3]) await records.attempts.append(attempt(n, { status: n === 2 ? "blocked" : "changed" }));
    for (const n of [1, 2]) await records.dispatches.append(dispatch(n, { status: n === 1 ? "failed" : "dispatched" }));
    await records.dispatches.append(dispatch(1, { createdAt: at(50), operation: "retry" }));
    const { id } = attempt(1);
    await records.attachments.put(id, "range-diff.txt", "1:  aaa = 1:  bbb ✓\n");
    await records.attachments.put(id, "build.log", "built\n");
    await records.attachments.put(id, `artifact.${path("dist/tool ä.html")}`, "<script>1</script>");
    await records.feedStates.put({
      sourceId: "tool/releases",
      seen: [],
      lastCheckedAt: at(1),
      lastError: "HTTP 500",
      nextPollAt: at(2),
    });
  });
  afterAll(() => service.close());

  it("tells that it lives", async () => {
    const { status, text, headers } = await service.get("/healthz");
    expect([status, text]).toEqual([200, "ok\n"]);
    expect(headers.get("content-type")).toMatch(/^text\/plain/);
    expect(headers.get("x-powered-by")).toBeNull();
    expect(headers.get("x-content-type-options")).toBe("nosniff");
    expect(headers.get("access-control-allow-origin")).toBeNull();
  });

  it("lists flow events, newest first, by type and page", async () => {
    const all = await service.get("/flow-events");
    expect(all.json.events.map(({ id }: { id: string }) => id)).toEqual([
      odd.id,
      ...[3, 2, 1].map((n) => flowEvent(n).id),
    ]);
    expect(all.json.nextCursor).toBeUndefined();
    expect((await service.get("/flow-events?type=other")).json.events).toHaveLength(1);
    const first = await service.get("/flow-events?limit=3");
    expect(first.json.events).toHaveLength(3);
    const second = await service.get(`/flow-events?limit=3&cursor=${first.json.nextCursor}`);
    expect(second.json).toEqual({ events: [flowEvent(1, { type: "release" })] });
  });

  it.each(["limit=0", "limit=1001", "limit=x", "limit=", "limit=1&limit=2", "limit=-1", "limit=1e2"])(
    "refuses %s",
    async (query) => {
      for (const list of ["flow-events", "maintenance-attempts", "workspace-dispatches", "feed-sources"]) {
        const { status, json, headers } = await service.get(`/${list}?${query}`);
        expect([status, json.error]).toEqual([400, "invalid_request"]);
        expect(json.errors[0]).toMatch(/^limit: /);
        expect(headers.get("content-type")).toMatch(/^application\/problem\+json/);
      }
    },
  );

  it("refuses cursors that it did not give out", async () => {
    for (const list of ["flow-events", "maintenance-attempts", "flow-dispatches", "feed-sources"]) {
      const { status, json } = await service.get(`/${list}?cursor=bogus`);
      expect([status, json.error]).toEqual([400, "invalid_cursor"]);
    }
  });

  it("gives one event with its dispatches, whatever its id holds", async () => {
    const one = await service.get(`/flow-events/${path(flowEvent(1).id)}`);
    expect(one.json.event.id).toBe(flowEvent(1).id);
    expect(one.json.dispatches.map(({ operation }: { operation: string }) => operation)).toEqual(["retry", "dispatch"]);
    const other = await service.get(`/flow-events/${path(odd.id)}`);
    expect(other.json).toEqual({ event: odd, dispatches: [] });
  });

  it("answers unknown things with problems", async () => {
    const event = await service.get("/flow-events/patch%3Anone?x=1");
    expect(event.status).toBe(404);
    expect(event.json).toMatchObject({
      type: "about:blank",
      title: "Not Found",
      status: 404,
      error: "flow_event_not_found",
      instance: "/flow-events/patch%3Anone?x=1",
    });
    expect((await service.get("/maintenance-attempts/none")).json.error).toBe("attempt_not_found");
    expect((await service.get("/maintenance-attempts/none/artifacts")).json.error).toBe("attempt_not_found");
    expect((await service.get("/nothing/here")).json).toMatchObject({ status: 404, error: "not_found" });
    expect((await service.get("/flow-events/%zz")).json).toMatchObject({ status: 400, error: "invalid_request" });
  });

  it("tells which methods a path takes", async () => {
    const post = await service.post(`/flow-events/${path(odd.id)}`);
    expect([post.status, post.json.error, post.headers.get("allow")]).toEqual([405, "method_not_allowed", "GET, HEAD"]);
    const get = await service.get("/maintenance-attempts/x/resume");
    expect([get.status, get.headers.get("allow")]).toEqual([405, "POST"]);
    const remove = await service.delete("/flow-events");
    expect([remove.status, remove.headers.get("allow")]).toEqual([405, "GET, HEAD, POST"]);
    expect((await fetch(`${service.url}/flow-events`, { method: "HEAD" })).status).toBe(200);
    expect((await service.get("/forks/tool/resolutions/a")).headers.get("allow")).toBe("DELETE");
  });

  it("lists and gives attempts", async () => {
    const ids = async (query: string) =>
      (await service.get(`/maintenance-attempts${query}`)).json.attempts.map(
        ({ upstreamTag }: { upstreamTag: string }) => upstreamTag,
      );
    expect(await ids("")).toEqual(["v3", "v2", "v1"]);
    expect(await ids("?status=changed")).toEqual(["v3", "v1"]);
    expect(await ids(`?eventId=${path(flowEvent(2).id)}`)).toEqual(["v2"]);
    expect(await ids(`?status=changed&eventId=${path(flowEvent(2).id)}`)).toEqual([]);
    expect((await service.get("/maintenance-attempts?status=bogus")).json.error).toBe("invalid_request");
    const one = await service.get(`/maintenance-attempts/${path(attempt(2).id)}`);
    expect(one.json).toEqual({ attempt: attempt(2, { status: "blocked" }) });
  });

  it("lists dispatches under both names", async () => {
    for (const name of ["workspace-dispatches", "flow-dispatches"]) {
      expect((await service.get(`/${name}`)).json.dispatches).toHaveLength(3);
      expect((await service.get(`/${name}?status=failed`)).json.dispatches).toEqual([
        dispatch(1, { status: "failed" }),
      ]);
      expect((await service.get(`/${name}?eventId=${path(flowEvent(1).id)}`)).json.dispatches).toHaveLength(2);
      expect((await service.get(`/${name}?status=x`)).status).toBe(400);
    }
  });

  it("gives the range-diff as text and artifacts to be saved", async () => {
    const base = `/maintenance-attempts/${path(attempt(1).id)}`;
    const diff = await service.get(`${base}/range-diff`);
    expect([diff.status, diff.text, diff.headers.get("content-type")]).toEqual([
      200,
      "1:  aaa = 1:  bbb ✓\n",
      "text/plain; charset=utf-8",
    ]);
    const list = await service.get(`${base}/artifacts`);
    expect(list.json).toEqual({
      artifacts: [
        { name: "dist/tool ä.html", bytes: 18 },
        { name: "build.log", bytes: 6 },
      ],
    });
    const file = await service.get(`${base}/artifacts/${path("dist/tool ä.html")}`);
    expect([file.status, file.text]).toEqual([200, "<script>1</script>"]);
    expect(file.headers.get("content-type")).toBe("application/octet-stream");
    expect(file.headers.get("content-length")).toBe("18");
    expect(file.headers.get("x-content-type-options")).toBe("nosniff");
    expect(file.headers.get("content-disposition")).toBe(
      `attachment; filename="tool__.html"; filename*=UTF-8''tool%20%C3%A4.html`,
    );
    expect((await service.get(`${base}/artifacts/build.log`)).text).toBe("built\n");
    for (const name of ["range-diff.txt", "..%2F..%2Ffeed-state.json", "none", "artifact.dist%2Ftool"]) {
      expect((await service.get(`${base}/artifacts/${name}`)).status).toBe(404);
    }
    expect((await service.get(`/maintenance-attempts/${path(attempt(2).id)}/range-diff`)).json.error).toBe(
      "range_diff_not_found",
    );
    expect((await service.get(`/maintenance-attempts/${path(attempt(2).id)}/artifacts`)).json).toEqual({
      artifacts: [],
    });
  });

  it("lists feed sources with their polls and without secrets", async () => {
    const { json, text } = await service.get("/feed-sources");
    expect(json.sources).toHaveLength(1);
    expect(json.sources[0]).toMatchObject({
      id: "tool/releases",
      event: "release",
      pollIntervalSeconds: 300,
      lastPoll: at(1),
      lastCheckedAt: at(1),
      error: "HTTP 500",
      nextPoll: at(2),
    });
    expect(text).not.toMatch(/pass@|abc/);
    expect(json.sources[0].url).toMatch(/page=1/);
  });

  it("is not ready without Temporal, and says why", async () => {
    const { status, json } = await service.get("/readyz");
    expect([status, json.error]).toEqual([503, "not_ready"]);
    expect(json.detail).toMatch(/Temporal does not answer/);
  });

  it("does nothing while Temporal is away", async () => {
    await service.records.attempts.append(attempt(4, { status: "blocked" }));
    const before = await service.records.dispatches.list();
    const posts = [
      ["/flow-events", { type: "upstream.release", payload: { fork: "tool", tag: "v77" } }],
      [`/flow-events/${path(flowEvent(1).id)}/retry`, undefined],
      [`/flow-events/${path(flowEvent(1).id)}/replay`, {}],
      [`/maintenance-attempts/${path(attempt(4).id)}/resume`, {}],
      [`/maintenance-attempts/${path(attempt(4).id)}/sync`, undefined],
      ["/feed-sources/tool%2Freleases/poll", undefined],
    ] as const;
    const replies = await Promise.all(posts.map(([where, body]) => service.post(where, body)));
    replies.push(await service.get("/forks/tool/resolutions"), await service.delete("/forks/tool/resolutions/a1"));
    for (const { status, json, headers } of replies) {
      expect([status, json.error]).toEqual([503, "temporal_unreachable"]);
      expect(Number(headers.get("retry-after"))).toBeGreaterThan(0);
    }
    expect(await service.records.dispatches.list()).toEqual(before);
    expect(await service.records.flowEvents.get("patch:manual:tool:v77:upstream.release")).toBeUndefined();
  });

  it("refuses bodies that it cannot read", async () => {
    const post = (body: string, type = "application/json") =>
      fetch(`${service.url}/flow-events`, { method: "POST", body, headers: { "content-type": type } });
    const malformed = await post("{");
    expect(malformed.status).toBe(400);
    expect(await malformed.json()).toMatchObject({
      error: "invalid_request",
      errors: [expect.stringMatching(/^\$: is not JSON/)],
    });
    expect((await post("{}", "text/plain")).status).toBe(415);
    expect((await post("a=b", "application/x-www-form-urlencoded")).status).toBe(415);
    expect((await post("[]")).status).toBe(400);
    const big = await post(JSON.stringify({ type: "x".repeat(1 << 20) }));
    expect([big.status, ((await big.json()) as { error: string }).error]).toEqual([413, "body_too_large"]);
  });

  it.each([
    [{}, "type"],
    [{ type: "t" }, "payload"],
    [{ type: "t", payload: { fork: "tool" } }, "payload.tag"],
    [{ type: "t", payload: { fork: 1, tag: "v1" } }, "payload.fork"],
    [{ type: "t", payload: { fork: "tool", tag: "-x" } }, "payload.tag"],
    [{ type: "t", payload: { fork: "tool", tag: "../x" } }, "payload.tag"],
    [{ type: "", payload: { fork: "tool", tag: "v1" } }, "type"],
  ])("refuses the event %j", async (body, where) => {
    const { status, json } = await service.post("/flow-events", body);
    expect([status, json.error]).toEqual([400, "invalid_request"]);
    expect(json.errors.some((line: string) => line.startsWith(`${where}: `))).toBe(true);
  });

  it("refuses forks and events that there is nothing to take for", async () => {
    const fork = await service.post("/flow-events", { type: "t", payload: { fork: "none", tag: "v1" } });
    expect([fork.status, fork.json.error]).toEqual([422, "unknown_fork"]);
    await service.records.flowEvents.append(flowEvent(5, { payload: { tag: "v5" } }));
    const retry = await service.post(`/flow-events/${path(flowEvent(5).id)}/retry`);
    expect([retry.status, retry.json.error]).toEqual([409, "nothing_to_take"]);
    expect((await service.post("/flow-events/none/replay")).json.error).toBe("flow_event_not_found");
    expect((await service.post("/feed-sources/none/poll")).status).toBe(404);
  });

  it("knows the resolutions of no fork but those of the config, and no key that cannot be one", async () => {
    const list = await service.get("/forks/none/resolutions");
    expect([list.status, list.json.error, list.json.detail]).toEqual([
      404,
      "fork_not_found",
      'forks[] of the config has no "none"; it has tool.',
    ]);
    expect((await service.delete("/forks/none/resolutions/a1")).json.error).toBe("fork_not_found");
    expect((await service.delete(`/forks/tool/resolutions/${path("../heads/main")}`)).json.error).toBe(
      "resolution_not_found",
    );
    expect((await service.get("/forks/tool/resolutions?limit=0")).json.error).toBe("invalid_request");
  });

  it("refuses decisions that lack something, and unknown attempts", async () => {
    const base = `/maintenance-attempts/${path(attempt(2).id)}`;
    for (const [route, body] of [
      ["skip-patch", { reason: "gone" }],
      ["skip-patch", { token: "t" }],
      ["skip-patch", undefined],
      ["promote", {}],
      ["promote", { channel: "nightly" }],
      ["resume", { tokn: "t" }],
      ["abort", { token: 1 }],
    ] as const) {
      const { status, json } = await service.post(`${base}/${route}`, body);
      expect([route, status, json.error]).toEqual([route, 400, "invalid_request"]);
    }
    for (const route of ["resume", "abort", "sync"]) {
      expect((await service.post(`/maintenance-attempts/none/${route}`)).json.error).toBe("attempt_not_found");
    }
  });

  it("refuses keys that are none", async () => {
    const reply = await service.post("/flow-events", {}, { "idempotency-key": "x".repeat(256) });
    expect([reply.status, reply.json.errors]).toEqual([
      400,
      ["Idempotency-Key: must be 1 to 255 printable ASCII characters"],
    ]);
  });

  it("keeps web pages of other sites out while it has no token", async () => {
    const cross = { "sec-fetch-site": "cross-site" };
    expect((await service.post("/flow-events", {}, cross)).json.error).toBe("foreign_origin");
    expect((await service.delete("/forks/tool/resolutions/a1", cross)).json.error).toBe("foreign_origin");
    expect((await service.post("/flow-events", {}, { origin: "https://evil.example" })).json.error).toBe(
      "foreign_origin",
    );
    expect((await service.post("/flow-events", {}, { origin: service.url })).status).toBe(400);
    expect(await statusWithHost(service.url, "evil.example")).toBe(403);
    expect(await statusWithHost(service.url, "localhost:3000")).toBe(200);
  });
});

describe("with an admin token", () => {
  let service: Service;
  beforeAll(async () => {
    service = await startService(`127.0.0.1:${await freePort()}`, "s3cret token");
  });
  afterAll(() => service.close());

  it("answers only those who present it", async () => {
    const refused = await service.get("/flow-events");
    expect([refused.status, refused.json.error]).toEqual([401, "unauthorized"]);
    expect(refused.headers.get("www-authenticate")).toMatch(/^Bearer/);
    const wrong: Record<string, string>[] = [
      { authorization: "Bearer nope" },
      { authorization: "s3cret token" },
      { authorization: "Basic s3cret token" },
      { "x-patch-admin-token": "s3cret" },
    ];
    for (const headers of wrong) {
      expect((await service.get("/flow-events", headers)).status).toBe(401);
    }
    expect((await service.get("/flow-events", { authorization: "Bearer s3cret token" })).status).toBe(200);
    expect((await service.get("/flow-events", { authorization: "bearer s3cret token" })).status).toBe(200);
    expect((await service.get("/flow-events", { "x-patch-admin-token": "s3cret token" })).status).toBe(200);
    expect((await service.get("/nowhere")).status).toBe(401);
    expect((await service.post("/flow-events", {})).status).toBe(401);
  });

  it("leaves health open", async () => {
    expect((await service.get("/healthz")).status).toBe(200);
    expect((await service.get("/readyz")).status).toBe(503);
  });

  it("logs requests without what is secret", async () => {
    await service.get("/flow-events?type=hidden", { authorization: "Bearer s3cret token" });
    const lines = service.logged.join("");
    expect(lines).toMatch(/"path":"\/flow-events","status":200/);
    expect(lines).not.toMatch(/s3cret|hidden/);
  });
});

/** fetch does not let a caller choose `Host`. */
async function statusWithHost(url: string, host: string): Promise<number | undefined> {
  return await new Promise((resolve, reject) => {
    const sent = rawRequest(`${url}/flow-events`, { headers: { host } }, (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    sent.once("error", reject).end();
  });
}
