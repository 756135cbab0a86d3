/** Reads the project's Markdown: links, anchors, code spans and code blocks. */

import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";

export const ROOT = fileURLToPath(new URL("../../", import.meta.url));

export interface Page {
  /** Relative to the project. */
  path: string;
  text: string;
  /** Without code blocks. */
  prose: string;
  blocks: { language: string; text: string }[];
  /** Code spans and code blocks together: where names are meant to the letter. */
  code: string;
}

const SKIPPED = new Set(["node_modules", "dist", "data"]);

export function pages(directory = ROOT): Page[] {
  return readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) return SKIPPED.has(entry.name) || entry.name.startsWith(".") ? [] : pages(path);
    return entry.name.endsWith(".md") ? [page(relative(ROOT, path))] : [];
  });
}

export function page(path: string): Page {
  const text = readFileSync(join(ROOT, path), "utf8");
  const blocks: Page["blocks"] = [];
  const prose = text.replace(/^```(\w*)\n([\s\S]*?)^```$/gm, (_, language: string, block: string) => {
    blocks.push({ language, text: block });
    return "";
  });
  const spans = [...prose.matchAll(/`([^`\n]+)`/g)].map(([, span]) => span);
  return { path, text, prose, blocks, code: [...spans, ...blocks.map((block) => block.text)].join("\n") };
}

/** Targets of links, without code spans around them. */
export function links({ prose }: Page): string[] {
  return [...prose.replace(/`[^`\n]*`/g, "").matchAll(/\]\(([^)\s]+)\)/g)].map(([, target]) => target as string);
}

/** Anchors of headings, as forges make them. */
export function anchors({ prose }: Page): string[] {
  return [...prose.matchAll(/^#+ (.+)$/gm)].map(([, heading = ""]) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, "")
      .replaceAll(" ", "-"),
  );
}
