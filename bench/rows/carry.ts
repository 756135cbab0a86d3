/** Carrying a stack ÷ rebasing it in a worktree. */

import { execFileSync } from "node:child_process";
import type { Figure, Skipped } from "../figure.ts";
import type { Grounds } from "../grounds.ts";
import { interleave, type Side } from "../interleave.ts";
import { byEngine, byRebase, byReplay } from "../sides.ts";

export const USUAL = { files: 8_000, patches: 37 };
export const REBASING = "worktree add + rebase --onto + remove";
export const AS_IN_WORKFLOW = { afterPlan: true };
export const THE_SAME = "the same, with the stack fetched by the step before, as in the workflow";

export async function* memory(grounds: Grounds): AsyncGenerator<Figure | Skipped> {
  const shape = grounds.shape(USUAL);
  const carrying = `carrying ${shape.patches} patches on ${shape.files} files`;
  const place = await grounds.place(shape);
  const sides: Record<string, Side> = {
    engine: byEngine(place),
    planned: byEngine(place, AS_IN_WORKFLOW),
    rebase: byRebase(place),
  };
  if (grounds.atLeast("2.45")) sides.replay = byReplay(place);
  const seconds = await interleave(sides, grounds.wish.runs);
  const { engine = [], planned = [], rebase = [] } = seconds;
  const faster = { as: "times", goal: grounds.goal(3, 10), theirs: rebase } as const;
  yield { measure: `${carrying} ÷ ${REBASING}, in memory`, ours: engine, ...faster };
  yield { measure: THE_SAME, ours: planned, ...faster };
  if (!seconds.replay) {
    yield { measure: `${carrying} ÷ \`git replay\``, skipped: "needs git 2.45" };
    return;
  }
  const against = { as: "share", goal: 1.5, theirs: seconds.replay } as const;
  yield { measure: `${carrying} ÷ \`git replay\``, ours: engine, ...against };
  yield { measure: THE_SAME, ours: planned, ...against };
}

export async function* disk(grounds: Grounds): AsyncGenerator<Figure> {
  const shape = grounds.shape(USUAL);
  const place = await grounds.place(shape, "disk");
  const sides = {
    engine: synced(byEngine(place)),
    planned: synced(byEngine(place, AS_IN_WORKFLOW)),
    rebase: synced(byRebase(place)),
  };
  const { engine, planned, rebase } = await interleave(sides, grounds.wish.runs);
  const faster = { as: "times", goal: grounds.goal(10, 40), theirs: rebase } as const;
  const notes = `${fileSystem(grounds.wish.disk)}; \`sync\` before each, caches warm`;
  const measure = `carrying ${shape.patches} patches on ${shape.files} files ÷ ${REBASING}, on disk`;
  yield { measure, ours: engine, ...faster, notes };
  yield { measure: THE_SAME, ours: planned, ...faster };
}

function synced(side: Side): Side {
  return {
    ...side,
    async before(round) {
      await side.before?.(round);
      execFileSync("sync");
    },
  };
}

function fileSystem(directory: string): string {
  const [, line = ""] = execFileSync("df", ["-PT", directory], { encoding: "utf8" }).split("\n");
  return line.split(/\s+/)[1] ?? "unknown file system";
}
