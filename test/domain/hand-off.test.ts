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
