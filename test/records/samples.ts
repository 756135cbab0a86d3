import type { MaintenanceAttempt } from "../../domain/attempt.ts";
import type { Dispatch, FeedSignal, FlowEvent } from "../../domain/events.ts";

export const at = (second: number) => new Date(Date.UTC(2030, 0, 1, 0, 0, second)).toISOString();

export function flowEvent(n: number, more: Partial<FlowEvent> = {}): FlowEvent {
  return {
    id: `patch:manual:tool:v${n}:upstream.release`,
    type: "upstream.release",
    source: "patch",
    receivedAt: at(n),
    payload: { fork: "tool", tag: `v${n}` },
    ...more,
  };
}

export function attempt(n: number, more: Partial<MaintenanceAttempt> = {}): MaintenanceAttempt {
  return {
    id: `maintain-release/tool/v${n}/1`,
    eventId: flowEvent(n).id,
    eventType: "upstream.release",
    operation: "dispatch",
    status: "started",
    fork: "tool",
    upstreamTag: `v${n}`,
    workspaceRunIds: [],
    candidateRefs: [],
    createdAt: at(n),
    updatedAt: at(n),
    ...more,
  };
}

export function dispatch(n: number, more: Partial<Dispatch> = {}): Dispatch {
  return {
    eventId: flowEvent(n).id,
    eventType: "upstream.release",
    operation: "dispatch",
    target: "local",
    transport: "temporal",
    status: "dispatched",
    createdAt: at(n),
    ...more,
  };
}

export function feedSignal(n: number, more: Partial<FeedSignal> = {}): FeedSignal {
  return {
    sourceId: "tool-releases",
    provider: "github",
    event: "release",
    entryId: `tag:example,2008:Repository/1/v${n}`,
    title: `Version ${n}`,
    publishedAt: at(n),
    repo: { owner: "acme", name: "tool", fullName: "acme/tool", webUrl: "https://example.org/acme/tool" },
    raw: {},
    ...more,
  };
}
