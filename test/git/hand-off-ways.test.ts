import { expect, test } from "vitest";
import { conflictCommands } from "../../domain/hand-off.ts";
import { runGit } from "../support/repositories.ts";
import { refusalOf, row } from "./hand-off-table.ts";
import { lines } from "./scene.ts";
import { aStop, CONFLICT, fivePatches, PROGRESS, paste, push, RESOLUTION, resolve } from "./stopped.ts";

const stop = aStop(fivePatches);
const fixed = { "a.txt": lines({ 10: "two and theirs" }) };
const four = { "c.txt": lines({ 10: "four and theirs" }) };
const onlyTwo = ["applied", "resolved", "applied", "conflict", "pending"];
const allFour = ["applied", "resolved", "resolved", "resolved", "resolved"];

async function pastePrinted(shell: string): Promise<void> {
  const commands = conflictCommands({ attemptId: "a/b", name: "v2.0.0", ...stop().conflict });
  const person = stop().person("patches");
  const [before, after] = commands.join("\n").split(/^# It stops.*$/m) as [string, string];
  expect(paste(shell, person, before)).not.toBe(0);
  expect(person.git("status", "--short")).toContain("UU a.txt");
  person.write("a.txt", fixed["a.txt"]);
  expect(paste(shell, person, after)).toBe(0);
  const taken = await stop().accepted();
  expect(taken.commit).toBe(person.head());
  expect(taken.outcomes).toEqual(onlyTwo);
  expect(taken.carried.ledger[1]?.evidence).toBe(`Pat Person resolved it in ${taken.commit}`);
  expect(stop().show("log", "-1", "--format=%an %s", taken.commit)).toBe("Ann Author Two");
}

test(row("printed-sh"), () => pastePrinted("sh"));

test(row("printed-bash"), () => pastePrinted("bash"));

test(row("cherry-pick"), async () => {
  const person = stop().person();
  stop().pick(person, fixed);
  const taken = await stop().taken(person);
  expect(taken).toMatchObject({
    kind: "resolution",
    patch: stop().stopped.patch,
    commit: person.head(),
    outcomes: onlyTwo,
  });
});

test(row("rebase-all"), async () => {
  const person = stop().person("patches");
  expect(person.tries("rebase", "--onto", `origin/${PROGRESS}`, `${stop().stopped.patch}^`)).toBe(false);
  resolve(person, fixed);
  expect(person.tries("rebase", "--continue")).toBe(false);
  resolve(person, four);
  person.git("rebase", "--continue");
  const taken = await stop().taken(person);
  expect(taken.subjects).toEqual(["Two", "Three", "Four", "Five"]);
  expect(taken.outcomes).toEqual(allFour);
  expect(taken.carried).toMatchObject({ kind: "carried", tip: person.head() });
});

test(row("rebase-some"), async () => {
  const person = stop().person("patches~2");
  expect(person.tries("rebase", "--onto", `origin/${PROGRESS}`, `${stop().stopped.patch}^`)).toBe(false);
  resolve(person, fixed);
  person.git("rebase", "--continue");
  const taken = await stop().taken(person);
  expect(taken.subjects).toEqual(["Two", "Three"]);
  expect(taken.outcomes).toEqual(["applied", "resolved", "resolved", "conflict", "pending"]);
});

test(row("am"), async () => {
  const person = stop().person();
  person.git("format-patch", "-q", "-o", ".git/mails", `${stop().stopped.patch}^..origin/patches~2`);
  expect(person.tries("am", "-3", ".git/mails/0001-Two.patch", ".git/mails/0002-Three.patch")).toBe(false);
  resolve(person, fixed);
  person.git("am", "--continue");
  expect((await stop().taken(person)).outcomes).toEqual(["applied", "resolved", "resolved", "conflict", "pending"]);
});

test(row("forge-edit"), async () => {
  const person = stop().person(CONFLICT);
  resolve(person, fixed);
  // A forge commits in its own name, with the person as the author.
  runGit(
    person.path,
    ["commit", "-q", "-m", "Update a.txt", "--author", "Wanda Web <1+wanda@users.noreply.forge.example>"],
    {
      GIT_COMMITTER_NAME: "Forge",
      GIT_COMMITTER_EMAIL: "noreply@forge.example",
    },
  );
  const taken = await stop().taken(person, CONFLICT);
  expect(stop().show("log", "-1", "--format=%P %an %s %cn", taken.commit)).toBe(
    `${stop().stopped.progress} Ann Author Two patch.moi`,
  );
  expect(taken.file("a.txt")).toBe(fixed["a.txt"]);
  expect(taken.outcomes).toEqual(onlyTwo);
  expect(taken.carried.ledger[1]?.evidence).toContain("Wanda Web resolved it");
});

test(row("forge-edits"), async () => {
  const person = stop().person(CONFLICT);
  person.commit("Update a.txt", { files: { "a.txt": lines({ 10: "half" }) } });
  person.commit("Update a.txt again", { files: { ...fixed, "two.txt": "two, edited\n" } });
  const taken = await stop().taken(person, CONFLICT);
  expect(taken.subjects).toEqual(["Two"]);
  expect([taken.file("a.txt"), taken.file("two.txt")]).toEqual([fixed["a.txt"], "two, edited\n"]);
});

test(row("amend"), async () => {
  const person = stop().person(CONFLICT);
  resolve(person, fixed);
  person.git("commit", "-q", "--amend", "--no-edit");
  expect((await stop().taken(person, CONFLICT)).commit).toBe(person.head());
});

test(row("edit-and-rest"), async () => {
  const person = stop().person(CONFLICT);
  person.commit("Fix it", { files: fixed });
  person.git("cherry-pick", "origin/patches~2");
  person.commit("More", { files: { "more.txt": "more\n" } });
  stop().pick(person, four, "origin/patches~1");
  const taken = await stop().taken(person, CONFLICT);
  expect(taken.subjects).toEqual(["Two", "Three", "More", "Four"]);
  expect(taken.outcomes).toEqual(["applied", "resolved", "resolved", "resolved", "applied"]);
  expect(stop().show("log", "-1", "--format=%T %an %cn %ct", taken.commit)).toBe(
    person.git("log", "-1", "--format=%T %an %cn %ct"),
  );
});

test(row("pr-into-conflict"), async () => {
  const person = stop().person(CONFLICT);
  person.git("switch", "-q", "-c", "fix");
  person.commit("Fix it", { files: fixed });
  person.git("checkout", "-q", "--detach", `origin/${CONFLICT}`);
  person.git("merge", "-q", "--no-ff", "-m", "Merge pull request #7 from fix", "fix");
  const straight = await stop().taken(person, CONFLICT);
  expect(straight.subjects).toEqual(["Two"]);
  // The same from a branch that started at progress, with conflicts that the forge had somebody resolve.
  person.git("checkout", "-q", "--detach", `origin/${PROGRESS}`);
  stop().pick(person, { "a.txt": lines({ 10: "picked" }) });
  person.git("branch", "picked");
  person.git("checkout", "-q", "--detach", `origin/${CONFLICT}`);
  expect(person.tries("merge", "-q", "--no-ff", "-m", "Merge pull request #8", "picked")).toBe(false);
  resolve(person, { "a.txt": lines({ 10: "merged" }) });
  person.git("commit", "-q", "--no-edit");
  const across = await stop().taken(person, CONFLICT);
  expect(across.subjects).toEqual(["Two"]);
  expect(across.file("a.txt")).toBe(lines({ 10: "merged" }));
});

test(row("pr-into-resolution"), async () => {
  const person = stop().person();
  stop().pick(person, fixed);
  person.git("cherry-pick", "origin/patches~2");
  const fix = person.head();
  person.git("checkout", "-q", "--detach", `origin/${PROGRESS}`);
  person.git("merge", "-q", "--no-ff", "-m", "Merge pull request #7 from fix", fix);
  const taken = await stop().taken(person);
  expect(taken).toMatchObject({ commit: fix, subjects: ["Two", "Three"] });
});

test(row("prs-into-resolution"), async () => {
  const person = stop().person();
  person.commit("Other", { files: { "other.txt": "x\n" } });
  const other = person.head();
  person.git("checkout", "-q", "--detach", `origin/${PROGRESS}`);
  stop().pick(person, fixed);
  const fix = person.head();
  person.git("checkout", "-q", "--detach", `origin/${PROGRESS}`);
  for (const branch of [fix, other]) person.git("merge", "-q", "--no-ff", "-m", "Merge", branch);
  const taken = await stop().taken(person);
  expect(taken.subjects).toEqual(["Two"]);
  expect([taken.file("a.txt"), taken.file("other.txt")]).toEqual([fixed["a.txt"], "x\n"]);
  stop().reset();
  person.git("cherry-pick", "origin/patches~2");
  expect(await stop().refusal(person)).toMatch(refusalOf("prs-into-resolution"));
});

test(row("squash-into-conflict"), async () => {
  const person = stop().person(CONFLICT);
  person.commit("Fix it (#9)", { files: fixed });
  expect((await stop().taken(person, CONFLICT)).subjects).toEqual(["Two"]);
});

test(row("squash-into-resolution"), async () => {
  const person = stop().person();
  const web = { name: "Wanda Web", email: "wanda@example.org" };
  person.commit("Two (#9)\n\n* Two\n\n* typo", { files: { ...fixed, "two.txt": "two\n" }, author: web });
  expect(await stop().taken(person)).toMatchObject({ commit: person.head(), outcomes: onlyTwo });
});

test(row("markers-removed"), async () => {
  const person = stop().person();
  stop().pick(person, {});
  push(person, RESOLUTION);
  expect(await stop().refused()).toMatch(refusalOf("markers"));
  person.commit("Really", { files: fixed });
  person.git("cherry-pick", "origin/patches~2");
  const taken = await stop().taken(person);
  expect(taken.subjects).toEqual(["Two", "Three"]);
  expect(stop().show("log", "--format=%h", "-G^<<<<<<< ", taken.commit)).toBe("");
  expect(taken.file("a.txt")).toBe(fixed["a.txt"]);
});
