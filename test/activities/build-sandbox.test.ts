import { spawnSync } from "node:child_process";
import { chmodSync, chownSync, cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { bubblewrap } from "../../activities/build/bubblewrap.ts";
import { namespaces } from "../../activities/build/namespaces.ts";
import { findSandbox, type Room, type Sandbox } from "../../activities/build/sandbox.ts";
import { viewOf } from "../../activities/build/view.ts";

const SOMEBODY = 1000;
const ROOT = process.getuid?.() === 0;
const AS = {
  "this user": [],
  "a normal user": ["setpriv", `--reuid=${SOMEBODY}`, `--regid=${SOMEBODY}`, "--clear-groups"],
};
type User = keyof typeof AS;

const PATH = process.env.PATH ?? "";

/** Not in /tmp, which a sandbox covers anyway. */
const base = mkdtempSync("/var/tmp/patchmoi-sandbox-");
const operator = join(base, "operator");
const data = join(base, "data");
const room: Room = {
  tree: join(data, "builds", "build-1", "tree"),
  home: join(data, "builds", "build-1", "home"),
  network: false,
  hidden: [data, operator],
  programs: [".cargo/bin", ".docker/bin", ".nvm/current/bin", ".local/bin", "bin", ".pyenv/shims", "missing/bin"]
    .map((each) => join(operator, each))
    .concat("/usr/bin", "/bin"),
};
const FILES = [
  ...[".cargo/bin/tool", ".cargo/lib/part", ".cargo/credentials.toml", ".docker/bin/tool", ".docker/config.json"],
  ...[".nvm/versions/v1/bin/tool", ".nvm/versions/v1/lib/part", ".nvm/versions/v1/token", ".pyenv/shims/tool"],
  ...[".local/bin/tool", ".local/lib/part", ".local/share/keyring", "bin/tool", "lib/private", ".ssh/id_ed25519"],
];

beforeAll(() => {
  for (const path of [...FILES.map((file) => join(operator, file)), join(data, "records.json")]) {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, "#!/bin/sh\necho ran\n", { mode: 0o755 });
  }
  symlinkSync("versions/v1", join(operator, ".nvm", "current"));
  mkdirSync(room.tree, { recursive: true });
  mkdirSync(room.home);
  chmodSync(base, 0o755);
  if (ROOT) spawnSync("chown", ["-R", String(SOMEBODY), base]);
});
afterAll(() => rmSync(base, { recursive: true, force: true }));
afterEach(() => vi.unstubAllEnvs());

interface Options {
  as?: User;
  at?: Room;
  path?: string;
}

function run(sandbox: Sandbox, command: string, { as = "this user", at = room, path = PATH }: Options = {}) {
  for (const each of [at.tree, at.home]) {
    rmSync(join(each, "made"), { force: true });
    if (ROOT) chownSync(each, as === "this user" ? 0 : SOMEBODY, 0);
  }
  const [program, ...args] = [...AS[as], ...sandbox.wrap(command, at)] as [string, ...string[]];
  const env = { PATH: path, HOME: at.home };
  const { status, stdout, stderr } = spawnSync(program, args, { cwd: at.tree, env, encoding: "utf8", timeout: 30_000 });
  return { status, stdout: stdout.trim(), stderr: stderr.trim() };
}

function whyNot(sandbox: Sandbox, as: User): string | undefined {
  if (as !== "this user" && !ROOT) return "only root can become another user";
  const { status, stderr } = run(sandbox, "true", { as });
  return status === 0 ? undefined : `${sandbox.name} does not work here as ${as}: ${stderr}`;
}

const CASES = [bubblewrap, namespaces].flatMap((sandbox) =>
  (Object.keys(AS) as User[]).map((as) => ({ name: sandbox.name, as, sandbox })),
);

describe.each(CASES)("$name as $as", ({ sandbox, as }) => {
  test("a build sees of what is hidden only its programs", (context) => {
    const reason = whyNot(sandbox, as);
    if (reason) context.skip(reason);
    const { stdout } = run(sandbox, `cd ${base}; find . -type f | sort`, { as });
    const shown = [
      ...[".cargo/bin/tool", ".cargo/lib/part", ".docker/bin/tool", ".local/bin/tool", ".local/lib/part", "bin/tool"],
      ...[".nvm/current/bin/tool", ".nvm/current/lib/part", ".nvm/versions/v1/bin/tool", ".nvm/versions/v1/lib/part"],
      ".pyenv/shims/tool",
    ];
    expect(stdout.split("\n").sort()).toEqual(shown.map((file) => `./operator/${file}`).sort());
    expect(run(sandbox, `${operator}/.nvm/current/bin/tool`, { as }).stdout).toBe("ran");
    expect(run(sandbox, "find /run -type s; ls /tmp", { as }).stdout).toBe("");
  });

  test("a build writes to its tree, its home and a /tmp of its own, and nowhere else", (context) => {
    const reason = whyNot(sandbox, as);
    if (reason) context.skip(reason);
    const all = ["/", "/etc", "/usr", "/var/tmp", "/run", "/dev", "/sys", "/proc/sys/kernel", base, data, operator];
    const mine = [room.tree, room.home, "/tmp", "/dev/shm"];
    const places = [...all, dirname(room.tree), join(operator, ".cargo/bin"), ...mine].join(" ");
    const script = `for at in ${places}; do (: >$at/made) 2>/dev/null && echo $at; done; true`;
    expect(run(sandbox, script, { as }).stdout.split("\n")).toEqual(mine);
    const left = spawnSync("ls", ["-A", room.tree, room.home], { encoding: "utf8" }).stdout;
    expect(left.match(/made/g)).toHaveLength(2);
    // Opened only: were it not refused, a value would be the machine's.
    const outer = "(: >>/proc/sys/kernel/core_pattern) 2>/dev/null || echo refused";
    expect(run(sandbox, outer, { as }).stdout).toBe("refused");
  });

  test("a build cannot take the covers off, nor make writable what is not", (context) => {
    const reason = whyNot(sandbox, as);
    if (reason) context.skip(reason);
    const attack = [
      ...[operator, data, room.home, room.tree, "/tmp", "/run", "/dev", "/proc/sys"].map((at) => `umount ${at}`),
      ...[operator, data, room.home, room.tree].map((at) => `umount -l ${at}`),
      ...["/", "/etc", operator].map((at) => `mount -o remount,bind,rw ${at}`),
      ...["mount -t proc proc /mnt"],
      `nsenter -t 1 -m cat ${operator}/.ssh/id_ed25519`,
      `cat /proc/1/root${operator}/.ssh/id_ed25519`,
      `cat ${operator}/.ssh/id_ed25519 ${data}/records.json`,
      `: >${operator}/made`,
      ": >/var/tmp/patchmoi-made",
    ];
    const tried = attack.map((each) => `if ${each}; then echo "${each}"; fi`).join("\n");
    expect(run(sandbox, `(${tried}) 2>/dev/null`, { as }).stdout).toBe("");
    // As root of namespaces of its own, where it may have them.
    const nested = run(sandbox, `(unshare -r -m sh -c '${tried.replaceAll("'", "")}') 2>/dev/null; true`, { as });
    expect(nested).toMatchObject({ status: 0, stdout: "" });
  });

  test("a build has no network, its status is told, and what it leaves running ends", (context) => {
    const reason = whyNot(sandbox, as);
    if (reason) context.skip(reason);
    const devices = "tail -n +3 /proc/net/dev | cut -d: -f1 | tr -d ' ' | sort";
    expect(run(sandbox, devices, { as }).stdout).toBe("lo");
    const host = spawnSync("sh", ["-c", devices], { encoding: "utf8" }).stdout.trim();
    expect(run(sandbox, devices, { as, at: { ...room, network: true } }).stdout).toBe(host);
    expect(run(sandbox, "exit 7", { as }).status).toBe(7);
    expect(run(sandbox, "pwd; id -u", { as }).stdout).toBe(
      `${room.tree}\n${as === "this user" ? process.getuid?.() : SOMEBODY}`,
    );
    run(sandbox, "setsid sleep 7654321 >/dev/null 2>&1 & sleep 0.1", { as });
    expect(spawnSync("ps", ["-eo", "args"], { encoding: "utf8" }).stdout).not.toContain("sleep 7654321");
  });

  test("paths are taken as they are", (context) => {
    const reason = whyNot(sandbox, as);
    if (reason) context.skip(reason);
    const odd = join(base, "it's $(odd) \\ \"é");
    const at: Room = {
      ...room,
      tree: join(odd, "tree"),
      home: join(odd, "home"),
      hidden: [odd, join(base, "nowhere")],
    };
    for (const each of [at.tree, at.home, join(odd, "tools bin/bin")]) mkdirSync(each, { recursive: true });
    writeFileSync(join(odd, "secret"), "");
    at.programs = [`${odd}/tools bin/bin/`];
    expect(run(sandbox, "touch made && ls ..", { as, at }).stdout).toBe("home\ntools bin\ntree");
    rmSync(odd, { recursive: true });
  });
});

/** A directory with a program that takes the place of another, ahead of PATH. */
function pathWith(scripts: Record<string, string>): string {
  const directory = mkdtempSync(join(base, "path-"));
  for (const [name, script] of Object.entries(scripts)) {
    writeFileSync(join(directory, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  }
  chmodSync(directory, 0o755);
  return `${directory}:${PATH}`;
}
const NO_BWRAP = { bwrap: "exit 1" };
const NO_REMOUNT = { mount: 'case "$*" in *remount*ro*) exit 32 ;; esac; exec /bin/mount "$@"' };

test("where a cover cannot be put on, the command is not run, and no sandbox is claimed", async (context) => {
  const reason = whyNot(namespaces, "this user");
  if (reason) context.skip(reason);
  const path = pathWith({ ...NO_BWRAP, ...NO_REMOUNT });
  const failed = run(namespaces, "echo ran", { path });
  expect(failed.status).not.toBe(0);
  expect(failed.stdout).toBe("");
  expect(failed.stderr).toContain("the sandbox could not be set up");
  vi.stubEnv("PATH", path);
  expect((await findSandbox()).name).toBe("none");
  vi.stubEnv("PATH", pathWith(NO_BWRAP));
  expect((await findSandbox()).name).toBe("namespaces");
});

test("what programs bring along never uncovers a hidden directory, and a link to the home is followed", () => {
  const home = join(base, "linked");
  symlinkSync(operator, home);
  const inside = join(operator, ".local/lib/data");
  mkdirSync(inside);
  const view = viewOf({
    ...room,
    hidden: [inside, home],
    programs: [".local/bin", "bin"].map((each) => join(home, each)),
  });
  expect(view.covered).toEqual(["/run", operator]);
  expect(view.shown).toEqual([join(operator, ".local/bin"), join(operator, "bin")]);
  rmSync(inside, { recursive: true });
  cpSync(join(operator, ".local/lib"), join(operator, ".local/include"), { recursive: true });
  const all = viewOf({ ...room, hidden: [home], programs: [join(home, ".local/bin"), home, operator] });
  expect(all.shown).toEqual([join(operator, ".local/bin"), join(operator, ".local/lib")]);
  rmSync(join(operator, ".local/include"), { recursive: true });
});
