import { type Connection, isGrpcServiceError } from "@temporalio/client";
import { msToTs } from "@temporalio/common/lib/time.js";
import proto from "@temporalio/proto";

/** What an operator can search by (CONTRACT.md, "Workflows"). All of type Keyword; a SQL store has room for ten. */
export const SEARCH_ATTRIBUTES = ["PatchFork", "PatchTag", "PatchStatus", "PatchEventId"] as const;

const KEYWORD = proto.temporal.api.enums.v1.IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD;
const RETENTION = "3650 days";
const DEADLINE_MS = 10_000;

type ServerConnection = Pick<Connection, "workflowService" | "operatorService" | "withDeadline">;

/**
 * Registers the search attributes that a namespace lacks. Repeating it is safe. Used at every boot, on the embedded server
 * and on a configured one; where that one does not let us, the error says what an administrator has to run.
 */
export async function prepareNamespace(connection: ServerConnection, namespace: string): Promise<void> {
  const present = await within(connection, () => connection.operatorService.listSearchAttributes({ namespace })).catch(
    (error: unknown) => {
      throw refusal(namespace, [...SEARCH_ATTRIBUTES], "cannot be listed", error);
    },
  );
  const missing = SEARCH_ATTRIBUTES.filter((name) => present.customAttributes?.[name] === undefined);
  const wrong = SEARCH_ATTRIBUTES.filter((name) => (present.customAttributes?.[name] ?? KEYWORD) !== KEYWORD);
  if (wrong.length) {
    throw new Error(
      `Temporal namespace "${namespace}" has ${wrong.join(", ")} with another type than Keyword: remove them there, or use another namespace (TEMPORAL_NAMESPACE).`,
    );
  }
  if (!missing.length) return;
  await within(connection, () =>
    connection.operatorService.addSearchAttributes({
      namespace,
      searchAttributes: Object.fromEntries(missing.map((name) => [name, KEYWORD])),
    }),
  ).catch((error: unknown) => {
    // Another worker that starts just now may have been faster.
    if (isGrpcServiceError(error) && /already exists/i.test(error.details)) return;
    throw refusal(namespace, missing, "are missing and cannot be registered", error);
  });
}

/** Closed workflows are the history that operators look at; a dev server forgets them after a day unless told otherwise. */
export async function raiseRetention(connection: ServerConnection, namespace: string): Promise<void> {
  await within(connection, () =>
    connection.workflowService.updateNamespace({
      namespace,
      config: { workflowExecutionRetentionTtl: msToTs(RETENTION) },
    }),
  );
}

function within<T>(connection: ServerConnection, call: () => Promise<T>): Promise<T> {
  return connection.withDeadline(Date.now() + DEADLINE_MS, call);
}

function refusal(namespace: string, names: readonly string[], what: string, error: unknown): Error {
  const commands = names.map(
    (name) => `  temporal operator search-attribute create --namespace ${namespace} --name ${name} --type Keyword`,
  );
  const reason = isGrpcServiceError(error) ? error.details : (error as Error).message;
  return new Error(
    `Search attributes ${names.join(", ")} ${what} in Temporal namespace "${namespace}" (${reason}). ` +
      `Have an administrator run:\n${commands.join("\n")}`,
    { cause: error },
  );
}
