import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));
let project: string;
const children: ChildProcess[] = [];

beforeEach(() => {
  project = mkdtempSync(join(tmpdir(), "patchmoi-run-"));
  for (const path of ["scripts/run.mjs", "scripts/run", "package.json"]) {
    cpSync(join(root, path), join(project, path), { recursive: true });
  }
});

afterEach(() => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
  rmSync(project, { recursive: true, force: true, maxRetries: 3 });
});

function write(files: Record<string, string>): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(project, path)), { recursive: true });
    writeFileSync(join(project, path), text);
  }
}

interface Ran {
  code: number | null;
  stdout: string;
  stderr: string;
}

async function run(args: string[], environment: NodeJS.ProcessEnv = process.env): Promise<Ran> {
  const child = begin(args, environment);
  let stdout = "";
  let stderr = "";
  child.stdout?.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
  });
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  const [code] = (await once(child, "close")) as [number | null];
  return { code, stdout, stderr };
}

function begin(args: string[], environment: NodeJS.ProcessEnv = process.env): ChildProcess {
  const child = spawn(process.execPath, ["scripts/run.mjs", ...args], {
    cwd: project,
    env: environment,
    stdio: ["ignore", "pipe", "pipe"],
  });
  children.push(child);
  return child;
}

/** The real packages, and sources that are as few as can be. */
function withSources(): void {
  for (const path of ["package-lock.json", "tsconfig.json", "tsconfig.build.json", "worker/bundle.ts"]) {
    cpSync(join(root, path), join(project, path));
  }
  symlinkSync(join(root, "node_modules"), join(project, "node_modules"));
  write({
    "main.ts": 'console.log("started", ...process.argv.slice(2));\n',
    "workflows/index.ts": 'export async function hello(): Promise<string> {\n  return "hello";\n}\n',
  });
}

describe("scripts/run.mjs", () => {
  it("says in one line that Node.js is too old", () => {
    const script = `
      Object.defineProperty(process, "versions", { value: { node: "18.20.1" } });
      (await import(process.argv[1])).requireNode();
    `;
    const { status, stderr } = spawnSync(
      process.execPath,
      ["--input-type=module", "-e", script, join(root, "scripts/run/prerequisites.mjs")],
      { encoding: "utf8" },
    );
    expect(status).toBe(1);
    expect(stderr).toBe("patch.moi: Node.js 18.20.1 is too old: install Node.js 20.20 or newer\n");
  });

  it("says in one line that git is missing", async () => {
    const ran = await run(["start"], { PATH: join(project, "nothing") });
    expect(ran).toEqual({
      code: 1,
      stdout: "",
      stderr: "patch.moi: git is missing: install git and see that it is on PATH\n",
    });
  });

  it("runs a prebuilt dist/ without sources, packages or compiler, and lets signals through", async () => {
    write({
      "dist/main.js": `
        process.on("SIGTERM", () => process.exit(7));
        console.log("up", ...process.argv.slice(2));
        setInterval(() => {}, 1000);
      `,
    });
    const child = begin(["start", "--flag"]);
    const [text] = (await once(child.stdout ?? child, "data")) as [Buffer];
    expect(String(text)).toBe("up --flag\n");
    child.kill("SIGTERM");
    expect(await once(child, "exit")).toEqual([7, null]);
    expect(existsSync(join(project, "node_modules"))).toBe(false);
  });

  it("installs what the lockfile says, visibly and once", async () => {
    write({
      "package.json": '{"name":"x","version":"1.0.0","type":"module"}',
      "package-lock.json": JSON.stringify({ name: "x", version: "1.0.0", lockfileVersion: 3, packages: { "": {} } }),
      "tsconfig.build.json": "{}",
    });
    const home = join(project, "home");
    const first = await run(["format"], { PATH: process.env.PATH, HOME: home });
    expect(first.stderr).toContain("installing packages … 0 s");
    const second = await run(["format"], { PATH: process.env.PATH, HOME: home });
    expect(second.stderr).not.toContain("installing");
  });

  it("compiles and bundles what has changed, and nothing when nothing has", async () => {
    withSources();
    const first = await run(["start", "a", "--b"]);
    expect(first).toMatchObject({ code: 0, stdout: "started a --b\n" });
    expect(first.stderr).toMatch(/compiling[^]*bundling/);
    expect(readFileSync(join(project, "dist/workflow-bundle.js"), "utf8")).toContain("hello");
    expect(await run(["start"])).toEqual({ code: 0, stdout: "started\n", stderr: "" });

    write({ "main.ts": 'console.log("changed");\n', "old/gone.ts": "export {};\n" });
    const third = await run(["start"]);
    expect(third).toMatchObject({ code: 0, stdout: "changed\n" });
    expect(third.stderr).not.toContain("bundling");
  });

  it("stops at a type error and leaves dist/ as it was", async () => {
    withSources();
    await run(["build"]);
    write({ "main.ts": 'const wrong: number = "text";\nconsole.log(wrong);\n' });
    const ran = await run(["start"]);
    expect(ran.code).toBe(1);
    expect(ran.stderr).toMatch(/TS2322[^]*do not compile/);
    expect(readFileSync(join(project, "dist/main.js"), "utf8")).toContain("started");
  });

  it("builds once for several that start together, and after one that was killed", async () => {
    withSources();
    const killed = begin(["build"]);
    await once(killed.stderr ?? killed, "data");
    killed.kill("SIGKILL");
    await once(killed, "exit");
    expect(existsSync(join(project, "dist/.lock"))).toBe(true);
    const all = await Promise.all([run(["start"]), run(["start"]), run(["start"])]);
    expect(all.map(({ code, stdout }) => ({ code, stdout }))).toEqual(Array(3).fill({ code: 0, stdout: "started\n" }));
    expect(all.filter(({ stderr }) => stderr.includes("compiling"))).toHaveLength(1);
    expect(existsSync(join(project, "dist/.lock"))).toBe(false);
  });
});

describe("the last line of npm test", () => {
  const PASSES = 'import { it } from "vitest";\nit("passes", () => {});\nit.skip("waits", () => {});\n';
  const FAILS = 'import { it } from "vitest";\nit("fails", () => {\n  throw new Error("no");\n});\n';

  async function test(files: Record<string, string>, config = "export default {};\n", ...args: string[]) {
    withSources();
    cpSync(join(root, "test/reporter.ts"), join(project, "test/reporter.ts"));
    write({ "vitest.config.ts": config, ...files });
    const { code, stdout } = await run(["test", ...args], { ...process.env, PATCHMOI_TEST_SILENCE_MS: "4000" });
    return { code, last: stdout.trimEnd().split("\n").at(-1) };
  }

  it("counts", async () => {
    expect(await test({ "test/a.test.ts": PASSES })).toEqual({ code: 0, last: "1 passed, 0 failed, 1 skipped" });
  });

  it("counts failures, and files that cannot be loaded", async () => {
    const files = { "test/a.test.ts": PASSES, "test/b.test.ts": FAILS, "test/c.test.ts": 'import "./nowhere.ts";\n' };
    expect(await test(files)).toEqual({ code: 1, last: "1 passed, 2 failed, 1 skipped" });
  });

  it("hands arguments on", async () => {
    const files = { "test/a.test.ts": PASSES, "test/b.test.ts": FAILS };
    expect(await test(files, undefined, "test/a")).toEqual({ code: 0, last: "1 passed, 0 failed, 1 skipped" });
  });

  it("is a failure where no test ran", async () => {
    expect(await test({})).toEqual({ code: 1, last: "0 passed, 1 failed" });
  });

  it("is a failure where a test blocks for ever, and nothing of it stays", async () => {
    const blocks = `
      import { execFileSync } from "node:child_process";
      import { it } from "vitest";
      it("blocks", () => void execFileSync("sleep", ["98765"]));
    `;
    const { code, last } = await test(
      { "test/a.test.ts": PASSES, "test/b.test.ts": blocks },
      "export default { test: { maxWorkers: 2 } };\n",
    );
    expect({ code, last }).toEqual({ code: 1, last: "1 passed, 1 failed, 1 skipped" });
    const running = spawnSync("ps", ["-eo", "args="], { encoding: "utf8" }).stdout.split("\n");
    expect(running).not.toContain("sleep 98765");
  });

  it("is a failure where vitest itself crashes", async () => {
    expect(await test({ "test/a.test.ts": PASSES }, "process.exit(3);\n")).toEqual({
      code: 1,
      last: "0 passed, 1 failed",
    });
  });
});
