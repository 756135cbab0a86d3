import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { row } from "./hand-off-table.ts";
import { lines } from "./scene.ts";
import { aStop, CONFLICT, fivePatches, push, RESOLUTION } from "./stopped.ts";

const stop = aStop(fivePatches);
const fixed = { "a.txt": lines({ 10: "two and theirs" }) };

function picked() {
  const person = stop().person();
  stop().pick(person, fixed);
  return person;
}

test(row("two-workers"), async () => {
  const edited = stop().person(CONFLICT);
  edited.commit("Fix it", { files: fixed });
  push(edited, CONFLICT);
  const read = () => stop().git.readResolution(stop().recipe, stop().stopped);
  const [one, other] = await Promise.all([read(), read()]);
  expect(one).toMatchObject({ kind: "accepted" });
  expect(other).toEqual(one);
  expect(await read()).toEqual(one);
  const { decision } = one as { decision: { commit: string } };
  expect(stop().show("for-each-ref", "--format=%(refname)", "refs/patchmoi/decisions")).toBe(
    `refs/patchmoi/decisions/v2.0.0/${decision.commit}`,
  );
});

/** What the served fork does when something is pushed to what is remembered. */
function onRemembering(script: string): void {
  const hook = join(stop().pair.forkUrl, "hooks", "update");
  mkdirSync(dirname(hook), { recursive: true });
  writeFileSync(hook, `#!/bin/sh\ncase "$1" in refs/patchmoi/resolutions/*) ${script} ;; esac\n`, { mode: 0o755 });
  // The engine's own configuration switches hooks off, also of repositories on this machine.
  stop().show("config", "core.hooksPath", dirname(hook));
  onTestFinished(() => rmSync(hook));
}

test("a resolution that the fork will not remember is taken all the same, and that is said", async () => {
  onRemembering("echo not here >&2; exit 1");
  const person = picked();
  push(person, RESOLUTION);
  const answer = await stop().git.readResolution(stop().recipe, stop().stopped);
  expect(answer).toMatchObject({
    kind: "accepted",
    decision: { commit: person.head() },
    warning: expect.stringMatching(
      /^the resolution of .* "Two" is taken, but the fork does not remember it .*not here/s,
    ),
  });
});

test("a worker that dies between keeping a resolution and telling of it has lost nothing", async () => {
  onRemembering("touch remembering; sleep 2");
  const person = picked();
  push(person, RESOLUTION);
  const died = new AbortController();
  const read = stop().git.readResolution(stop().recipe, stop().stopped, died.signal);
  while (!existsSync(join(stop().pair.forkUrl, "remembering"))) await new Promise((resolve) => setTimeout(resolve, 20));
  died.abort();
  await expect(read).rejects.toMatchObject({ kind: "cancelled" });
  person.git("push", "-q", "origin", `:${RESOLUTION}`);
  expect(stop().show("for-each-ref", "--format=%(objectname)", "refs/patchmoi/decisions")).toBe(person.head());
  expect((await stop().taken(person)).commit).toBe(person.head());
});
