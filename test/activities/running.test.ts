import { MockActivityEnvironment } from "@temporalio/testing";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { running } from "../../activities/running.ts";

beforeEach(() => void vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] }));
afterEach(() => void vi.useRealTimers());

test("what a step is at is in every heartbeat at once, and told every few seconds where it is news", async () => {
  const told: string[] = [];
  const beats: unknown[] = [];
  const environment = new MockActivityEnvironment();
  environment.on("heartbeat", (detail) => beats.push(detail));
  const step = async (_signal: AbortSignal, progress: (detail: string) => void) => {
    for (let k = 1; k <= 100; k++) progress(`patch ${k} of 200`);
    vi.advanceTimersByTime(4_000);
    for (let k = 101; k <= 200; k++) progress(`patch ${k} of 200`);
    vi.advanceTimersByTime(12_000);
    return "carried";
  };
  const tell = async (detail: string) => void told.push(detail);
  await expect(environment.run(() => running(step, tell))).resolves.toBe("carried");
  vi.advanceTimersByTime(60_000);
  expect(told).toEqual(["patch 100 of 200", "patch 200 of 200"]);
  expect(new Set(beats).size).toBe(200);
});

test("a step is over only when what it told is written, and does not fail by that", async () => {
  let written = false;
  const slow = async () => {
    await new Promise((resolve) => setTimeout(resolve, 50));
    written = true;
    throw new Error("the disk is full");
  };
  const step = async (_signal: AbortSignal, progress: (detail: string) => void) => {
    progress("at work");
    vi.advanceTimersByTime(4_000);
    return written;
  };
  const environment = new MockActivityEnvironment();
  await expect(environment.run(() => running(step, slow))).resolves.toBe(false);
  expect(written).toBe(true);
});
