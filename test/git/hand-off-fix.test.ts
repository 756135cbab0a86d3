import { expect, test } from "vitest";
import type { Decision } from "../../domain/attempt.ts";
import type { TestRepository } from "../support/repositories.ts";
import { refusalOf, row } from "./hand-off-table.ts";
import { carryAll, lines, type Scene, scene } from "./scene.ts";
import { PROGRESS, push, RESOLUTION } from "./stopped.ts";

/** A carried stack whose build failed. */
async function unbuilt() {
  const at = scene();
  at.fork.commit("One", { files: { "b.txt": lines({ 3: "one" }) } });
  at.upstream.commit("Theirs", { files: { "a.txt": lines({ 10: "theirs" }) } });
  at.upstream.tag("v2.0.0");
  const recipe = await at.recipe();
  const { tip } = await carryAll(at, recipe);
  await at.git.pushHandOff(recipe, { progress: tip });
  const person = at.person();
  person.git("checkout", "-q", "--detach", `origin/${PROGRESS}`);
  const read = async (): Promise<Decision | string> => {
    push(person, RESOLUTION);
    const answer = await at.git.readResolution(recipe, { progress: tip });
    return answer.kind === "accepted" ? answer.decision : answer.reason;
  };
  return { at, recipe, tip, person, read };
}

function mergeBranch(at: Scene, person: TestRepository): string {
  person.commit("Make it build", { files: { "fix.txt": "x\n" } });
  const fix = person.head();
  person.git("checkout", "-q", "--detach", `origin/${PROGRESS}`);
  person.git("merge", "-q", "--no-ff", "-m", "Merge pull request #4", fix);
  expect(at.forkRef(`refs/heads/${RESOLUTION}`)).toBeUndefined();
  return fix;
}

test(row("fix"), async () => {
  const { at, recipe, tip, person, read } = await unbuilt();
  person.commit("Make it build", { files: { "fix.txt": "x\n" } });
  person.commit("And test", { files: { "test.txt": "x\n" } });
  const decision = await read();
  expect(decision).toEqual({ kind: "fix", onto: tip, commit: person.head() });
  expect((await carryAll(at, { ...recipe, decisions: [decision as Decision] })).tip).toBe(person.head());
});

test(row("fix-merged"), async () => {
  const { at, tip, person, read } = await unbuilt();
  const fix = mergeBranch(at, person);
  expect(await read()).toEqual({ kind: "fix", onto: tip, commit: fix });
});

test(row("fix-foreign"), async () => {
  const { person, read } = await unbuilt();
  person.git("merge", "-q", "-m", "Merge it all", "origin/patches");
  expect(await read()).toMatch(refusalOf("fix-foreign"));
});

test(row("fix-nothing"), async () => {
  const { read } = await unbuilt();
  expect(await read()).toMatch(refusalOf("fix-nothing"));
});

test(row("encoding"), async () => {
  const at = scene();
  at.fork.commit("One", { files: { "b.txt": lines({ 3: "one" }) } });
  at.fork.write("a.txt", lines({ 10: "two" }));
  at.fork.git("add", "-A");
  at.fork.git(
    ...["-c", "i18n.commitEncoding=ISO-8859-1", "-c", "i18n.logOutputEncoding=UTF-8"],
    ...["commit", "-q", "-m", "Gr\u00fc\u00dfe", "--author", "J\u00f6rg <j@example.org>"],
  );
  const raw = at.fork.git("cat-file", "commit", "HEAD");
  expect(raw).toContain("encoding ISO-8859-1");
  at.upstream.commit("Theirs", { files: { "a.txt": lines({ 10: "theirs" }) } });
  at.upstream.tag("v2.0.0");
  const recipe = await at.recipe();
  const carried = await at.git.carry(recipe);
  if (carried.kind !== "conflict") throw new Error(carried.kind);
  const { progress, conflict, patch } = carried;
  await at.git.pushHandOff(recipe, { progress, conflict, patch });
  const person = at.person();
  person.git("checkout", "-q", "--detach", `origin/${PROGRESS}`);
  expect(person.tries("cherry-pick", patch)).toBe(false);
  person.write("a.txt", lines({ 10: "both" }));
  person.git("add", "-A");
  person.git("cherry-pick", "--continue");
  expect(person.git("cat-file", "commit", "HEAD")).not.toContain("encoding");
  push(person, RESOLUTION);
  expect(await at.git.readResolution(recipe, { progress, conflict, patch })).toMatchObject({
    kind: "accepted",
    decision: { commit: person.head() },
  });
});
