import { rename, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { bundleWorkflowCode } from "@temporalio/worker";

/** This file runs from dist/, or as TypeScript in tests; the bundle is in dist/ either way. */
const dist = new URL(import.meta.url.endsWith(".ts") ? "../dist/" : "../", import.meta.url);

/** Where the worker finds its workflows; made by `buildWorkflowBundle`, which every npm script runs where it is needed. */
export const workflowBundlePath = fileURLToPath(new URL("workflow-bundle.js", dist));

/** Bundles the compiled workflows. Replaces the bundle in one step. */
export async function buildWorkflowBundle(): Promise<void> {
  const { code } = await bundleWorkflowCode({
    workflowsPath: fileURLToPath(new URL("workflows/index.js", dist)),
    logger: quiet,
  });
  const fresh = `${workflowBundlePath}.${process.pid}.tmp`;
  await writeFile(fresh, code);
  await rename(fresh, workflowBundlePath);
}

/** The bundler tells its sizes at length; only what is wrong matters here. */
const say = (message: string) => void process.stderr.write(`${message}\n`);
const silent = () => {};
const quiet = { log: silent, trace: silent, debug: silent, info: silent, warn: say, error: say };
