import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { bundleWorkflowCode, DefaultLogger, Runtime, Worker } from "@temporalio/worker";
import { afterAll, beforeAll, expect, test } from "vitest";
import { workflowBundlePath } from "../../worker/bundle.ts";
import { History } from "../support/record-histories.ts";

const directory = fileURLToPath(new URL("histories", import.meta.url));
const dist = fileURLToPath(new URL("../../dist", import.meta.url));
const mutants = join(dist, ".mutants");
const logger = new DefaultLogger("ERROR", () => {});

const histories = readdirSync(directory).map((file) => ({
  workflowId: file.replace(/\.bin$/, "").replaceAll("_", "/"),
  history: History.decode(readFileSync(join(directory, file))),
}));

beforeAll(() => Runtime.install({ logger, telemetryOptions: { logging: { forward: {}, filter: "ERROR" } } }));
afterAll(() => rmSync(mutants, { recursive: true, force: true }));

async function replay(
  bundle: { codePath: string } | { code: string },
  wanted = histories,
): Promise<Record<string, string>> {
  const failed: Record<string, string> = {};
  for await (const { workflowId, error } of Worker.runReplayHistories({ workflowBundle: bundle }, wanted)) {
    if (error) failed[workflowId] = error.message;
  }
  return failed;
}

const ofType = (prefix: string) => histories.filter(({ workflowId }) => workflowId.startsWith(prefix));

test("there are histories of every workflow", () => {
  expect(ofType("maintain-release/").length).toBeGreaterThanOrEqual(12);
  expect(ofType("maintain-fork/").length).toBeGreaterThanOrEqual(3);
  expect(ofType("watch-feed/").length).toBeGreaterThanOrEqual(1);
});

test("what ran before this change still replays", async () => {
  expect(await replay({ codePath: workflowBundlePath })).toEqual({});
});

/** A workflow changed so that a running one would go astray. */
const changes = [
  { file: "maintain-release.js", prefix: "maintain-release/", from: ".prepare(", to: ".carry(" },
  { file: "maintain-fork.js", prefix: "maintain-fork/", from: "recorder.openAttempt(", to: "recorder.recordAttempt(" },
  { file: "watch-feed.js", prefix: "watch-feed/", from: ".pollFeed(", to: ".dispatch(" },
];

test.each(changes)(
  "a change of $file that running workflows cannot take is noticed",
  async ({ file, prefix, from, to }) => {
    const copy = join(mutants, file.replace(".js", ""));
    for (const room of ["workflows", "domain"]) cpSync(join(dist, room), join(copy, room), { recursive: true });
    const path = join(copy, "workflows", file);
    const source = readFileSync(path, "utf8");
    expect(source).toContain(from);
    writeFileSync(path, source.replace(from, to));
    const { code } = await bundleWorkflowCode({ workflowsPath: join(copy, "workflows/index.js"), logger });
    const failed = await replay({ code }, ofType(prefix));
    expect(Object.keys(failed)).toHaveLength(ofType(prefix).length);
  },
);
