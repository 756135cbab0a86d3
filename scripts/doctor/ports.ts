import { join } from "node:path";
import { ownerOf, whyNotFree } from "../../worker/embedded/index.ts";
import { type Finding, fail, ok } from "./finding.ts";

/** Port 0 is any free one. */
export async function checkPort(variable: string, host: string, port: number, data: string): Promise<Finding[]> {
  const problem = await whyNotFree(host, port);
  if (!problem) return [ok(`${variable}: port ${port} on ${host} is free`)];
  const owner = await ownerOf(join(data, "temporal"));
  const who = owner ? ` (patch.moi runs on this DATA_DIR, as process ${owner})` : "";
  const todo = owner ? "stop it before you start another" : `stop the program that uses it, or set ${variable}`;
  return [fail(`${variable}: port ${port} on ${host} ${problem}${who}`, todo)];
}
