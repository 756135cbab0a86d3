import { expect, test } from "vitest";
import { refusalOf, row } from "./hand-off-table.ts";
import { lines } from "./scene.ts";
import { aStop, fivePatches } from "./stopped.ts";

const stop = aStop(fivePatches);
const fixed = { "a.txt": lines({ 10: "two and theirs" }) };
const four = { "c.txt": lines({ 10: "four and theirs" }) };
const onlyTwo = ["applied", "resolved", "applied", "conflict", "pending"];
const stranger = { name: "Per Person", email: "per@example.org" };

/** Progress with the stopped patch on it. */
function picked(message?: string, author?: typeof stranger) {
  const person = stop().person();
  stop().pick(person, fixed);
  if (message) person.git("commit", "-q", "--amend", "-m", message);
  if (author)
    person.git("commit", "-q", "--amend", "--no-edit", "--author", `${author.name} <${author.email}>`, "--date=now");
  return person;
}

test(row("split"), async () => {
  const person = picked();
  person.git("reset", "-q", "--soft", "HEAD^");
  person.git("reset", "-q", "two.txt");
  person.git("commit", "-q", "-C", stop().stopped.patch);
  person.git("add", "-A");
  person.git("commit", "-q", "-C", stop().stopped.patch);
  person.git("commit", "-q", "--amend", "-m", "Two, second half");
  person.commit("Two, third half", { files: { "third.txt": "x\n" }, author: stranger });
  const taken = await stop().taken(person);
  expect(taken.subjects).toEqual(["Two", "Two, second half", "Two, third half"]);
  expect(taken.outcomes).toEqual(onlyTwo);
  const [, ledger] = taken.carried.ledger;
  expect(ledger).toMatchObject({
    commit: person.head("HEAD~2"),
    evidence: expect.stringContaining('"Two, third half"'),
  });
});

test(row("squash-next"), async () => {
  const person = picked();
  person.git("cherry-pick", "-n", "origin/patches~2");
  person.git("commit", "-q", "--amend", "--no-edit");
  const taken = await stop().taken(person);
  expect(taken.outcomes).toEqual(["applied", "resolved", "dropped", "conflict", "pending"]);
  expect(taken.carried.ledger[2]?.evidence).toMatch(/before it in the stack/);
});

test(row("squash-named"), async () => {
  const person = picked();
  person.git("cherry-pick", "-n", "origin/patches~2");
  const lines = [stop().stopped.patch, person.head("origin/patches~2")].map(
    (id) => `(cherry picked from commit ${id})`,
  );
  person.git("commit", "-q", "--amend", "-m", `Two and three\n\n${lines.join("\n")}`);
  const taken = await stop().taken(person);
  expect(taken.outcomes).toEqual(["applied", "resolved", "resolved", "conflict", "pending"]);
  expect(taken.carried.ledger.slice(1, 3).map(({ commit }) => commit)).toEqual([person.head(), person.head()]);
});

test(row("reword"), async () => {
  expect((await stop().taken(picked("Second"))).outcomes).toEqual(onlyTwo);
});

test(row("reauthor"), async () => {
  expect((await stop().taken(picked(undefined, stranger))).outcomes).toEqual(onlyTwo);
});

test(row("reword-and-reauthor"), async () => {
  expect(await stop().refusal(picked("Second", stranger))).toMatch(refusalOf("reword-and-reauthor"));
});

test(row("named"), async () => {
  const person = picked(`Second\n\n(cherry picked from commit ${stop().stopped.patch})`, stranger);
  expect((await stop().taken(person)).outcomes).toEqual(onlyTwo);
});

test(row("reorder"), async () => {
  const person = stop().person();
  person.git("cherry-pick", "origin/patches", "origin/patches~2");
  stop().pick(person, fixed);
  stop().pick(person, four, "origin/patches~1");
  const taken = await stop().taken(person);
  expect(taken.subjects).toEqual(["Five", "Three", "Two", "Four"]);
  expect(taken.outcomes).toEqual(["applied", "resolved", "resolved", "resolved", "resolved"]);
  // Its tree is not the answer to the conflict alone.
  expect(stop().show("for-each-ref", "refs/patchmoi/resolutions")).toBe("");
});

test(row("leave-out"), async () => {
  const person = picked();
  stop().pick(person, four, "origin/patches~1");
  person.git("cherry-pick", "origin/patches");
  const taken = await stop().taken(person);
  expect(taken.outcomes).toEqual(["applied", "resolved", "applied", "resolved", "resolved"]);
  expect(taken.carried.kind).toBe("carried");
});

test(row("more-before"), async () => {
  const person = stop().person();
  person.commit("Prepare", { files: { "before.txt": "x\n" }, author: stranger });
  stop().pick(person, fixed);
  const taken = await stop().taken(person);
  expect(taken.outcomes).toEqual(onlyTwo);
  expect(taken.carried.ledger[1]?.evidence).toMatch(
    / resolved it in [0-9a-f]{40}; with it came [0-9a-f]{12} "Prepare"$/,
  );
});

test(row("more-between"), async () => {
  const person = picked();
  person.commit("Between", { files: { "between.txt": "x\n" }, author: stranger });
  person.git("cherry-pick", "origin/patches~2");
  const taken = await stop().taken(person);
  expect(taken.subjects).toEqual(["Two", "Between", "Three"]);
  expect(taken.outcomes).toEqual(["applied", "resolved", "resolved", "conflict", "pending"]);
});

test(row("more-after"), async () => {
  const person = picked();
  for (let n = 1; n <= 7; n++) person.commit(`After ${n}`, { files: { [`${n}.txt`]: "x\n" }, author: stranger });
  const taken = await stop().taken(person);
  expect(taken.outcomes).toEqual(onlyTwo);
  expect(taken.carried.ledger[1]?.evidence).toMatch(/"After 1", .*"After 5" and 2 more$/);
});

test(row("empty"), async () => {
  const person = stop().person();
  person.git("commit", "-q", "--allow-empty", "-C", stop().stopped.patch);
  const taken = await stop().taken(person);
  expect(taken.outcomes).toEqual(onlyTwo);
  expect(taken.carried.ledger[1]?.evidence).toMatch(/ resolved it in [0-9a-f]{40}, which leaves nothing of it$/);
});

test(row("missing"), async () => {
  const person = stop().person();
  person.commit("Something else", { files: { "d.txt": "d\n" }, author: stranger });
  expect(await stop().refusal(person)).toMatch(refusalOf("missing"));
  // Another patch of the stack is none either.
  person.git("reset", "-q", "--hard", "HEAD^");
  person.git("cherry-pick", "origin/patches~2");
  expect(await stop().refusal(person)).toMatch(refusalOf("missing"));
});

test("what a resolution brings that the stack does not have is told, and nothing that the stack has is lost for it", async () => {
  const person = picked();
  // The subject of a later patch on another change.
  person.commit("Three", { files: { "other.txt": "x\n" }, author: stranger });
  const taken = await stop().taken(person);
  expect(taken.outcomes).toEqual(onlyTwo);
});
