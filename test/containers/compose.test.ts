import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { DCLinter } from "dclint";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { SETTINGS_VARIABLES } from "../../domain/settings.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const PATH = `${ROOT}docker-compose.yml`;

interface Service {
  image: string;
  build?: string;
  command?: string[];
  entrypoint?: string[];
  restart: string;
  depends_on?: Record<string, { condition: string }>;
  environment?: Record<string, string>;
  env_file?: { path: string; required: boolean }[];
  volumes?: (string | { source: string; target: string; read_only?: boolean })[];
  ports?: string[];
  healthcheck?: { test: string[] };
}

const text = readFileSync(PATH, "utf8");
const compose = parse(text, { merge: true }) as {
  services: Record<string, Service>;
  volumes: Record<string, unknown>;
};
const services = Object.entries(compose.services);
const service = (name: string) => compose.services[name] as Service;
/** What Temporal's own clients read beside the variables that choose a cluster (settings.ts). */
const TEMPORAL_CLIENT = ["TEMPORAL_NAMESPACE"];

describe("docker-compose.yml", () => {
  it("is valid by the compose specification, with no port open to other machines and no image without a tag", () => {
    // The rest of the linter's rules are about the order of keys.
    const rules = {
      "no-build-and-image": 0,
      "require-quotes-in-ports": 2,
      "service-dependencies-alphabetical-order": 0,
      "service-keys-order": 0,
      "services-alphabetical-order": 0,
      "top-level-properties-order": 0,
    } as const;
    const linter = new DCLinter({ rules, quiet: false, debug: false, exclude: [] });
    // Its published types refer to files that are not published.
    const results = linter.lintFiles([PATH], false) as {
      messages: { line: number; rule: string; message: string }[];
    }[];
    const problems = results.flatMap(({ messages }) => messages);
    expect(problems.map(({ line, rule, message }) => `${line}: ${rule}: ${message}`)).toEqual([]);
  });

  it.each(services)("%s waits only for what can be waited for", (_, { depends_on = {} }) => {
    for (const [name, { condition }] of Object.entries(depends_on)) {
      const other = service(name);
      expect(other, name).toBeDefined();
      if (condition === "service_healthy") expect(other.healthcheck, name).toBeDefined();
      else {
        expect(condition).toBe("service_completed_successfully");
        // A job that is always started again never completes.
        expect(other.restart, name).toMatch(/^on-failure(:\d+)?$/);
      }
    }
  });

  it.each(services)("%s has an image of an exact version and a restart policy", (_, { image, restart }) => {
    expect(image).toMatch(/:\d+\.\d+(\.\d+)?(-[a-z]+)?$/);
    expect(restart).toMatch(/^(unless-stopped|on-failure)/);
  });

  it("runs one version of Temporal's server and tools", () => {
    const versions = ["temporal", "temporal-schema", "temporal-namespace"].map(
      (name) => service(name).image.split(":")[1],
    );
    expect(new Set(versions).size).toBe(1);
  });

  it.each(services)("%s is reached from this machine only", (_, { ports = [] }) => {
    for (const port of ports) expect(port).toMatch(/^127\.0\.0\.1:\d+:\d+$/);
  });

  it.each(services)("%s mounts what exists", (_, { volumes = [] }) => {
    for (const volume of volumes) {
      const [source = "", mode] =
        typeof volume === "string"
          ? [volume.split(":")[0], volume.split(":")[2]]
          : [volume.source, volume.read_only ? "ro" : undefined];
      if (!source.startsWith(".")) expect(Object.keys(compose.volumes)).toContain(source);
      else {
        expect(existsSync(`${ROOT}${source}`), source).toBe(true);
        expect(mode, source).toBe("ro");
      }
    }
  });

  it("keeps API and worker on the same records and config", () => {
    const targets = (name: string) => JSON.stringify(service(name).volumes);
    expect(targets("api")).toBe(targets("worker"));
    expect(service("worker").environment?.DATA_DIR).toBe(service("api").environment?.DATA_DIR);
  });

  it.each(["api", "worker"])("gives %s only variables that are read", (name) => {
    const known = [...SETTINGS_VARIABLES, ...TEMPORAL_CLIENT, "LOG_LEVEL"];
    expect(Object.keys(service(name).environment ?? {}).filter((variable) => !known.includes(variable))).toEqual([]);
  });

  it("demands every secret and holds none", () => {
    expect(service("api").environment?.PATCH_ADMIN_TOKEN).toMatch(/^\$\{PATCH_ADMIN_TOKEN:\?.+\}$/);
    const secrets = services.flatMap(([, { environment = {} }]) =>
      Object.entries(environment).filter(([name]) => /PASSWORD|PWD|TOKEN|SECRET|WEBHOOK/.test(name)),
    );
    expect(secrets.length).toBeGreaterThan(3);
    for (const [name, value] of secrets) expect(`${name}=${value}`).toMatch(/=\$\{[A-Z_]+:[?-][^}]*\}$/);
    for (const [name, value] of secrets) if (!name.startsWith("DISCORD")) expect(value).toContain(":?");
  });

  it("gives only the worker the secrets of forks", () => {
    expect(services.filter(([, { env_file }]) => env_file).map(([name]) => name)).toEqual(["worker"]);
    expect(service("worker").environment).not.toHaveProperty("PATCH_ADMIN_TOKEN");
  });

  it("runs entries that the sources have", () => {
    for (const name of ["api", "worker"]) {
      const entry = service(name).command?.[1] ?? "";
      expect(existsSync(`${ROOT}${entry.replace(/^dist\//, "").replace(/\.js$/, ".ts")}`), entry).toBe(true);
    }
    for (const name of ["temporal-schema", "temporal-namespace"]) {
      const script = service(name).entrypoint?.[1] ?? "";
      expect(existsSync(`${ROOT}docker/temporal/${script.replace("/docker/", "")}`), script).toBe(true);
    }
  });
});
