import { fetchFeed } from "../../activities/feed/fetch.ts";
import type { FeedSource } from "../../domain/config.ts";
import type { Environment, Patient } from "./examine.ts";
import { bounded, type Finding, ok, warn } from "./finding.ts";

/** A feed that is away now may be back at the next poll: nothing here stops the service. */
export async function checkFeeds({ settings, config, environment }: Patient, milliseconds: number): Promise<Finding[]> {
  const { allowPrivateNetwork } = settings;
  const found: Finding[][] = [];
  const waiting = [...config.sources.entries()];
  const work = async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      const [index, source] = next;
      const reached = await bounded(`feed ${source.id}`, milliseconds, async (signal) => {
        const fetched = await fetchFeed(source.url, { allowPrivateNetwork, signal });
        return [
          fetched.kind === "failed"
            ? warn(`feed ${source.id}: ${fetched.reason}`, "check its url; it is polled again and again")
            : ok(`feed ${source.id} can be read`),
        ];
      });
      found[index] = [...reached, ...checkVariables(source, environment)];
    }
  };
  await Promise.all([work(), work(), work(), work()]);
  return found.flat();
}

function checkVariables(source: FeedSource, environment: Environment): Finding[] {
  const target = source.target && "eventType" in source.target ? source.target : undefined;
  const named = {
    webhookSecretEnv: source.webhookSecretEnv,
    "target.workspaceUrlEnv": target?.workspaceUrlEnv,
    "target.workspaceSecretEnv": target?.workspaceSecretEnv,
    "target.dispatchUrlEnv": target?.dispatchUrlEnv,
    "target.dispatchSecretEnv": target?.dispatchSecretEnv,
  };
  return Object.entries(named).flatMap(([field, name]) =>
    name && !environment[name] ? [warn(`source ${source.id}: ${name}, which its ${field} names, is not set`)] : [],
  );
}
