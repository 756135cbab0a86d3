import { Client, Connection } from "@temporalio/client";
import type { ClientConnectConfig } from "@temporalio/envconfig";
import { loadClientConnectConfig } from "@temporalio/envconfig";
import type { Settings } from "../domain/settings.ts";

/** How to reach Temporal: connection options as the SDK takes them, and the namespace. */
export interface TemporalTarget {
  connection: ClientConnectConfig["connectionOptions"];
  namespace: string;
}

const EMBEDDED_NAMESPACE = "default";

/** By Temporal's own client variables and profile files when they choose a cluster, else the embedded server's address. */
export function temporalTarget(settings: Settings): TemporalTarget {
  if (settings.temporal.kind === "embedded") {
    return { connection: { address: `127.0.0.1:${settings.temporal.port}` }, namespace: EMBEDDED_NAMESPACE };
  }
  const { connectionOptions, namespace } = loadClientConnectConfig();
  return { connection: connectionOptions, namespace: namespace ?? "default" };
}

const TRIES = 30;
const PAUSE_MS = 2_000;

/** Tries for a minute, because a cluster may be starting beside us. */
export async function connected<T>(
  what: string,
  connect: () => Promise<T>,
  log: { warn: (message: string) => void },
): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await connect();
    } catch (error) {
      const { message } = error as Error;
      if (tries === TRIES)
        throw new Error(`${what} cannot be reached (${message}): is it up, and are the TEMPORAL_… variables right?`);
      log.warn(`${what} cannot be reached yet (${message}); trying again`);
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  }
}

/**
 * Connects when first used, so that history can be read while Temporal is away. It is left open: the process ends soon after,
 * and a call that is being retried when its channel is closed throws where nobody can catch it.
 */
export function lazyClient({ connection, namespace }: TemporalTarget): Client {
  return new Client({ connection: Connection.lazy(connection), namespace });
}
