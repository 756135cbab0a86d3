import { ApplicationFailure } from "@temporalio/activity";
import { fetch } from "undici";
import type { Intervention } from "../domain/attempt.ts";
import type { FeedSignal } from "../domain/events.ts";
import type { Settings } from "../domain/settings.ts";
import type { Subject } from "./steps.ts";

/** Discord's limit for `content`, in characters (Discord API, "Create Message"). */
const LONGEST = 2000;
const TIMEOUT_MS = 10_000;

export type Notice = Pick<Subject, "fork"> & {
  release: Pick<Subject["release"], "name">;
  event: "attention" | "candidate" | "promoted" | "failed";
  message: string;
  intervention?: Intervention;
};

/** Tells Discord, where the operator switched it on and asked for this kind of event. */
export interface NotifyDeps {
  discord: Settings["discord"];
}

export function notifyActivities({ discord }: NotifyDeps) {
  const wants = (event: string) => discord.enabled && (discord.notifyEvents as string[]).includes(event);
  return {
    async notify({ event, fork, release, message, intervention }: Notice): Promise<void> {
      if (!wants(event)) return;
      const title = `**${fork} ← ${release.name}** ${event === "attention" ? "needs a person" : event}`;
      const commands = intervention?.commands.length ? `\n\`\`\`sh\n${intervention.commands.join("\n")}\n\`\`\`` : "";
      await post(discord.webhookUrl as string, `${title}\n${message}${commands}`);
    },

    async notifyUpstream({ signal }: { sourceId: string; signal: FeedSignal }): Promise<void> {
      if (!wants(signal.event)) return;
      await post(
        discord.webhookUrl as string,
        `**${signal.repo.fullName}** ${signal.tag ?? signal.title}\n${signal.url ?? ""}`,
      );
    },
  };
}

async function post(url: string, text: string): Promise<void> {
  const content = text.length > LONGEST ? `${text.slice(0, LONGEST - 1)}…` : text;
  const answer = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ content, allowed_mentions: { parse: [] } }),
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  if (answer.ok) return;
  const body = await answer.text();
  const message = `Discord answered ${answer.status}`;
  if (answer.status !== 429 && answer.status < 500) throw ApplicationFailure.nonRetryable(message, "Discord");
  throw ApplicationFailure.create({ message, type: "Discord", nextRetryDelay: retryAfterMs(body) });
}

/** `retry_after` is in seconds, with a fraction (Discord API, "Rate Limits"). */
function retryAfterMs(body: string): number | undefined {
  const seconds = /"retry_after":\s*([\d.]+)/.exec(body)?.[1];
  return seconds === undefined ? undefined : Math.ceil(Number(seconds) * 1000);
}
