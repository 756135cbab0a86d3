import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { conflictCommands } from "../../domain/hand-off.ts";
import type { TestRepository, UpstreamAndFork } from "../support/repositories.ts";
import { refusalOf, row } from "./hand-off-table.ts";
import { lines } from "./scene.ts";
import { aStop, CONFLICT, paste, RESOLUTION, resolve } from "./stopped.ts";

const crlf = (text: string) => text.replaceAll("\n", "\r\n");
const binary = (text: string) => Buffer.from(`\0\x01${text}\0`);
const DOC = "How a conflict looks:\n<<<<<<< ours\na\n=======\nb\n>>>>>>> theirs\n";
const ATTRIBUTES = "*.long conflict-marker-size=12\n*.lock -diff\n";

/** A patch that conflicts in every way, after one with things that look like leftovers and are none. */
function everyConflict({ fork, upstream }: UpstreamAndFork): void {
  fork.commit("Tell of conflicts", { files: { "doc.md": DOC, "b.txt.orig": "ours\n", "b.txt": lines({ 3: "b" }) } });
  const change = (who: string) => ({
    "a.txt": lines({ 10: who }),
    "crlf.txt": crlf(lines({ 10: who })),
    "sized.long": lines({ 10: who }),
    "npm.lock": lines({ 10: who }),
    "logo.bin": binary(who),
  });
  subproject(fork, "1");
  fork.commit("Change all", { files: { ...change("ours"), "gone.txt": lines({ 10: "ours" }) } });
  subproject(upstream, "2");
  upstream.commit("Change all, too", { files: { ...change("theirs"), "gone.txt": null } });
}

function subproject(repository: TestRepository, digit: string): void {
  mkdirSync(join(repository.path, "sub"), { recursive: true });
  repository.git("update-index", "--add", "--cacheinfo", `160000,${digit.repeat(40)},sub`);
}

const stop = aStop(
  (pair) => {
    subproject(pair.upstream, "9");
    const files = { ".gitattributes": ATTRIBUTES, "logo.bin": binary("base") };
    pair.upstream.commit("Base", { files });
    pair.upstream.git("tag", "-f", "v1.0.0");
    pair.fork.git("fetch", "-q", "--force", pair.upstream.path, "+refs/tags/*:refs/tags/*");
    pair.fork.git("reset", "-q", "--hard", "v1.0.0");
    everyConflict(pair);
  },
  Object.fromEntries(
    ["a.txt", "b.txt", "sized.long", "npm.lock", "gone.txt"]
      .map((name) => [name, lines()])
      .concat([["crlf.txt", crlf(lines())]]),
  ),
);

const text = { "a.txt": lines({ 10: "all" }), "sized.long": lines({ 10: "all" }), "npm.lock": lines({ 10: "all" }) };
const fixed: Record<string, string | null> = { ...text, "crlf.txt": crlf(lines({ 10: "all" })) };

/** Picked and pushed with all fixed but for `files`, and with the submodule as upstream has it. */
function picked(files: Record<string, string | null> = {}): TestRepository {
  const person = stop().person();
  expect(person.tries("cherry-pick", stop().stopped.patch)).toBe(false);
  for (const [name, content] of Object.entries({ ...fixed, ...files })) person.write(name, content);
  person.git("update-index", "--cacheinfo", `160000,${"2".repeat(40)},sub`);
  person.git("add", "-A");
  person.git("cherry-pick", "--continue");
  return person;
}

/** What git left in a file when the patch was picked. */
function inConflict(name: string): string {
  const person = stop().person();
  expect(person.tries("cherry-pick", stop().stopped.patch)).toBe(false);
  return `${person.git("cat-file", "blob", person.git("hash-object", "-w", "--no-filters", name))}\n`;
}

test("the patch conflicts in every way", () => {
  expect([...stop().conflict.files].sort()).toEqual(
    ["a.txt", "crlf.txt", "gone.txt", "logo.bin", "npm.lock", "sized.long", "sub"].sort(),
  );
});

test(row("markers"), async () => {
  const reason = await stop().refusal(picked({ "a.txt": inConflict("a.txt"), "npm.lock": inConflict("npm.lock") }));
  expect(reason).toMatch(refusalOf("markers"));
  expect(reason).toContain("a.txt, npm.lock:");
});

test(row("markers-crlf"), async () => {
  const left = inConflict("crlf.txt");
  expect(left).toMatch(/^<{7} HEAD\r$/m);
  expect(await stop().refusal(picked({ "crlf.txt": left }))).toMatch(refusalOf("markers-crlf"));
});

test(row("markers-half"), async () => {
  for (const left of ["=======", "||||||| parent of 1234567 (Change all)", "=======\r"]) {
    const reason = await stop().refusal(picked({ "a.txt": lines({ 10: `all\n${left}` }) }));
    expect(reason).toMatch(refusalOf("markers-half"));
  }
});

test(row("markers-size"), async () => {
  const left = inConflict("sized.long");
  expect(left).toMatch(/^>{12} /m);
  const reason = await stop().refusal(picked({ "sized.long": left }));
  expect(reason).toMatch(refusalOf("markers-size"));
  expect(reason).toContain("sized.long:");
});

test(row("markers-undiffed"), async () => {
  expect(await stop().refusal(picked({ "npm.lock": inConflict("npm.lock") }))).toMatch(refusalOf("markers-undiffed"));
});

test(row("markers-meant"), async () => {
  const person = picked({ "moved/doc.md": DOC, "rst.txt": "Heading\n=======\n" });
  expect((await stop().taken(person)).outcomes).toEqual(["applied", "resolved"]);
});

test(row("markers-own"), async () => {
  const own = "<<<<<<< mine\n=======\n>>>>>>> mine too\n";
  const person = picked({ "own.txt": own });
  expect(await stop().refusal(person)).toMatch(refusalOf("markers-own"));
  person.commit("Say so", { files: { ".gitattributes": `${ATTRIBUTES}own.txt conflict-marker-size=9\n` } });
  expect((await stop().taken(person)).file("own.txt")).toBe(own);
});

test(row("tool-files"), async () => {
  for (const name of [
    "a.txt.orig",
    "a_BASE_1234.txt",
    "a_REMOTE_7.txt",
    "a.txt.rej",
    "a.txt~HEAD",
    "a.txt~1234567 (Change all)",
  ]) {
    const reason = await stop().refusal(picked({ [name]: "x\n" }));
    expect(reason).toMatch(refusalOf("tool-files"));
    expect(reason).toContain(name);
  }
});

test(row("tool-files-meant"), async () => {
  // On progress already, changed by the person; and beside nothing.
  const person = picked({ "b.txt": lines({ 3: "bb" }), "b.txt.orig": "ours, too\n", "some.orig": "x\n" });
  expect((await stop().taken(person)).outcomes).toEqual(["applied", "resolved"]);
});

test(row("unmarked-chosen"), async () => {
  const person = picked();
  const taken = await stop().taken(person);
  expect(taken.commit).toBe(person.head());
  expect(taken.file("gone.txt")).toBe(lines({ 10: "ours" }));
});

test(row("printed-submodule"), async () => {
  const commands = conflictCommands({ attemptId: "a/b", name: "v2.0.0", ...stop().conflict });
  const record = commands.find((line) => line.startsWith("#   git update-index"))?.slice(1) as string;
  expect(record).toContain(`160000,${"1".repeat(40)},sub`);
  for (const isRecorded of [false, true]) {
    const person = stop().person("patches");
    const [before, after] = commands.join("\n").split(/^# It stops.*$/m) as [string, string];
    paste("sh", person, before);
    for (const [name, content] of Object.entries(fixed)) person.write(name, content);
    if (isRecorded) paste("sh", person, record);
    paste("sh", person, after);
    if (isRecorded) expect(stop().show("ls-tree", (await stop().accepted()).commit, "sub")).toContain("1".repeat(40));
    else expect(await stop().refused()).toMatch(refusalOf("printed-submodule"));
  }
});

/** On the conflict branch, with all text fixed, and what else is done to files. */
function edited(change: (person: TestRepository) => void, message = "Fix it"): TestRepository {
  const person = stop().person(CONFLICT);
  resolve(person, fixed);
  change(person);
  person.git("commit", "-q", "-m", message);
  return person;
}

const noBinary = (person: TestRepository) => {
  person.write("logo.bin", binary("all"));
  person.git("add", "logo.bin");
};
const noFile = (person: TestRepository) => person.git("rm", "-q", "--cached", "gone.txt");
const noSubmodule = (person: TestRepository) => subproject(person, "3");

async function untouched(id: string, name: string, changes: ((person: TestRepository) => void)[]): Promise<void> {
  const person = edited((each) => {
    for (const change of changes) change(each);
  });
  const reason = await stop().refusal(person, CONFLICT);
  expect(reason).toMatch(refusalOf(id));
  expect(reason).toContain(`leaves ${name} as`);
}

test(row("untouched-binary"), () => untouched("untouched-binary", "logo.bin", [noFile, noSubmodule]));

test(row("untouched-deleted"), () => untouched("untouched-deleted", "gone.txt", [noBinary, noSubmodule]));

test(row("untouched-submodule"), () => untouched("untouched-submodule", "sub", [noBinary, noFile]));

test(row("untouched-named"), async () => {
  const person = edited(noSubmodule);
  const reason = await stop().refusal(person, CONFLICT);
  expect(reason).toContain("gone.txt, logo.bin");
  person.git("commit", "-q", "--allow-empty", "-m", "Keep gone.txt as it is, and logo.bin");
  const taken = await stop().taken(person, CONFLICT);
  expect(taken.subjects).toEqual(["Change all"]);
  // The same on the other branch, which shows git's own words about them as little.
  stop().reset();
  expect(await stop().refusal(edited(noSubmodule), RESOLUTION)).toMatch(refusalOf("untouched-binary"));
});
