import { expect, test } from "vitest";
import { conflictCommands } from "../../domain/hand-off.ts";
import type { TestRepository } from "../support/repositories.ts";
import { refusalOf, row } from "./hand-off-table.ts";
import { lines } from "./scene.ts";
import { aStop, CONFLICT, paste } from "./stopped.ts";

const stop = aStop(({ fork, upstream }) => {
  const away = { "a.txt": null };
  fork.commit("Ours", { files: { ...away, "ours.txt": lines(), place: "a file\n" } });
  upstream.commit("Theirs", { files: { ...away, "theirs.txt": lines(), "place/file.txt": "x\n" } });
});

async function pasted(resolve: (person: TestRepository) => void): Promise<void> {
  const commands = conflictCommands({ attemptId: "a/b", name: "v2.0.0", ...stop().conflict });
  const person = stop().person("patches");
  const [before, after] = commands.join("\n").split(/^# It stops.*$/m) as [string, string];
  paste("sh", person, before);
  resolve(person);
  expect(paste("sh", person, after)).toBe(0);
}

/** As git names the file whose place a directory has taken: by the commit, which is not the same in every git. */
function aside(person: TestRepository): string {
  return person.git("ls-files", "-z", "place~*").split("\0")[0] as string;
}

test("both renamed a file, and one has a directory where the other has a file", () => {
  const { files, patch } = stop().conflict;
  expect([...files].sort()).toEqual(["a.txt", "ours.txt", `place~${patch}`, "theirs.txt"]);
});

test(row("renamed"), async () => {
  await pasted((person) => {
    person.write(aside(person), null);
    person.write("theirs.txt", null);
    person.write("place.txt", "a file\n");
  });
  const { commit } = await stop().accepted();
  expect(stop().show("ls-tree", "-r", "--name-only", commit).split("\n")).toEqual(
    expect.arrayContaining(["ours.txt", "place.txt", "place/file.txt"]),
  );
});

test(row("renamed-left"), async () => {
  await pasted((person) => person.write("theirs.txt", null));
  expect(await stop().refused()).toMatch(refusalOf("renamed-left"));
  // On the conflict branch it has the name that it has there; what both sides moved away is no question any more.
  const person = stop().person(CONFLICT);
  person.commit("Rename it so", { files: { "theirs.txt": null } });
  expect(await stop().refusal(person, CONFLICT)).toMatch(refusalOf("both-refused"));
  person.git("push", "-q", "origin", ":patchmoi/resolution/v2.0.0");
  expect(await stop().refused()).toMatch(refusalOf("renamed-left"));
  person.git("mv", aside(person), "place.txt");
  person.commit("Rename the other, too");
  expect(await stop().refusal(person, CONFLICT)).toMatch(/leaves ours\.txt as the conflict has it/);
  person.commit("Keep ours.txt", { allowEmpty: true });
  expect((await stop().taken(person, CONFLICT)).subjects).toEqual(["Ours"]);
});
