import { existsSync, readFileSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { parseConfig } from "../../domain/config.ts";
import { anchors, links, page, pages, ROOT } from "./markdown.ts";

const scripts = Object.keys(
  (JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as { scripts: Record<string, string> }).scripts,
);
const all = pages();

describe.each(all.map((each) => [each.path, each] as const))("%s", (path, found) => {
  it("links to what exists", () => {
    const broken = links(found).filter((target) => {
      if (/^https?:/.test(target)) return false;
      const [file = "", anchor] = target.split("#");
      const linked = file ? join(dirname(path), file) : path;
      if (!existsSync(join(ROOT, linked))) return true;
      return anchor !== undefined && !anchors(page(linked)).includes(anchor);
    });
    expect(broken).toEqual([]);
  });

  it("names commands that package.json has", () => {
    const named = [...found.text.matchAll(/\bnpm (?:run ([\w:-]+)|(test|start)\b)/g)].map(([, run, own]) => run ?? own);
    expect(named.filter((name) => !scripts.includes(name as string))).toEqual([]);
  });

  it("names files of the project that exist", () => {
    const paths = [
      ...found.code.matchAll(/(?:^|[\s`(])((?:docs|docker|test|scripts|domain|git|api|worker|workflows)\/[\w./-]+)/gm),
    ]
      .map(([, name]) => (name as string).replace(/[.,]$/, ""))
      // Made by the operator.
      .filter((name) => !/^docker\/(worker\.env|config\/feed-sources\.json)$/.test(name));
    expect(paths.filter((name) => !existsSync(join(ROOT, name)) && !existsSync(join(ROOT, `${name}.ts`)))).toEqual([]);
  });

  it("has JSON that parses, and configs that load", () => {
    for (const { language, text } of found.blocks) {
      if (language !== "json") continue;
      const value = JSON.parse(text) as Record<string, unknown>;
      if ("sources" in value || "forks" in value) expect(parseConfig(text)).toMatchObject({ ok: true });
    }
  });

  it("is short enough to be read", () => {
    expect(found.text.split("\n").length).toBeLessThanOrEqual(160);
  });
});

it("every page of docs/ is reached from docs/README.md", () => {
  const index = links(page("docs/README.md")).map((target) => join("docs", target));
  const found = all.map(({ path }) => path).filter((path) => path.startsWith("docs/") && path !== "docs/README.md");
  expect(found.filter((path) => !index.includes(path))).toEqual([]);
});

it("the README has what a newcomer needs", () => {
  const { text } = page("README.md");
  for (const needed of ["npm run quickstart", "npm test", "```mermaid", "## What it is not", "passed, 0 failed"])
    expect(text).toContain(needed);
});

it("the license is Apache 2.0, whole", () => {
  const license = readFileSync(join(ROOT, "LICENSE"), "utf8");
  for (const part of ["Version 2.0, January 2004", "9. Accepting Warranty", "Copyright 2026 the patch.moi authors"])
    expect(license).toContain(part);
  expect(statSync(join(ROOT, "LICENSE")).size).toBeGreaterThan(11_000);
});
