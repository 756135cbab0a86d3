import { describe, expect, onTestFinished, test } from "vitest";
import { conflictCommands } from "../../domain/hand-off.ts";
import { makeUpstreamAndFork, type UpstreamAndFork } from "../support/repositories.ts";
import { refusalOf, row } from "./hand-off-table.ts";
import { lines } from "./scene.ts";
import { aStop, CONFLICT, FILES, PROGRESS, paste, push, Stop } from "./stopped.ts";

const fixed = { "c.txt": lines({ 10: "by both hands" }) };

/** A merge in which something was made by hand, which upstream changed too. */
function mergeByHand({ fork, upstream }: UpstreamAndFork): void {
  fork.commit("Line", { files: { "a.txt": lines({ 3: "line" }) } });
  fork.git("checkout", "-q", "-b", "topic", "v1.0.0");
  fork.commit("Topic", { files: { "b.txt": lines({ 3: "topic" }) } });
  fork.git("checkout", "-q", "patches");
  fork.git("merge", "-q", "--no-ff", "--no-commit", "topic");
  fork.commit("Merge topic", { files: { "c.txt": lines({ 10: "by hand" }) } });
  fork.git("branch", "-D", "topic");
  fork.commit("After", { files: { "after.txt": "x\n" } });
  upstream.commit("Theirs", { files: { "c.txt": lines({ 10: "theirs" }) } });
}

describe("a merge", () => {
  const stop = aStop(mergeByHand);
  const resolved = ["applied", "applied", "resolved", "applied"];
  const parents = (commit: string) => stop().show("log", "-1", "--format=%P", commit).split(" ");

  test(row("merge-printed"), async () => {
    const { subject, files, isMerge, others, progress } = stop().conflict;
    expect([subject, isMerge, files, others.length]).toEqual(["Merge topic", true, ["c.txt"], 1]);
    for (const shell of ["sh", "bash"]) {
      const commands = conflictCommands({ attemptId: "a/b", name: "v2.0.0", ...stop().conflict });
      const person = stop().person("patches");
      const [before, after] = commands.join("\n").split(/^# It is the merge.*$/m) as [string, string];
      expect(paste(shell, person, before)).toBe(0);
      person.write("c.txt", fixed["c.txt"]);
      expect(paste(shell, person, after)).toBe(0);
      const taken = await stop().accepted();
      expect(taken).toMatchObject({ commit: person.head(), outcomes: resolved });
      expect(parents(taken.commit)).toEqual([progress, ...others]);
      expect(stop().show("log", "-1", "--format=%an %s", taken.commit)).toBe("Ann Author Merge topic");
    }
  });

  test(row("merge-by-hand"), async () => {
    const person = stop().person();
    person.commit("Prepare", { files: { "more.txt": "x\n" } });
    person.git("merge", "-q", "--no-ff", "--no-commit", `origin/${CONFLICT}^2`);
    person.commit("My merge", { files: fixed, author: { name: "Per", email: "p@example.org" } });
    const taken = await stop().taken(person);
    expect(taken.outcomes).toEqual(resolved);
    expect(taken.carried.ledger[2]).toMatchObject({
      commit: person.head(),
      evidence: expect.stringContaining('"Prepare"'),
    });
  });

  test(row("merge-edit"), async () => {
    const person = stop().person(CONFLICT);
    person.commit("Update c.txt", { files: { "more.txt": "x\n" } });
    expect(await stop().refusal(person, CONFLICT)).toMatch(refusalOf("markers"));
    person.commit("Update c.txt again", { files: fixed });
    const taken = await stop().taken(person, CONFLICT);
    expect(taken).toMatchObject({ outcomes: resolved, subjects: ["Merge topic"] });
    expect(parents(taken.commit)).toEqual([stop().stopped.progress, ...stop().conflict.others]);
    expect(taken.file("c.txt")).toBe(fixed["c.txt"]);
  });

  test(row("merge-and-rest"), async () => {
    const person = stop().person(CONFLICT);
    person.commit("Fix it", { files: fixed });
    person.git("cherry-pick", "origin/patches");
    person.git("switch", "-q", "-c", "all");
    // Merged by a forge, too.
    person.git("checkout", "-q", "--detach", `origin/${CONFLICT}`);
    person.git("merge", "-q", "--no-ff", "-m", "Merge pull request #3", "all");
    const taken = await stop().taken(person, CONFLICT);
    expect(taken.subjects).toEqual(["Merge topic", "After"]);
    expect(taken.outcomes).toEqual(["applied", "applied", "resolved", "resolved"]);
  });

  test(row("merge-plain"), async () => {
    const person = stop().person();
    for (const [name, content] of Object.entries(fixed)) person.write(name, content);
    person.git("add", "-A");
    person.git("commit", "-q", "-C", stop().stopped.patch);
    expect(await stop().refusal(person)).toMatch(refusalOf("merge-plain"));
    // Nor a merge of another side, though it has the same files.
    person.git("reset", "-q", "--hard", `origin/${PROGRESS}`);
    person.git("merge", "-q", "--no-ff", "-m", "Merge topic", "origin/patches~1^2");
    expect(await stop().refusal(person)).toMatch(refusalOf("merge-upstream"));
  });

  test("a retry leaves the work on a merge where it is", async () => {
    const person = stop().person(CONFLICT);
    person.commit("Half of it", { files: { "more.txt": "x\n" } });
    push(person, CONFLICT);
    await stop().handOver();
    expect(stop().show("rev-parse", CONFLICT)).toBe(person.head());
  });
});

test(row("merge-of-nothing"), async () => {
  const pair = makeUpstreamAndFork(FILES);
  onTestFinished(() => pair.remove());
  mergeByHand(pair);
  pair.upstream.commit("Theirs, too", { files: { "b.txt": lines({ 3: "theirs" }) } });
  const first = await Stop.of(pair);
  expect(first.conflict.subject).toBe("Topic");
  const stop = await Stop.of(pair, [{ kind: "skip", patch: first.stopped.patch, reason: "not needed" }]);
  const { subject, isMerge, others } = stop.conflict;
  expect([subject, isMerge, others]).toEqual(["Merge topic", true, []]);
  const person = stop.person("patches");
  const commands = conflictCommands({ attemptId: "a/b", name: "v2.0.0", ...stop.conflict });
  const [before, after] = commands.join("\n").split(/^# It is the merge.*$/m) as [string, string];
  paste("sh", person, before);
  person.write("c.txt", fixed["c.txt"]);
  expect(paste("sh", person, after)).toBe(0);
  const taken = await stop.accepted();
  expect(taken).toMatchObject({ commit: person.head(), outcomes: ["applied", "skipped", "resolved", "applied"] });
});
