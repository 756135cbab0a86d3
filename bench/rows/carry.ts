/** Carrying a stack ÷ rebasing it in a worktree, at several sizes. */

import { execFileSync } from "node:child_process";
import type { Figure, Skipped } from "../figure.ts";
import type { Shape } from "../generate/repositories.ts";
import type { Grounds } from "../grounds.ts";
import { interleave, type Side } from "../interleave.ts";
import { byEngine, byRebase, byReplay } from "../sides.ts";

export const USUAL = { files: 8_000, patches: 37 };
const REBASING = "worktree add + rebase --onto + remove";

export async function* memory(grounds: Grounds): AsyncGenerator<Figure | Skipped> {
  const shape = grounds.shape(USUAL);
  const carrying = `carrying ${shape.patches} patches on ${shape.files} files`;
  const place = await grounds.place(shape);
  const sides: Record<string, Side> = {
    engine: byEngine(place),
    planned: byEngine(place, { afterPlan: true }),
    rebase: byRebase(place),
  };
  if (grounds.atLeast("2.45")) sides.replay = byReplay(place);
  const seconds = await interleave(sides, grounds.wish.runs);
  const { engine = [], planned = [], rebase = [] } = seconds;
  const faster = { as: "times", goal: grounds.goal(3, 10), theirs: rebase } as const;
  const asInWorkflow = "the same, with the stack fetched by the step before, as in the workflow";
  yield { measure: `${carrying} ÷ ${REBASING}, in memory`, ours: engine, ...faster };
  yield { measure: asInWorkflow, ours: planned, ...faster };
  if (!seconds.replay) {
    yield { measure: `${carrying} ÷ \`git replay\``, skipped: "needs git 2.45" };
    return;
  }
  const against = { as: "share", goal: 1.5, theirs: seconds.replay } as const;
  yield { measure: `${carrying} ÷ \`git replay\``, ours: engine, ...against };
  yield { measure: asInWorkflow, ours: planned, ...against };
}

export async function* disk(grounds: Grounds): AsyncGenerator<Figure> {
  const shape = grounds.shape(USUAL);
  const place = await grounds.place(shape, "disk");
  const sides = { engine: synced(byEngine(place)), rebase: synced(byRebase(place)) };
  const { engine, rebase } = await interleave(sides, grounds.wish.runs);
  yield {
    measure: `carrying ${shape.patches} patches on ${shape.files} files ÷ ${REBASING}, on disk`,
    as: "times",
    goal: grounds.goal(10, 40),
    ours: engine,
    theirs: rebase,
    notes: `${fileSystem(grounds.wish.disk)}; \`sync\` before each, caches warm`,
  };
}

export async function* sizes(grounds: Grounds): AsyncGenerator<Figure> {
  const [few, some, many] = [USUAL.files, 100_000, 300_000].map((files) => grounds.shape({ ...USUAL, files })) as [
    Shape,
    Shape,
    Shape,
  ];
  for (const [shape, least] of [
    [some, 8],
    [many, 20],
  ] as const) {
    const place = await grounds.place(shape);
    const { engine, rebase } = await interleave({ engine: byEngine(place), rebase: byRebase(place) }, grounds.fewRuns);
    const measure = `carrying ${shape.patches} patches on ${shape.files} files ÷ ${REBASING}, in memory`;
    yield { measure, as: "times", goal: grounds.goal(least), ours: engine, theirs: rebase };
  }
  const sides = { many: await blindly(grounds, many), few: await blindly(grounds, few) };
  const seconds = await interleave(sides, grounds.wish.runs);
  const measure = `carrying on ${many.files} files ÷ on ${few.files} files`;
  yield { measure, as: "share", goal: 1.5, ours: seconds.many, theirs: seconds.few };
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

function synced(side: Side): Side {
  return {
    ...side,
    async before(round) {
      await side.before?.(round);
      execFileSync("sync");
    },
  };
}

/** Two stacks do not come to the same tip. */
async function blindly(grounds: Grounds, shape: Shape): Promise<Side> {
  const side = byEngine(await grounds.place(shape));
  return {
    ...side,
    async run(round) {
      await side.run(round);
      return "";
    },
  };
}

function fileSystem(directory: string): string {
  const [, line = ""] = execFileSync("df", ["-PT", directory], { encoding: "utf8" }).split("\n");
  return line.split(/\s+/)[1] ?? "unknown file system";
}
