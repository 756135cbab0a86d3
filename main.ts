/** `npm start`: the whole service in one process, with a Temporal server of its own unless a cluster is configured. */
import { startApi } from "./api/server.ts";
import { type Boot, boot } from "./service/boot.ts";
import { runUntilStopped } from "./service/run.ts";
import { lazyClient, temporalTarget } from "./service/temporal.ts";
import { prepareCluster } from "./worker/prepare-cluster.ts";
import { startEmbedded } from "./worker/start-embedded.ts";
import { startWorker } from "./worker/worker.ts";

await runUntilStopped(async (opened, failed) => {
  const booted = await boot(process.env);
  const { settings, log } = booted;
  opened(booted.records);
  const target = temporalTarget(settings);
  let uiUrl: string | undefined;
  if (settings.temporal.kind === "embedded") {
    const embedded = await startEmbedded(booted, settings.temporal, process.env);
    opened({ close: () => embedded.stop() });
    uiUrl = embedded.uiUrl;
  } else {
    await prepareCluster(target, log);
  }
  opened(await startWorker(booted, process.env, target, failed));
  const api = await startApi({ ...booted, temporal: lazyClient(target) });
  opened(api);
  greet(booted, api.url, uiUrl);
});

function greet({ config, configMissing, settings }: Boot, apiUrl: string, uiUrl: string | undefined): void {
  const { sources, forks } = config();
  const lines = [
    `patch.moi    ${apiUrl}`,
    ...(uiUrl ? [`Temporal UI  ${uiUrl}`] : []),
    configMissing
      ? `watches nothing: there is no ${settings.feedSourcesPath} yet`
      : `watches ${sources.length} source(s) for ${forks.length} fork(s) of ${settings.feedSourcesPath}`,
  ];
  console.log(lines.join("\n"));
}
