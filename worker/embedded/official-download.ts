import { readdir } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { runBounded } from "./bounded-process.ts";
import { withProgress } from "./progress.ts";
import type { Fetched, FetchRequest } from "./wheel.ts";

/**
 * The SDK offers no download without a start, and no way to stop one half-way: so a process of its own starts the server
 * with it, stops it again, and can be killed.
 */
const CHILD = `
  const [sdk, downloadDir, version] = process.argv.slice(1);
  const { TestWorkflowEnvironment } = (await import(sdk)).default;
  const executable = { type: "cached-download", downloadDir, version };
  try {
    const environment = await TestWorkflowEnvironment.createLocal({ server: { executable } });
    await environment.teardown();
  } catch (error) {
    console.error("error: " + error.message.replaceAll("\\n", " "));
    process.exit(1);
  }
  process.exit(0);
`;

/** Has Temporal's SDK download the binary from Temporal's own site, checked by TLS alone. */
export async function downloadOfficial(request: FetchRequest): Promise<Fetched> {
  const { binary, directory } = request;
  if (!binary.official) return { failure: `the SDK does not offer ${binary.title} ${binary.version}` };
  const { version } = binary.official;
  const sdk = pathToFileURL(createRequire(import.meta.url).resolve("@temporalio/testing")).href;
  const result = await withProgress(
    { title: `${binary.title} ${binary.version}: fetching the official download`, directory, report: request.report },
    () =>
      runBounded(process.execPath, ["--input-type=module", "-e", CHILD, sdk, directory, version], {
        timeoutMs: request.timeoutMs,
        environment: request.environment,
        ...(request.signal && { signal: request.signal }),
      }),
  );
  if (!result.ok) return { failure: result.reason };
  const name = (await readdir(directory)).find((each) => each.startsWith(binary.name));
  return name ? { path: join(directory, name) } : { failure: "the SDK left no file" };
}
