/** The whole service, as `npm start` has it, asked to take a release. */

import { mkdirSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { Client, Connection } from "@temporalio/client";
import type { MaintenanceAttempt } from "../../domain/attempt.ts";
import { attemptPath, Service } from "../../test/support/service.ts";
import { cacheDirectoryIn, findTemporalCli } from "../../worker/embedded/find-binary.ts";
import type { Side } from "../interleave.ts";
import { PATCH_BRANCH, type Releases } from "./releases.ts";

/** What `npm run bench:engine` compiled last; this file runs in dist/.bench. */
const ENTRY = fileURLToPath(new URL("../../../main.js", import.meta.url));
const LOOK_MS = 10;

export interface RunningService extends Side {
  /** Events in the histories of the attempts so far, in their order. */
  events(): Promise<number[]>;
  stop(): Promise<void>;
}

export async function startService(releases: Releases, fork: string): Promise<RunningService> {
  const temporalCli = await findTemporalCli({
    explicit: process.env.PATCH_TEMPORAL_CLI,
    cacheDirectory: cacheDirectoryIn(process.env, homedir()),
    path: process.env.PATH ?? "",
    report: (line) => void process.stderr.write(`${line}\n`),
    environment: process.env,
  });
  const directory = join(releases.directory, `${fork}-service`);
  mkdirSync(directory);
  const { url } = releases.server;
  const remotes = { upstream: { url: `${url}/upstream.git` }, fork: { url: `${url}/${fork}.git` } };
  const config = { sources: [], forks: [{ id: fork, ...remotes, patchBranch: PATCH_BRANCH }] };
  writeFileSync(join(directory, "feed-sources.json"), JSON.stringify(config));
  const service = await Service.at({ directory, temporalCli, entry: ENTRY });
  await service.start();
  const attempts: string[] = [];
  return {
    before: (round) => releases.publish(round),
    async run(round) {
      const payload = { fork, tag: releases.tag(round) };
      const { body } = await service.post<{ record: { runIds: [string] } }>("/flow-events", {
        type: "upstream.release",
        payload,
      });
      const [id] = body.record.runIds;
      attempts.push(id);
      return candidateOf(await ended(service, id));
    },
    events: () => Promise.all(attempts.map((id) => countEvents(service, id))),
    stop: () => service.stop(),
  };
}

async function ended(service: Service, id: string): Promise<MaintenanceAttempt> {
  for (;;) {
    const { body } = await service.get<{ attempt?: MaintenanceAttempt }>(attemptPath(id));
    if (body.attempt && body.attempt.status !== "started") return body.attempt;
    await sleep(LOOK_MS);
  }
}

function candidateOf({ status, message, error, candidateRefs }: MaintenanceAttempt): string {
  const sha = candidateRefs[0]?.sha;
  if (status === "changed" && sha) return sha;
  throw new Error(`the attempt is ${status}: ${error ?? message}`);
}

async function countEvents(service: Service, id: string): Promise<number> {
  const connection = await Connection.connect({ address: service.temporalAddress });
  try {
    const { events } = await new Client({ connection }).workflow.getHandle(id).fetchHistory();
    return events?.length ?? 0;
  } finally {
    await connection.close();
  }
}
