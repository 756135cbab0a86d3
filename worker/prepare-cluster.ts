import { Connection } from "@temporalio/client";
import { connected, type TemporalTarget } from "../service/temporal.ts";
import { prepareNamespace } from "./embedded/index.ts";

/** Sees that a configured cluster has what our workflows need of it. Waits a minute for the cluster to come up. */
export async function prepareCluster(target: TemporalTarget, log: { warn: (message: string) => void }): Promise<void> {
  const connection = await connected("Temporal", () => Connection.connect(target.connection), log);
  try {
    await prepareNamespace(connection, target.namespace);
  } finally {
    await connection.close();
  }
}
