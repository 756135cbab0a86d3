import { describe, expect, it } from "vitest";
import { parseSettings, type Settings } from "../../domain/settings.ts";

function read(environment: Record<string, string | undefined>): Settings {
  const parsed = parseSettings(environment);
  if (!parsed.ok) throw new Error(parsed.errors.join("\n"));
  return parsed.value;
}

function errorsOf(environment: Record<string, string | undefined>): string[] {
  const parsed = parseSettings(environment);
  return parsed.ok ? [] : parsed.errors;
}

describe("parseSettings", () => {
  it("has the documented defaults", () => {
    expect(read({})).toEqual({
      logLevel: "info",
      host: "127.0.0.1",
      port: 3000,
      dataDirectory: "./data",
      feedSourcesPath: "./feed-sources.json",
      discord: { enabled: false, notifyEvents: ["push", "release"] },
      workspaceBackend: {},
      temporal: { kind: "embedded", port: 7233, uiPort: 8233 },
      allowPrivateNetwork: false,
      allowLocalRepos: false,
    });
  });

  it("counts an empty variable as unset", () => {
    expect(read({ PORT: "", HOST: " ", TEMPORAL_ADDRESS: "", PATCH_ADMIN_TOKEN: "" })).toEqual(read({}));
  });

  it.each(["1", "true", "YES", "on"])("takes %s as on", (value) => {
    expect(read({ PATCH_ALLOW_LOCAL_REPOS: value }).allowLocalRepos).toBe(true);
  });

  it.each(["0", "false", "No", "off"])("takes %s as off", (value) => {
    expect(read({ PATCH_ALLOW_PRIVATE_NETWORK: value }).allowPrivateNetwork).toBe(false);
  });

  it("reports every error at once, each with its variable", () => {
    const errors = errorsOf({
      PORT: "http",
      PATCH_TEMPORAL_PORT: "99999",
      PATCH_ALLOW_LOCAL_REPOS: "maybe",
      DISCORD_NOTIFY_EVENTS: "push,everything",
      HOST: "0.0.0.0",
    });
    expect(errors.map((line) => line.split(":")[0])).toEqual([
      "PORT",
      "DISCORD_NOTIFY_EVENTS",
      "PATCH_TEMPORAL_PORT",
      "PATCH_ALLOW_LOCAL_REPOS",
      "HOST",
    ]);
    expect(errors[1]).toContain("everything");
    expect(errors[1]).toContain("attention");
  });

  it.each(["0.0.0.0", "::", "192.168.1.5", "example.org"])("refuses %s without a token and says why", (host) => {
    expect(errorsOf({ HOST: host })).toEqual([expect.stringContaining("PATCH_ADMIN_TOKEN")]);
    expect(read({ HOST: host, PATCH_ADMIN_TOKEN: "secret" }).host).toBe(host);
  });

  it.each(["localhost", "127.0.0.1", "127.8.9.1", "::1", "[::1]"])("takes %s without a token", (host) => {
    expect(read({ HOST: host }).host).toBe(host.replace(/[[\]]/g, ""));
  });

  it("takes only known Discord events", () => {
    expect(read({ DISCORD_NOTIFY_EVENTS: "attention, failed,attention" }).discord.notifyEvents).toEqual([
      "attention",
      "failed",
    ]);
  });

  it("wants a webhook when the Discord output is on, and does not repeat a bad one", () => {
    expect(errorsOf({ DISCORD_OUTPUT_ENABLED: "1" })).toEqual([expect.stringMatching(/^DISCORD_WEBHOOK_URL: /)]);
    expect(errorsOf({ DISCORD_WEBHOOK_URL: "secret-part" }).join()).not.toContain("secret-part");
  });

  it("falls back to the older names of the workspace backend, in order", () => {
    const older = { PATCH_FLOW_DISPATCH_URL: "http://c/events", PATCH_FLOW_DISPATCH_SECRET: "old" };
    expect(read(older).workspaceBackend).toEqual({ url: "http://c", secret: "old" });
    expect(read({ ...older, PATCH_FLOW_BACKEND_URL: "http://b/" }).workspaceBackend.url).toBe("http://b");
    expect(
      read({ ...older, PATCH_FLOW_BACKEND_URL: "http://b", PATCH_WORKSPACE_BACKEND_URL: "http://a/x/events/" })
        .workspaceBackend.url,
    ).toBe("http://a/x");
    expect(read({ ...older, PATCH_WORKSPACE_BACKEND_SECRET: "new" }).workspaceBackend.secret).toBe("new");
  });

  it("uses a configured cluster only when an address, a profile or a file is named", () => {
    for (const name of ["TEMPORAL_ADDRESS", "TEMPORAL_PROFILE", "TEMPORAL_CONFIG_FILE"]) {
      expect(read({ [name]: "x" }).temporal).toEqual({ kind: "configured" });
    }
    expect(read({ TEMPORAL_NAMESPACE: "x" }).temporal.kind).toBe("embedded");
  });

  it("refuses ports that clash, but not with an embedded server that is not started", () => {
    expect(errorsOf({ PORT: "7233" })).toEqual([expect.stringContaining("PATCH_TEMPORAL_PORT")]);
    expect(errorsOf({ PORT: "7233", TEMPORAL_ADDRESS: "temporal:7233" })).toEqual([]);
  });

  it("refuses a token that no header can carry", () => {
    expect(errorsOf({ PATCH_ADMIN_TOKEN: "a\nb" })).toEqual([expect.stringMatching(/^PATCH_ADMIN_TOKEN: /)]);
    expect(errorsOf({ PATCH_ADMIN_TOKEN: "päss" }).join()).not.toContain("päss");
  });
});
