import { createServer } from "node:http";
import { ApplicationFailure } from "@temporalio/common";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type Notice, notifyActivities } from "../../activities/notify.ts";
import type { DiscordEvent } from "../../domain/settings.ts";
import { listen } from "../../scripts/quickstart/listen.ts";

/** Stands where Discord stands: takes what is posted, answers what the test wants. */
let received: { content: string; allowed_mentions: unknown }[];
let answer: { status: number; body: string };
let url: string;
let close: () => Promise<void>;

beforeEach(async () => {
  received = [];
  answer = { status: 204, body: "" };
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      received.push(JSON.parse(Buffer.concat(chunks).toString()));
      response.writeHead(answer.status).end(answer.body);
    });
  });
  const { port, close: end } = await listen(server);
  url = `http://127.0.0.1:${port}/hook`;
  close = end;
});
afterEach(() => close());

const activities = (notifyEvents: DiscordEvent[], enabled = true) =>
  notifyActivities({ discord: { enabled, webhookUrl: url, notifyEvents } });

const notice: Notice = {
  event: "attention",
  fork: "acme",
  release: { name: "v1" },
  message: "@everyone a patch does not apply",
  intervention: { kind: "conflict", token: "t", commands: ["git fetch origin x"], message: "m" },
};

test("a person who is needed is told what to do, and nobody is mentioned", async () => {
  await activities(["attention"]).notify(notice);
  expect(received).toHaveLength(1);
  expect(received[0]?.content).toContain("acme ← v1");
  expect(received[0]?.content).toContain("git fetch origin x");
  expect(received[0]?.allowed_mentions).toEqual({ parse: [] });
});

test("what was not asked for is not sent, nor anything while it is off", async () => {
  await activities(["push", "release"]).notify(notice);
  await activities(["attention"], false).notify(notice);
  expect(received).toEqual([]);
});

test("long text is cut at Discord's limit", async () => {
  await activities(["attention"]).notify({ ...notice, message: "x".repeat(5000) });
  expect(received[0]?.content.length).toBe(2000);
});

test("a rate limit is waited out for as long as Discord says; a hook that is gone is not tried again", async () => {
  answer = { status: 429, body: '{"retry_after": 1.25}' };
  const limited = await activities(["attention"])
    .notify(notice)
    .catch((error: unknown) => error);
  expect(limited).toMatchObject({ nonRetryable: false, nextRetryDelay: 1250 });
  answer = { status: 404, body: "" };
  const gone = await activities(["attention"])
    .notify(notice)
    .catch((error: unknown) => error);
  expect(gone).toBeInstanceOf(ApplicationFailure);
  expect(gone).toMatchObject({ nonRetryable: true });
  expect(String(gone)).not.toContain(url);
});
