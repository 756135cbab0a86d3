/** Stacks with merges, and the way to merge that old gits need. */

import type { Figure } from "../figure.ts";
import type { Grounds } from "../grounds.ts";
import { interleave } from "../interleave.ts";
import { byEngine, byRebase } from "../sides.ts";
import { REBASING, USUAL } from "./carry.ts";

export async function* merges(grounds: Grounds): AsyncGenerator<Figure> {
  const shape = grounds.shape({ ...USUAL, patches: 300, merges: 85 });
  const place = await grounds.place(shape);
  const sides = { engine: byEngine(place), rebase: byRebase(place, "--rebase-merges") };
  const { engine, rebase } = await interleave(sides, grounds.fewRuns);
  yield {
    measure: `${shape.patches} commits with ${shape.merges} merges ÷ worktree add + rebase --rebase-merges + remove, in memory`,
    as: "times",
    goal: grounds.goal(2.5),
    ours: engine,
    theirs: rebase,
    notes: "same tip",
  };
}

/** The way of old gits, asked for by its name: it works with every git. */
export async function* fallback(grounds: Grounds): AsyncGenerator<Figure> {
  for (const files of [500, USUAL.files, 100_000]) {
    const shape = grounds.shape({ ...USUAL, files });
    const place = await grounds.place(shape, "memory", { merging: "checkout" });
    const sides = { engine: byEngine(place), rebase: byRebase(place) };
    const { engine, rebase } = await interleave(sides, grounds.fewRuns);
    yield {
      measure: `${shape.patches} patches on ${shape.files} files, the way for git before 2.38 ÷ ${REBASING}, in memory`,
      as: "share",
      goal: 1.2,
      ours: engine,
      theirs: rebase,
    };
  }
}
