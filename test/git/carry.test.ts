import { rmSync } from "node:fs";
import { expect, test } from "vitest";
import { runGit } from "../support/repositories.ts";
import { carryAll, carryToConflict, fileAt, lines, rebased, scene } from "./scene.ts";

const outcomes = (ledger: { outcome: string }[]) => ledger.map(({ outcome }) => outcome);

test("a clean stack gives the commits of a full rebase, and the same ones from an empty directory", async () => {
  const at = scene();
  at.upstream.commit("Upstream goes on", { files: { "a.txt": lines({ 2: "upstream two" }) } });
  at.upstream.tag("v2.0.0");
  at.fork.commit("First patch\n\nWith a body.\n", {
    files: { "a.txt": lines({ 15: "patch" }) },
    author: { name: "Zoë Ünal", email: "z@e.org" },
  });
  at.fork.commit("Second patch", { files: { "new.txt": "new\n", "b.txt": null } });
  at.fork.commit("Third patch", { files: { "new.txt": "newer\n" } });
  const recipe = await at.recipe();
  expect(await at.plan()).toMatchObject({ kind: "carry", patches: 3, baseTag: "v1.0.0", release: at.upstream.head() });
  const seen: string[] = [];
  const carried = await at.git.carry(recipe, { onProgress: (k, n, subject) => seen.push(`${k}/${n} ${subject}`) });
  expect(carried).toMatchObject({ kind: "carried", tip: rebased(at, recipe) });
  expect(seen).toEqual(["1/3 First patch", "2/3 Second patch", "3/3 Third patch"]);
  rmSync(at.data, { recursive: true });
  expect(await at.git.carry(recipe)).toEqual(carried);
});

test("the message's bytes and the encoding are kept, the signature is not", async () => {
  const at = scene();
  at.upstream.commit("Upstream goes on", { files: { "b.txt": lines({ 2: "x" }) } });
  at.upstream.tag("v2.0.0");
  at.fork.commit("Patch", { files: { "a.txt": lines({ 15: "patch" }) } });
  const tree = at.fork.git("rev-parse", "HEAD^{tree}");
  const [base, raw] = [at.fork.git("rev-parse", "HEAD~1"), at.fork.git("cat-file", "commit", "HEAD").split("\n")];
  const author = raw.find((line) => line.startsWith("author "));
  const head = `tree ${tree}\nparent ${base}\n${author}\n${author?.replace("author", "committer")}\nencoding ISO-8859-1\ngpgsig -----BEGIN\n abc\n -----END\n`;
  at.fork.write(
    "../raw",
    Buffer.concat([Buffer.from(`${head}\nGr`), Buffer.from([0xfc]), Buffer.from("n\n\n\nodd  \n")]),
  );
  const odd = at.fork.git("hash-object", "-t", "commit", "-w", "../raw");
  at.fork.git("reset", "-q", "--hard", odd);
  const recipe = await at.recipe();
  const { tip } = await carryAll(at, recipe);
  await at.git.pushCandidate(recipe, { tip, branch: "out", message: "m" });
  const made = runGit(at.forkUrl, ["cat-file", "commit", "out"]);
  expect(made).toContain("encoding ISO-8859-1\n\nGr");
  expect(made).not.toContain("gpgsig");
  expect(made).toContain(author);
  expect(made).toMatch(/committer patch\.moi <noreply@patch\.moi> \d+ \+0000/);
});

test("a patch that upstream took is dropped with upstream's commit as evidence", async () => {
  const at = scene();
  const taken = at.fork.commit("Fix it", { files: { "a.txt": lines({ 10: "fixed" }) } });
  at.fork.commit("Ours", { files: { "b.txt": lines({ 3: "ours" }) } });
  const evidence = at.upstream.commit("Fix it, said another way", { files: { "a.txt": lines({ 10: "fixed" }) } });
  // Upstream went on with the same lines: a plain rebase would stop here.
  at.upstream.commit("Reword", { files: { "a.txt": lines({ 10: "fixed and reworded" }) } });
  at.upstream.tag("v2.0.0");
  const { ledger } = await carryAll(at, await at.recipe());
  expect(ledger[0]).toMatchObject({ patch: taken, outcome: "dropped", evidence: expect.stringContaining(evidence) });
  expect(outcomes(ledger)).toEqual(["dropped", "applied"]);
});

test("a patch that upstream took and reverted is carried", async () => {
  const at = scene();
  at.fork.commit("Fix it", { files: { "a.txt": lines({ 10: "fixed" }) } });
  at.upstream.commit("Fix it", { files: { "a.txt": lines({ 10: "fixed" }) } });
  at.upstream.commit("Revert", { files: { "a.txt": lines() } });
  at.upstream.tag("v2.0.0");
  const { ledger } = await carryAll(at, await at.recipe());
  expect(outcomes(ledger)).toEqual(["applied"]);
});

test("what the stack takes back and makes again stays made, though upstream took it", async () => {
  const at = scene();
  at.fork.commit("Fix it", { files: { "a.txt": lines({ 10: "fixed" }) } });
  at.fork.commit("Revert", { files: { "a.txt": lines() } });
  at.fork.commit("Fix it again", { files: { "a.txt": lines({ 10: "fixed" }) } });
  at.upstream.commit("Fix it", { files: { "a.txt": lines({ 10: "fixed" }) } });
  at.upstream.tag("v2.0.0");
  const { tip, ledger } = await carryAll(at, await at.recipe());
  expect(outcomes(ledger)).toEqual(["dropped", "applied", "applied"]);
  const pushed = await at.git.pushCandidate(await at.recipe(), { tip, branch: "candidate", message: "m" });
  expect(pushed.kind).toBe("pushed");
  expect(fileAt(at.forkUrl, tip, "a.txt")).toBe(lines({ 10: "fixed" }));
});

test("a patch that became empty is dropped and says so; one that was empty is kept", async () => {
  const at = scene();
  at.fork.commit("Two things", { files: { "a.txt": lines({ 10: "fixed" }) } });
  at.fork.commit("Only a note", { allowEmpty: true });
  const maker = at.upstream.commit("More than the patch", {
    files: { "a.txt": lines({ 10: "fixed" }), "c.txt": lines({ 1: "c" }) },
  });
  at.upstream.commit("Release", { files: { VERSION: "2\n" } });
  at.upstream.tag("v2.0.0");
  const { ledger } = await carryAll(at, await at.recipe());
  expect(outcomes(ledger)).toEqual(["dropped", "applied"]);
  expect(ledger[0]?.evidence).toContain(`became empty: upstream commit ${maker}`);
});

test("a conflict names patch, files and upstream's commits, and proposes to drop what the same author did upstream", async () => {
  const at = scene();
  const author = { name: "Bob", email: "bob@example.org" };
  at.fork.commit("Fine", { files: { "b.txt": lines({ 3: "ours" }) } });
  const patch = at.fork.commit("Clash", { files: { "a.txt": lines({ 10: "ours" }) }, author, date: 1_700_200_000 });
  at.fork.commit("Later", { files: { "c.txt": lines({ 3: "ours" }) } });
  const clash = at.upstream.commit("Clash, merged", {
    files: { "a.txt": lines({ 10: "theirs" }) },
    author,
    date: 1_700_200_000,
  });
  at.upstream.tag("v2.0.0");
  const recipe = await at.recipe();
  const { carried } = await carryToConflict(at, recipe);
  expect(carried).toMatchObject({ patch, subject: "Clash", files: ["a.txt"] });
  expect(carried.upstreamCommits).toEqual([{ commit: clash, subject: "Clash, merged", files: ["a.txt"] }]);
  expect(outcomes(carried.ledger)).toEqual(["applied", "conflict", "pending"]);
  expect(carried.proposal?.evidence).toContain(clash);
  await at.git.pushHandOff(recipe, carried);
  const text = runGit(at.forkUrl, ["show", "patchmoi/conflict/v2.0.0:a.txt"]);
  expect(text).toContain("<<<<<<< progress\ntheirs\n=======\nours\n>>>>>>> ");
  expect(runGit(at.forkUrl, ["rev-parse", "patchmoi/conflict/v2.0.0^"])).toBe(carried.progress);
  expect(runGit(at.forkUrl, ["log", "-1", "--format=%an %s", "patchmoi/conflict/v2.0.0"])).toBe("Bob Clash");
});

test("a file that upstream deleted is a conflict that names the deleting commit", async () => {
  const at = scene();
  at.fork.commit("Change it", { files: { "a.txt": lines({ 10: "ours" }) } });
  const deleted = at.upstream.commit("Delete it", { files: { "a.txt": null } });
  at.upstream.tag("v2.0.0");
  const { carried } = await carryToConflict(at, await at.recipe());
  expect(carried.files).toEqual(["a.txt"]);
  const what = "deletes a.txt";
  expect(carried.upstreamCommits).toEqual([{ commit: deleted, subject: "Delete it", files: ["a.txt"], what }]);
});

test("a file that upstream renamed and changed is a conflict that names the renaming commit", async () => {
  const at = scene();
  at.fork.commit("Change it", { files: { "a.txt": lines({ 10: "ours" }) } });
  const renamed = at.upstream.commit("Rename it", { files: { "a.txt": null, "renamed.txt": lines({ 10: "theirs" }) } });
  at.upstream.tag("v2.0.0");
  const { carried } = await carryToConflict(at, await at.recipe());
  expect(carried.files).toEqual(["renamed.txt"]);
  expect(carried.upstreamCommits[0]).toMatchObject({
    commit: renamed,
    files: ["a.txt", "renamed.txt"],
    what: "renames a.txt to renamed.txt",
  });
});

test("merge=union of the release's .gitattributes, at the root and below, is honoured as a full rebase does", async () => {
  const files = { CHANGES: "one\n", ".gitattributes": "CHANGES merge=union\n" };
  const below = { "deep/log/news": "one\n", "deep/.gitattributes": "news merge=union\n", "deep/other": "one\n" };
  const at = scene({ ...files, ...below });
  at.fork.commit("Ours", { files: { CHANGES: "one\nours\n", "deep/log/news": "one\nours\n" } });
  at.upstream.commit("Theirs", { files: { CHANGES: "one\ntheirs\n", "deep/log/news": "one\ntheirs\n" } });
  at.upstream.tag("v2.0.0");
  const recipe = await at.recipe();
  expect((await carryAll(at, recipe)).tip).toBe(rebased(at, recipe));
});

test("a skipped patch is in the ledger with the person's reason, and the rest is carried", async () => {
  const at = scene();
  const patch = at.fork.commit("Clash", { files: { "a.txt": lines({ 10: "ours" }) } });
  at.fork.commit("Later", { files: { "c.txt": lines({ 3: "ours" }) } });
  at.upstream.commit("Theirs", { files: { "a.txt": lines({ 10: "theirs" }) } });
  at.upstream.tag("v2.0.0");
  const { ledger } = await carryAll(at, await at.recipe([{ kind: "skip", patch, reason: "not needed any more" }]));
  expect(ledger[0]).toEqual({ patch, subject: "Clash", outcome: "skipped", evidence: "not needed any more" });
  expect(outcomes(ledger)).toEqual(["skipped", "applied"]);
});

test("a tip that is not to be had any more blocks and says that the branch moved", async () => {
  const at = scene();
  at.fork.commit("Old", { files: { "b.txt": lines({ 3: "old" }) } });
  at.upstream.commit("Goes on", { files: { "a.txt": lines({ 2: "x" }) } });
  at.upstream.tag("v2.0.0");
  const recipe = await at.recipe();
  at.fork.git("reset", "-q", "--hard", "HEAD~1");
  at.fork.commit("New", { files: { "b.txt": lines({ 3: "new" }) } });
  at.publish();
  runGit(at.forkUrl, ["prune", "--expire=now"]);
  // The machine that read the stack still has it; another one does not.
  expect(await at.git.carry(recipe)).toMatchObject({ kind: "carried" });
  rmSync(at.data, { recursive: true });
  expect(await at.git.carry(recipe)).toMatchObject({ kind: "blocked", reason: expect.stringContaining("patches") });
});
