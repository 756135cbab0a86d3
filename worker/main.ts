/** `npm run start:worker`: the worker against a configured Temporal. */
import { boot } from "../service/boot.ts";
import { requireConfigured, runUntilStopped } from "../service/run.ts";
import { temporalTarget } from "../service/temporal.ts";
import { prepareCluster } from "./prepare-cluster.ts";
import { startWorker } from "./worker.ts";

await runUntilStopped(async (opened, failed) => {
  const booted = await boot(process.env);
  requireConfigured(booted.settings);
  opened(booted.records);
  const target = temporalTarget(booted.settings);
  await prepareCluster(target, booted.log);
  opened(await startWorker(booted, process.env, target, failed));
  console.log(`patch.moi worker: watching ${booted.config().sources.length} sources`);
});
