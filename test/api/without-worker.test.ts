import type { Client } from "@temporalio/client";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import type { MaintenanceAttempt } from "../../domain/attempt.ts";
import { TASK_QUEUE } from "../../workflows/messages.ts";
import { attempt, flowEvent } from "../records/samples.ts";
import { type Service, startService } from "./service.ts";
import { startTemporal, type TemporalServer } from "./temporal-server.ts";

const path = (id: string) => encodeURIComponent(id);
const post = { type: "upstream.release", payload: { fork: "tool", tag: "v1", note: { kept: [1] } } };

describe("with Temporal but no worker", () => {
  let temporal: TemporalServer;
  let service: Service;
  beforeAll(async () => {
    temporal = await startTemporal(inject("temporalCli"));
    service = await startService(temporal.address);
  });
  afterAll(async () => {
    await service.close();
    await temporal.close();
  });

  /** An attempt whose workflow runs, though nobody works on it. */
  const started = async (n: number, more: Partial<MaintenanceAttempt> = {}) => {
    const made = attempt(n, more);
    await service.records.attempts.append(made);
    await service.temporal.workflow.start("maintainRelease", { workflowId: made.id, taskQueue: TASK_QUEUE });
    return { made, base: `/maintenance-attempts/${path(made.id)}` };
  };

  it("is not ready, and says that no worker polls", async () => {
    const { status, json } = await service.get("/readyz");
    expect([status, json.error]).toEqual([503, "not_ready"]);
    expect(json.errors).toEqual([expect.stringMatching(/No worker polls the task queue patchmoi/)]);
  });

  it("leaves an offer with Temporal as a signal, under one request id", async () => {
    const first = await service.post("/flow-events", post, { "idempotency-key": "once" });
    expect(first.status).toBe(202);
    const { event, record } = first.json;
    expect(event).toMatchObject({ ...post, id: "patch:manual:tool:v1:upstream.release", source: "patch" });
    expect(record).toMatchObject({
      eventId: event.id,
      operation: "dispatch",
      target: "local",
      transport: "temporal",
      status: "dispatched",
      delivered: "signal",
    });
    expect(first.json).not.toHaveProperty("idempotent");
    expect(record).not.toHaveProperty("idempotent");
    expect(record).not.toHaveProperty("runIds");
    expect(first.headers.get("location")).toBe(`/maintenance-attempts?eventId=${path(event.id)}`);
    const sent = await signals(service.temporal, "maintain-fork/tool");
    expect(sent).toEqual([
      { name: "offerRelease", input: expect.objectContaining({ fork: "tool", operation: "dispatch" }) },
    ]);
    expect(sent[0]?.input).toMatchObject({ release: { name: "v1", ref: "refs/tags/v1" }, requestId: record.requestId });

    const again = await service.post("/flow-events", post, { "idempotency-key": "once" });
    expect(again.json).toEqual(first.json);
    expect((await service.get(`/flow-events/${path(event.id)}`)).json).toEqual({ event, dispatches: [record] });
    expect(await signals(service.temporal, "maintain-fork/tool")).toHaveLength(1);

    const other = await service.post("/flow-events", { ...post, type: "x" }, { "idempotency-key": "once" });
    expect([other.status, other.json.error]).toEqual([422, "idempotency_key_reused"]);
  });

  it("finds the answer to a key again after a restart", async () => {
    const event = flowEvent(2);
    await service.records.flowEvents.append(event);
    const retry = `/flow-events/${path(event.id)}/retry`;
    const [first, twin] = await Promise.all(
      [1, 2].map(() => service.post(retry, undefined, { "idempotency-key": "same" })),
    );
    expect(twin?.json).toEqual(first?.json);
    expect(first?.json.record).toMatchObject({ operation: "retry", delivered: "signal" });
    const restarted = await startService(temporal.address);
    await restarted.records.flowEvents.append(event);
    await restarted.records.dispatches.append(first?.json.record);
    const again = await restarted.post(retry, undefined, { "idempotency-key": "same" });
    expect(again.json).toEqual(first?.json);
    await restarted.close();
  });

  it.concurrent.each([
    [101, "conflict", "resume", {}],
    [102, "conflict", "skip-patch", { token: "t1", reason: "upstream has it" }],
    [103, "build", "resume", { token: "t1", by: "ann" }],
    [104, "blocked", "abort", { reason: "no longer wanted" }],
    [105, "approval", "promote", { channel: "public" }],
    [106, "warnings", "resume", { token: "t1", by: "ann" }],
  ] as const)("hands a fitting decision over (%i): %s, %s", async (n, kind, route, body) => {
    const intervention = { kind, token: "t1", commands: [], message: "", channels: ["public" as const] };
    const { made, base } = await started(n, {
      status: kind === "approval" ? "changed" : "needs_intervention",
      intervention,
    });
    const { status, json } = await service.post(`${base}/${route}`, body);
    expect([status, json]).toEqual([202, { attempt: made, delivered: "signal" }]);
    const [sent] = await signals(service.temporal, made.id);
    expect(sent?.name).toBe(route === "skip-patch" ? "skipPatch" : route);
    expect(sent?.input).toMatchObject({ ...body, requestId: expect.any(String) });
  });

  it.concurrent("decides from the attempt's record what does not fit", async ({ expect }) => {
    const intervention = { kind: "conflict" as const, token: "t1", commands: [], message: "" };
    const waiting = await started(200, { status: "needs_intervention", intervention });
    const running = await started(201, { status: "started" });
    const replies = await Promise.all([
      service.post(`${waiting.base}/resume`, { token: "t0" }),
      service.post(`${waiting.base}/promote`, { channel: "public" }),
      service.post(`${running.base}/resume`),
      service.post(`${running.base}/abort`),
    ]);
    expect(replies.map(({ status, json }) => [status, json.error ?? json.delivered])).toEqual([
      [409, "wrong_token"],
      [409, "not_waiting"],
      [409, "not_waiting"],
      [202, "signal"],
    ]);
    expect(await signals(service.temporal, waiting.made.id)).toEqual([]);
    expect((await signals(service.temporal, running.made.id)).map(({ name }) => name)).toEqual(["abort"]);
  });

  it("says that an attempt whose workflow has ended waits for nothing", async () => {
    await service.records.attempts.append(attempt(203, { status: "changed" }));
    const { status, json } = await service.post(`/maintenance-attempts/${path(attempt(203).id)}/resume`, {});
    expect([status, json.error]).toEqual([409, "not_waiting"]);
  });

  it("does not claim to have synced", async () => {
    await service.records.attempts.append(attempt(202));
    const { status, json, headers } = await service.post(`/maintenance-attempts/${path(attempt(202).id)}/sync`);
    expect([status, json.error]).toEqual([503, "no_worker"]);
    expect(headers.get("retry-after")).toBeTruthy();
  });

  it("does not claim to know what a fork remembers, or to have forgotten it", async () => {
    for (const ask of [service.get, service.delete]) {
      const { status, json, headers } = await ask(`/forks/tool/resolutions${ask === service.get ? "" : "/a1"}`);
      expect([status, json.error]).toEqual([503, "no_worker"]);
      expect(headers.get("retry-after")).toBeTruthy();
    }
  });

  it("pokes the source's workflow", async () => {
    const { status, json } = await service.post("/feed-sources/tool%2Freleases/poll");
    expect([status, json.source.id]).toEqual([202, "tool/releases"]);
    expect((await signals(service.temporal, "watch-feed/tool/releases")).map(({ name }) => name)).toEqual(["pollNow"]);
  });

  it("does nothing while Temporal hangs, and goes on when it is back", async () => {
    temporal.pause();
    try {
      const { status, json } = await service.post("/flow-events", { ...post, payload: { fork: "tool", tag: "v9" } });
      expect([status, json.error]).toEqual([503, "temporal_unreachable"]);
      expect(await service.records.flowEvents.get("patch:manual:tool:v9:upstream.release")).toBeUndefined();
      expect((await service.get("/readyz")).status).toBe(503);
    } finally {
      temporal.goOn();
    }
    expect((await service.post("/feed-sources/tool%2Freleases/poll")).status).toBe(202);
  });
});

/** The signals that a workflow's history holds. */
async function signals(
  client: Client,
  workflowId: string,
): Promise<{ name: string; input: Record<string, unknown> }[]> {
  const { events } = await client.workflow.getHandle(workflowId).fetchHistory();
  return (events ?? []).flatMap(({ workflowExecutionSignaledEventAttributes: signaled }) => {
    if (!signaled) return [];
    const data = signaled.input?.payloads?.[0]?.data;
    return [{ name: signaled.signalName ?? "", input: data ? JSON.parse(Buffer.from(data).toString()) : undefined }];
  });
}
