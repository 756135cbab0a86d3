/** The same stack under other ids: whoever carries it knows nothing from the time before. */

import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { plainEnvironment, runGit } from "./git.ts";

export function variantBranch(variant: number): string {
  return `bench/variant-${variant}`;
}

/** Puts `count` copies of base..tip on branches of a bare repository, each with author dates a second later. Returns their tips. */
export function writeVariants(repository: string, base: string, tip: string, count: number): string[] {
  const ids = runGit(repository, ["rev-list", "--reverse", "--topo-order", tip, `^${base}`]).split("\n");
  const originals = readRaw(repository, ids);
  const directory = mkdtempSync(join(repository, "variants-"));
  const tips = Array.from({ length: count }, (_, variant) => {
    const copies = copyAll(ids, originals, variant);
    const paths = [...copies].map(([id, raw]) => {
      const path = join(directory, `${variant}-${id}`);
      writeFileSync(path, raw);
      return path;
    });
    const written = runGit(
      repository,
      ["hash-object", "-w", "-t", "commit", "--no-filters", "--stdin-paths"],
      paths.join("\n"),
    );
    const copy = written.split("\n").at(-1) as string;
    runGit(repository, ["update-ref", `refs/heads/${variantBranch(variant)}`, copy]);
    return copy;
  });
  rmSync(directory, { recursive: true });
  runGit(repository, ["repack", "-d", "-q"]);
  return tips;
}

function readRaw(repository: string, ids: string[]): Map<string, Buffer> {
  const output = execFileSync("git", ["cat-file", "--batch"], {
    cwd: repository,
    env: plainEnvironment(),
    input: `${ids.join("\n")}\n`,
    maxBuffer: 256 * 1024 * 1024,
  });
  const raws = new Map<string, Buffer>();
  let at = 0;
  for (const id of ids) {
    const end = output.indexOf(10, at);
    const size = Number(output.toString("latin1", at, end).split(" ")[2]);
    raws.set(id, output.subarray(end + 1, end + 1 + size));
    at = end + 1 + size + 1;
  }
  return raws;
}

/** New ids to raw commits, parents first. */
function copyAll(ids: string[], originals: Map<string, Buffer>, later: number): Map<string, Buffer> {
  const renamed = new Map<string, string>();
  const copies = new Map<string, Buffer>();
  for (const id of ids) {
    const [head = "", ...message] = (originals.get(id) as Buffer).toString("latin1").split("\n\n");
    const copied = head
      .replace(/^parent (\w+)$/gm, (_, parent: string) => `parent ${renamed.get(parent) ?? parent}`)
      .replace(/^(author .*> )(\d+)/m, (_, name: string, seconds: string) => `${name}${Number(seconds) + later + 1}`)
      .replace(/^gpgsig.*\n( .*\n)*/m, "");
    const raw = Buffer.from([copied, ...message].join("\n\n"), "latin1");
    const copy = createHash("sha1").update(`commit ${raw.length}\0`).update(raw).digest("hex");
    renamed.set(id, copy);
    copies.set(copy, raw);
  }
  return copies;
}
