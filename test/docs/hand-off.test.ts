import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { ROWS } from "../git/hand-off-table.ts";
import { ROOT } from "./markdown.ts";

const tests = readdirSync(join(ROOT, "test/git")).filter((name) => /^hand-off.*\.test\.ts$/.test(name));
const sources = tests.map((name) => readFileSync(join(ROOT, "test/git", name), "utf8")).join("\n");

it("every row of the hand-off table has a test of its name, and each name once", () => {
  expect(ROWS.length).toBeGreaterThan(70);
  const named = [...sources.matchAll(/test\(row\("([a-z-]+)"\)/g)].map(([, id]) => id as string);
  expect(named.sort()).toEqual(ROWS.map(({ id }) => id).sort());
});

it("every message that the table shows is compared with what is said", () => {
  const compared = new Set([...sources.matchAll(/(?:refusalOf|untouched)\("([a-z-]+)"/g)].map(([, id]) => id));
  const shown = ROWS.filter(({ refusal }) => refusal !== undefined);
  expect(shown.filter(({ id }) => !compared.has(id)).map(({ id }) => id)).toEqual([]);
});
