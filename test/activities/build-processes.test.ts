import { execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, utimesSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, expect, test } from "vitest";
import { bubblewrap } from "../../activities/build/bubblewrap.ts";
import { BuildLog } from "../../activities/build/log.ts";
import { namespaces } from "../../activities/build/namespaces.ts";
import { collectBuilds, withRoom } from "../../activities/build/rooms.ts";
import { runCommand } from "../../activities/build/run-command.ts";
import { none } from "../../activities/build/sandbox.ts";
import { temporaryDirectory } from "../support/repositories.ts";

const directory = temporaryDirectory();
afterAll(() => directory.remove());

const room = (name: string) => {
  const [tree, home] = [join(directory.path, name, "tree"), join(directory.path, name, "home")];
  for (const each of [tree, home]) mkdirSync(each, { recursive: true });
  return { tree, home, network: false, hidden: [directory.path], programs: [] };
};
const isRunning = (text: string) => execFileSync("ps", ["-eo", "args"], { encoding: "utf8" }).includes(text);
async function until(what: () => boolean, within = 10_000): Promise<void> {
  for (const end = Date.now() + within; !what(); await new Promise((resolve) => setTimeout(resolve, 20))) {
    if (Date.now() > end) throw new Error("waited in vain");
  }
}

function command(script: string, { timeoutMs = 20_000, signal = new AbortController().signal } = {}) {
  let output = "";
  const env = { PATH: process.env.PATH ?? "", HOME: directory.path };
  const onOutput = (chunk: Buffer) => {
    output += chunk;
  };
  const ended = runCommand(["sh", "-c", script], { cwd: directory.path, env, timeoutMs, signal, onOutput });
  return ended.then(({ status }) => ({ status, output }));
}

test("a command gets no input, no descriptor and no child that it did not make, and its end is told", async () => {
  const look = "cat; readlink /proc/self/fd/0; test ! -e /proc/$$/fd/4; cat /proc/$$/task/$$/children; exit 3";
  expect(await command(`exec 2>&1; ${look}`)).toEqual({
    status: 3,
    output: expect.stringMatching(/^\/dev\/null\n\d+ $/),
  });
  expect((await command("kill -9 $$")).status).toBe("SIGKILL");
  expect((await command("kill -INT $$")).status).toBe("SIGINT");
});

test("a command that runs out of time is asked first, and nothing of it stays", async () => {
  const polite = await command("trap 'echo bye; exit 4' TERM; sleep 7654322 & wait", { timeoutMs: 300 });
  expect(polite).toEqual({ status: "timeout", output: "bye\n" });
  expect((await command("trap '' TERM; sleep 7654322; sleep 7654322", { timeoutMs: 100 })).status).toBe("timeout");
  await until(() => !isRunning("sleep 7654322"));
});

test.for([none, bubblewrap, namespaces])(
  "a build ends with the service that is killed ($name)",
  async (sandbox, context) => {
    const [program, ...args] = sandbox.wrap("true", room("tried")) as [string, ...string[]];
    if (spawnSync(program, args).status !== 0) context.skip(`${sandbox.name} does not work here`);
    const argv = sandbox.wrap("trap '' TERM HUP; sleep 7654323 & sleep 7654323", room(`killed-${sandbox.name}`));
    const module = pathToFileURL(join(process.cwd(), "dist/activities/build/run-command.js")).href;
    const service = `
    const { runCommand } = await import(${JSON.stringify(module)});
    const options = { cwd: "/", env: { PATH: process.env.PATH }, timeoutMs: 60_000, signal: new AbortController().signal };
    await runCommand(JSON.parse(process.argv[1]), { ...options, onOutput: (chunk) => process.stdout.write(chunk) });`;
    const child = spawn(process.execPath, ["--input-type=module", "-e", service, JSON.stringify(argv)], {
      stdio: "inherit",
    });
    try {
      await until(() =>
        execFileSync("ps", ["-eo", "args"], { encoding: "utf8" }).split("\n").includes("sleep 7654323"),
      );
    } finally {
      child.kill("SIGKILL");
      await once(child, "exit");
    }
    await until(() => !isRunning("7654323"));
  },
);

test("rooms of dead processes are deleted at the next start, those of living ones are not", async () => {
  const at = join(directory.path, "builds");
  const host = hostname().replace(/[^A-Za-z0-9.]/g, "_");
  const gone = spawn("true");
  await once(gone, "exit");
  const id = "00000000-0000-4000-8000-000000000000";
  const names = { dead: `build-${host}-${gone.pid}-${id}`, ours: `build-${host}-${process.pid}-${id}` };
  const kept = { living: `build-${host}-${process.ppid}-${id}`, foreign: `build-elsewhere-1-${id}`, other: "other" };
  const old = { foreign: `build-elsewhere-2-${id}`, former: "build-Ab12Cd" };
  for (const name of [names, kept, old].flatMap((each) => Object.values(each))) {
    mkdirSync(join(at, name, "home/go/pkg"), { recursive: true });
    writeFileSync(join(at, name, "home/go/pkg/mod"), "");
    execFileSync("chmod", ["-R", "a-w", join(at, name)]);
  }
  const longAgo = new Date(Date.now() - 26 * 60 * 60 * 1000);
  for (const name of Object.values(old)) utimesSync(join(at, name), longAgo, longAgo);
  await withRoom(at, async (live) => {
    await collectBuilds(at);
    expect(existsSync(live)).toBe(true);
    expect(readdirSync(at).sort()).toEqual([...Object.values(kept), live.slice(at.length + 1)].sort());
  });
  expect(readdirSync(at).sort()).toEqual(Object.values(kept).sort());
  execFileSync("chmod", ["-R", "u+w", at]);
  await collectBuilds(join(at, "missing"));
});

test("a room that the build made read-only is deleted, also by a normal user", (context) => {
  if (process.getuid?.() !== 0) context.skip("only root can become another user");
  const at = join(directory.path, "read-only");
  mkdirSync(at);
  execFileSync("chmod", ["755", directory.path]);
  execFileSync("chown", ["1000:1000", at]);
  const module = pathToFileURL(join(process.cwd(), "dist/activities/build/rooms.js")).href;
  const script = `
    const { withRoom } = await import(${JSON.stringify(module)});
    const { execSync } = await import("node:child_process");
    await withRoom(process.argv[1], async (cwd) => execSync("mkdir -p a/b && touch a/b/c && chmod -R a-w a", { cwd }));`;
  const node = [process.execPath, "--input-type=module", "-e", script, at];
  execFileSync("setpriv", ["--reuid=1000", "--regid=1000", "--clear-groups", ...node]);
  expect(readdirSync(at)).toEqual([]);
});

test("the end of a log fits a message, whatever the length of its lines", () => {
  const log = new BuildLog(["hunter2-hunter2"]);
  log.write("first\n");
  log.write("x".repeat(3_500_000));
  log.write("hunter2-hunter2 and the error\n");
  const tail = log.tail();
  expect(tail).toHaveLength(4_001);
  expect(tail).toMatch(/^…x+\*\*\* and the error$/);
  const faces = new BuildLog([]);
  faces.write(`${"😀".repeat(3_000)}!`);
  expect(faces.tail()).toBe(`…${"😀".repeat(1_999)}!`);
  const lines = new BuildLog([]);
  for (let line = 0; line < 30; line++) lines.write(`line ${line}\n`);
  expect(lines.tail().split("\n")).toHaveLength(20);
});
