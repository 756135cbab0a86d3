/** `npm run start:api`: the API against a configured Temporal. */
import { Client, Connection } from "@temporalio/client";
import { boot } from "../service/boot.ts";
import { requireConfigured, runUntilStopped } from "../service/run.ts";
import { temporalTarget } from "../service/temporal.ts";
import { startApi } from "./server.ts";

await runUntilStopped(async (opened) => {
  const booted = await boot(process.env);
  requireConfigured(booted.settings);
  opened(booted.records);
  const { connection, namespace } = temporalTarget(booted.settings);
  // Lazy: while Temporal is away the history can still be read, and /readyz says what is missing.
  const temporal = new Client({ connection: Connection.lazy(connection), namespace });
  opened({ close: () => temporal.connection.close() });
  const api = await startApi({ ...booted, temporal });
  opened(api);
  if (booted.configMissing) console.log(`${booted.settings.feedSourcesPath} is not there: nothing is watched`);
  console.log(`patch.moi API: ${api.url}`);
});
