import { expect, test } from "vitest";
import type { Decision } from "../../domain/attempt.ts";
import { Decisions } from "../../workflows/decisions.ts";

const made = (patch: string): Decision => ({ kind: "resolution", patch, commit: `${patch}-made` });
const remembered = (patch: string): Decision => ({
  kind: "resolution",
  patch,
  commit: `${patch}-remembered`,
  memory: `key of ${patch}`,
});
const skipped: Decision = { kind: "skip", patch: "d", reason: "not wanted" };
const fix: Decision = { kind: "fix", onto: "tip", commit: "fix" };

function given(...all: Decision[]): Decisions {
  const decisions = new Decisions();
  for (const each of all) decisions.add(each);
  return decisions;
}

test("what a carry took from memory counts once, however often it is told", () => {
  const decisions = given(made("a"));
  decisions.remember([remembered("b")]);
  decisions.remember([remembered("b")]);
  decisions.remember([]);
  expect(decisions.list).toEqual([made("a"), remembered("b")]);
  expect([...decisions.kept]).toEqual(["a-made", "b-remembered"]);
});

test("memory that is asked again and remembers the same changes nothing", () => {
  const decisions = given(made("a"), remembered("b"), made("c"), skipped, fix);
  decisions.askMemoryAgain();
  expect(decisions.list).toEqual([made("a"), made("c"), skipped, fix]);
  decisions.remember([remembered("b")]);
  expect(decisions.list).toEqual([made("a"), made("c"), skipped, fix, remembered("b")]);
});

test("with a resolution that was forgotten goes what was decided on top of it, and nothing before it", () => {
  const decisions = given(made("a"), remembered("b"), made("c"), skipped, fix);
  decisions.askMemoryAgain();
  decisions.remember([]);
  expect(decisions.list).toEqual([made("a")]);
  expect([...decisions.kept]).toEqual(["a-made", "b-remembered", "c-made", "fix"]);
});

test("asking twice before there was an answer loses nothing of what counted", () => {
  const decisions = given(remembered("b"), made("c"));
  decisions.askMemoryAgain();
  decisions.askMemoryAgain();
  decisions.remember([]);
  expect(decisions.list).toEqual([]);
});

test("of decisions for other commits nothing is left but what the fork keeps until the end", () => {
  const decisions = given(remembered("b"), made("c"));
  decisions.askMemoryAgain();
  decisions.clear();
  decisions.remember([remembered("e")]);
  expect(decisions.list).toEqual([remembered("e")]);
  expect([...decisions.kept]).toEqual(["b-remembered", "c-made", "e-remembered"]);
});
