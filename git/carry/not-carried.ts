/** What belongs to commits of the stack and does not come along, whatever becomes of them: said before anything is carried. */

import { shellWord } from "../../domain/hand-off.ts";
import type { Commit } from "../repository/commit-object.ts";
import type { RunRepository } from "../repository/run-repository.ts";

/** Fetched with the stack: a fork without notes pays nothing for it. */
export const NOTES = "refs/notes/*";
const FETCHED = "refs/remote/notes/";

/** A line each, for a person; none for most stacks. */
export async function notCarried(run: RunRepository, stack: Commit[]): Promise<string[]> {
  const signed = stack.filter((commit) => commit.signed).length;
  const notes = await notesOn(run, stack);
  return [...(signed > 0 ? [tellSigned(signed)] : []), ...notes.map(tellNotes)];
}

interface Notes {
  /** Without `refs/notes/`. */
  name: string;
  /** Commits of the stack that they are about. */
  count: number;
}

/** A notes tree has the ids of what it is about for paths, with a slash in them where it is large (git-notes(1), DISCUSSION). */
async function notesOn(run: RunRepository, stack: Commit[]): Promise<Notes[]> {
  const refs = (await run.text(["for-each-ref", "--format=%(refname)", "refs/remote"])).split("\n");
  const own = new Set(stack.map(({ id }) => id));
  const found: Notes[] = [];
  for (const ref of refs.filter((each) => each.startsWith(FETCHED))) {
    const paths = (await run.text(["ls-tree", "-r", "--name-only", "--full-tree", ref])).split("\n");
    const count = paths.filter((path) => own.has(path.replaceAll("/", ""))).length;
    if (count > 0) found.push({ name: ref.slice(FETCHED.length), count });
  }
  return found;
}

function tellSigned(count: number): string {
  const [stack, carried] =
    count === 1 ? ["1 commit of the stack is", "one is"] : [`${count} commits of the stack are`, "ones are"];
  return `${stack} signed; the carried ${carried} not: a signature holds for the original commit only`;
}

function tellNotes({ name, count }: Notes): string {
  const [have, stay, one] =
    count === 1
      ? ["1 commit of the stack has a note", "stays with the old commit", "it"]
      : [`${count} commits of the stack have notes`, "stay with the old commits", "one"];
  const command = `git notes --ref=${shellWord(name)} copy OLD NEW`;
  return `${have} in refs/notes/${name}, which ${stay}; to copy ${one}: ${command}`;
}
