import { expect, test } from "vitest";
import { boundedWarnings, buildStop, conflictStop, suspectsAmong, warningsStop } from "../../activities/stops.ts";
import type { Decision } from "../../domain/attempt.ts";
import type { Conflict } from "../../git/index.ts";

const sha = (digit: string) => digit.repeat(40);
const work = {
  attemptId: "maintain-release/tool/v2/1",
  fork: "tool",
  release: { name: "v2", ref: "refs/tags/v2" },
  pinned: { release: sha("a"), tip: sha("b"), base: sha("c") },
  decisions: [] as Decision[],
};
const stopped: Conflict = {
  kind: "conflict",
  progress: sha("1"),
  conflict: sha("2"),
  patch: sha("3"),
  subject: "Keep our logo",
  files: ["logo.c"],
  submodules: [],
  isMerge: false,
  others: [],
  upstreamCommits: [],
  moreUpstreamCommits: 0,
  ledger: [],
  remembered: [],
};

test("a conflict tells the patch, its files, and what upstream did to them", () => {
  const { message } = conflictStop(work, {
    ...stopped,
    files: Array.from({ length: 203 }, (_, n) => `f${n}`),
    upstreamCommits: [
      { commit: sha("4"), subject: "Tidy up", files: ["logo.c"], what: "renames logo.c to art/logo.c" },
      { commit: sha("5"), subject: "Reformat", files: ["logo.c"] },
    ],
    moreUpstreamCommits: 37,
    proposal: { drop: true, evidence: "upstream commit 6 is by the same author at the same time" },
  });
  expect(message.split("\n")).toEqual([
    expect.stringMatching(/^"Keep our logo" \(3{12}\) does not apply: f0, f1, .*f199 and 3 more\.$/),
    expect.stringMatching(/probably taken it: upstream commit 6 .*skip-patch/),
    "Upstream commits that touched them:",
    "  444444444444 Tidy up (renames logo.c to art/logo.c)",
    "  555555555555 Reformat",
    "  and 37 more",
  ]);
});

test("names and subjects of any length fit a message", () => {
  const [subject, name] = ["s".repeat(1_000_000), "n".repeat(4_000)];
  const files = Array.from({ length: 100 }, (_, n) => `${name}${n}`);
  const upstreamCommits = [{ commit: sha("4"), subject, files }];
  const proposal = { drop: true as const, evidence: subject };
  const stop = conflictStop(work, { ...stopped, subject, files, upstreamCommits, proposal });
  expect(stop.files).toEqual(files.slice(0, 4));
  expect(stop.message).toContain(" and 96 more.");
  expect(JSON.stringify(stop).length).toBeLessThan(100_000);
  expect(conflictStop(work, { ...stopped, files: [name.repeat(10)] }).files).toHaveLength(1);
});

test("a merge that does not apply is told to be one", () => {
  const { message } = conflictStop(work, { ...stopped, isMerge: true, others: [sha("7")] });
  expect(message).toMatch(/^The merge "Keep our logo" \(3{12}\) does not apply: logo\.c\.$/);
});

test("warnings are as many and as long as a person reads", () => {
  expect(boundedWarnings(["one", "two"])).toEqual(["one", "two"]);
  const many = boundedWarnings(Array.from({ length: 60 }, (_, n) => `${n} ${"x".repeat(5_000)}`));
  expect(many).toHaveLength(51);
  expect(many[50]).toBe("and 10 more warnings");
  expect(Math.max(...many.map(({ length }) => length))).toBe(1_000);
});

test("a stop on warnings lists them, and says what accepts them", () => {
  const { message, commands, stopped: at } = warningsStop(work, sha("9"), ["app.c may be broken"]);
  expect(message).toContain("- app.c may be broken");
  expect(commands.join("\n")).toMatch(/push nothing and resume/);
  expect(at).toEqual({ progress: sha("9") });
});

test("a failed build names what came from memory, and only that, with how to be rid of it", () => {
  const decisions: Decision[] = [
    { kind: "resolution", patch: sha("3"), commit: sha("4"), by: "Ann, for v1", memory: "k1" },
    { kind: "resolution", patch: sha("5"), commit: sha("6"), by: "Ben" },
    { kind: "resolution", patch: sha("7"), commit: sha("8"), memory: "k2" },
    { kind: "skip", patch: sha("9"), reason: "x" },
  ];
  const ledger = [{ patch: sha("3"), subject: "Keep our logo", outcome: "resolved" as const }];
  const suspects = suspectsAmong({ ...work, decisions }, ledger);
  expect(suspects.slice(2)).toEqual([
    '  "Keep our logo" (333333333333), resolved by Ann, for v1; to forget it: DELETE /forks/tool/resolutions/k1',
    "  (777777777777), resolved by a person; to forget it: DELETE /forks/tool/resolutions/k2",
  ]);
  expect(suspects.join("\n")).toContain("forget it and retry");
  expect(buildStop(work, sha("9"), "the build failed", suspects).message).toMatch(/^the build failed\n\nThese/);

  expect(suspectsAmong({ ...work, decisions: decisions.slice(1, 2) }, ledger)).toEqual([]);
  expect(buildStop(work, sha("9"), "the build failed", []).message).toBe("the build failed");
});
