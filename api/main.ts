/** `npm run start:api`: the API against a configured Temporal. */
import { boot } from "../service/boot.ts";
import { requireConfigured, runUntilStopped } from "../service/run.ts";
import { lazyClient, temporalTarget } from "../service/temporal.ts";
import { startApi } from "./server.ts";

await runUntilStopped(async (opened) => {
  const booted = await boot(process.env);
  requireConfigured(booted.settings);
  opened(booted.records);
  const api = await startApi({ ...booted, temporal: lazyClient(temporalTarget(booted.settings)) });
  opened(api);
  if (booted.configMissing) console.log(`${booted.settings.feedSourcesPath} is not there: nothing is watched`);
  console.log(`patch.moi API: ${api.url}`);
});
