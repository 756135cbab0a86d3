/** What is said to stay behind before a stack is carried. */

import { expect, test } from "vitest";
import { runGit } from "../support/repositories.ts";
import { lines, type Scene, scene } from "./scene.ts";

const note = (at: Scene, ref: string, commit: string) =>
  runGit(at.forkUrl, [
    "-c",
    "user.name=Ann",
    "-c",
    "user.email=a@e.org",
    "notes",
    `--ref=${ref}`,
    "add",
    "-m",
    "seen",
    commit,
  ]);

async function notCarried(at: Scene): Promise<string[]> {
  const found = await at.plan();
  if (found.kind !== "carry") throw new Error(`nothing to carry: ${JSON.stringify(found)}`);
  return found.warnings;
}

/** A stack of two patches on v1.0.0, and v2.0.0 to go to. */
function twoPatches() {
  const at = scene();
  at.upstream.commit("Upstream goes on", { files: { "b.txt": lines({ 2: "x" }) } });
  at.upstream.tag("v2.0.0");
  const patches = [15, 16].map((line) =>
    at.fork.commit(`Line ${line}`, { files: { "a.txt": lines({ [line]: "ours" }) } }),
  );
  at.publish();
  return { at, patches };
}

test("a stack without signatures and notes loses nothing", async () => {
  expect(await notCarried(twoPatches().at)).toEqual([]);
});

test("signatures are counted: of commits, and of tags that were merged", async () => {
  const { at } = twoPatches();
  const headers = ["gpgsig -----BEGIN", "gpgsig-sha256 -----BEGIN", "mergetag object 0000"];
  for (const [index, header] of headers.entries()) {
    const raw = at.fork.git("cat-file", "commit", "HEAD").replace(/^parent .*/m, `parent ${at.fork.head()}`);
    at.fork.write(
      "../raw",
      raw.replace("\n\n", `\n${header}\n -----END\n\nSigned ${index}\n\ngpgsig in the message\n`),
    );
    at.fork.git("reset", "-q", "--hard", at.fork.git("hash-object", "-t", "commit", "-w", "--literally", "../raw"));
    at.publish();
    const [count, are] = index === 0 ? ["1 commit", "is"] : [`${index + 1} commits`, "are"];
    const carried = index === 0 ? "one is" : "ones are";
    expect(await notCarried(at)).toEqual([
      `${count} of the stack ${are} signed; the carried ${carried} not: a signature holds for the original commit only`,
    ]);
  }
});

test("notes about commits of the stack are counted by their ref, with the command that copies one", async () => {
  const { at, patches } = twoPatches();
  const [one, two] = patches as [string, string];
  note(at, "commits", one);
  for (const patch of [one, two]) note(at, "review/ours", patch);
  note(at, "elsewhere", at.upstream.head("v1.0.0"));
  // Fanned out, as a notes tree is that has become large.
  const tree = runGit(at.forkUrl, ["rev-parse", "refs/notes/review/ours^{tree}"]);
  const blob = runGit(at.forkUrl, ["rev-parse", `${tree}:${two}`]);
  at.fork.git("fetch", "-q", at.forkUrl, "refs/notes/review/ours");
  at.fork.git("checkout", "-q", "--detach", "FETCH_HEAD");
  at.fork.git("rm", "-q", two);
  at.fork.git("update-index", "--add", "--cacheinfo", `100644,${blob},${two.slice(0, 2)}/${two.slice(2)}`);
  at.fork.git("commit", "-q", "-m", "Fan out");
  at.fork.git("push", "-q", at.forkUrl, "HEAD:refs/notes/review/ours");
  expect(await notCarried(at)).toEqual([
    "1 commit of the stack has a note in refs/notes/commits, which stays with the old commit; to copy it: git notes --ref=commits copy OLD NEW",
    "2 commits of the stack have notes in refs/notes/review/ours, which stay with the old commits; to copy one: git notes --ref=review/ours copy OLD NEW",
  ]);
});
