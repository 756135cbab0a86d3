/** How a carry grows with the files of the project, and with the patches. */

import type { Figure } from "../figure.ts";
import type { Shape } from "../generate/repositories.ts";
import type { Grounds } from "../grounds.ts";
import { interleave, type Side } from "../interleave.ts";
import { byEngine, byRebase } from "../sides.ts";
import { AS_IN_WORKFLOW, REBASING, THE_SAME, USUAL } from "./carry.ts";

export async function* sizes(grounds: Grounds): AsyncGenerator<Figure> {
  const shapes = [USUAL.files, 100_000, 300_000].map((files) => grounds.shape({ ...USUAL, files }));
  const [few, some, many] = shapes as [Shape, Shape, Shape];
  const wanted = new Map([
    [some, 8],
    [many, 20],
  ]);
  for (const [shape, least] of wanted) {
    const place = await grounds.place(shape);
    const sides = { engine: byEngine(place), planned: byEngine(place, AS_IN_WORKFLOW), rebase: byRebase(place) };
    const { engine, planned, rebase } = await interleave(sides, grounds.fewRuns);
    const faster = { as: "times", goal: grounds.goal(least), theirs: rebase } as const;
    const measure = `carrying ${shape.patches} patches on ${shape.files} files ÷ ${REBASING}, in memory`;
    yield { measure, ours: engine, ...faster };
    yield { measure: THE_SAME, ours: planned, ...faster };
  }
  const measure = `carrying on ${many.files} files ÷ on ${few.files} files`;
  for (const options of [{}, AS_IN_WORKFLOW]) {
    const sides = { many: await blindly(grounds, many, options), few: await blindly(grounds, few, options) };
    const seconds = await interleave(sides, grounds.wish.runs);
    const names =
      options === AS_IN_WORKFLOW
        ? { measure: THE_SAME }
        : { measure, notes: "upstream and the fork work on the same 8000 files of them" };
    yield { ...names, as: "share", goal: 1.5, ours: seconds.many, theirs: seconds.few };
  }
}

export async function* patches(grounds: Grounds): AsyncGenerator<Figure> {
  const [half, whole] = [500, 1000].map((count) => grounds.shape({ ...USUAL, patches: count })) as [Shape, Shape];
  const place = await grounds.place(half);
  const { engine, rebase } = await interleave({ engine: byEngine(place), rebase: byRebase(place) }, grounds.fewRuns);
  yield {
    measure: `carrying ${half.patches} patches on ${half.files} files ÷ ${REBASING}, in memory`,
    as: "times",
    goal: grounds.goal(1.5, 4),
    ours: engine,
    theirs: rebase,
  };
  const sides = { whole: await blindly(grounds, whole), half: await blindly(grounds, half) };
  const seconds = await interleave(sides, grounds.fewRuns);
  yield {
    measure: `carrying ${whole.patches} patches ÷ ${half.patches} patches`,
    as: "share",
    goal: 2.3,
    ours: seconds.whole,
    theirs: seconds.half,
    notes: "2 where no step is quadratic",
  };
}

/** Two stacks do not come to the same tip. */
async function blindly(grounds: Grounds, shape: Shape, options = {}): Promise<Side> {
  const side = byEngine(await grounds.place(shape), options);
  return {
    ...side,
    async run(round) {
      await side.run(round);
      return "";
    },
  };
}
