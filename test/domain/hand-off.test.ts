import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";
import { conflictCommands, expandName, fixCommands, shellWord } from "../../domain/hand-off.ts";

test.each(["plain", "with space", "it's", "$(touch /tmp/x)", "a\nb", "-flag", "`id`", "ünï", "*", ""])(
  "a shell reads the word %j back as it was",
  (word) => {
    expect(execFileSync("sh", ["-c", `printf %s ${shellWord(word)}`]).toString()).toBe(word);
  },
);

const plain = { submodules: [], isMerge: false };

test("the commands of a conflict name the patch, the files and the resolution ref, and all else is a comment", () => {
  const commands = conflictCommands({
    attemptId: "maintain-release/acme/v1/1",
    name: "v1",
    patch: "abc123",
    subject: "One",
    files: ["a b.c"],
    ...plain,
  });
  expect(commands).toContain("git cherry-pick --allow-empty abc123");
  expect(commands).toContain("git add -A -- 'a b.c'");
  expect(commands).toContain("git push origin +HEAD:refs/heads/patchmoi/resolution/v1");
  expect(commands.filter((line) => !line.startsWith("#")).every((line) => line.startsWith("git "))).toBe(true);
  expect(commands.join("\n")).toContain("maintenance-attempts/maintain-release%2Facme%2Fv1%2F1/resume");
});

test.each([
  ["a name with wildcards", ["a*.c", "b.c"]],
  ["a name that is no UTF-8", ["caf\\351.c"]],
  ["a name that git made in the conflict", ["a.c~progress"]],
  ["more files than anybody reads", Array.from({ length: 21 }, (_, n) => `${n}.c`)],
])("%s is not named to git add", (_, files) => {
  const commands = conflictCommands({ attemptId: "a", name: "v1", patch: "abc", subject: "x", files, ...plain });
  expect(commands.filter((line) => line.startsWith("git add"))).toEqual(["git add -A"]);
});

test("a patch without a message is committed without one", () => {
  const commands = conflictCommands({ attemptId: "a", name: "v1", patch: "abc", subject: "", files: ["a"], ...plain });
  expect(commands).toContain("git cherry-pick --allow-empty --allow-empty-message abc");
  expect(commands).toContain("git commit --allow-empty --allow-empty-message -C abc");
});

test("a merge is not made again, but amended where its conflict is marked", () => {
  const stop = { attemptId: "a", name: "v1", patch: "abc", subject: "x", files: ["a"], ...plain, isMerge: true };
  const commands = conflictCommands(stop).filter((line) => !line.startsWith("#"));
  expect(commands).toEqual([
    "git fetch origin refs/heads/patchmoi/conflict/v1",
    "git switch --detach FETCH_HEAD",
    "git add -A -- a",
    "git commit --allow-empty --amend --no-edit",
    "git push origin +HEAD:refs/heads/patchmoi/resolution/v1",
  ]);
});

test("a submodule is not added, but shown with the commits there are to choose from", () => {
  const submodules = [{ path: "li b", release: "22", patch: "11" }];
  const stop = {
    attemptId: "a",
    name: "v1",
    patch: "abc",
    subject: "x",
    files: ["a", "li b"],
    isMerge: false,
    submodules,
  };
  const commands = conflictCommands(stop);
  expect(commands).toContain("git add -A -- a");
  expect(commands.join("\n")).toContain("'li b' is a submodule: progress has 22, the patch 11.");
  expect(commands).toContain("#   git update-index --cacheinfo 160000,11,'li b'");
  expect(conflictCommands({ ...stop, files: ["li b"] }).join("\n")).not.toContain("git add");
});

test("a file's name cannot smuggle a command in", () => {
  const file = "x\ntouch /tmp/owned\n'; touch /tmp/owned #";
  const commands = conflictCommands({
    attemptId: "a",
    name: "v1",
    patch: "abc",
    subject: "x",
    files: [file],
    ...plain,
  });
  const script = ["git() { :; }", ...commands].join("\n");
  expect(execFileSync("sh", ["-c", `touch() { echo touched; }\n${script}`]).toString()).toBe("");
});

test("the commands for a failed build start from the carried stack", () => {
  expect(fixCommands({ attemptId: "x", name: "v1", task: "Mend it." })[0]).toBe(
    "git fetch origin refs/heads/patchmoi/progress/v1",
  );
});

test("only {tag} is replaced in a configured name", () => {
  expect(expandName("next/{tag}-{tag}/{x}", "v1$&")).toBe("next/v1$&-v1$&/{x}");
});
