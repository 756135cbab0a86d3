/** What the ledger's check and the range-diff take of a carry. */

import { join } from "node:path";
import { carryStack } from "../../git/carry/carry.ts";
import { rangeDiffIn } from "../../git/carry/range-diff.ts";
import { Engine } from "../../git/process/engine.ts";
import { fetchInputs, withRelease } from "../../git/repository/inputs.ts";
import type { Figure } from "../figure.ts";
import type { Grounds } from "../grounds.ts";
import { timed } from "../interleave.ts";
import { engineOptions, forgetSteps, type Place } from "../place.ts";

export async function* rangeDiff(grounds: Grounds): AsyncGenerator<Figure> {
  const shape = grounds.shape({ files: 8_000, patches: 200 });
  const place = await grounds.place(shape);
  const [whole, part]: [number[], number[]] = [[], []];
  for (let round = 0; round <= grounds.wish.runs; round++) {
    forgetSteps(place);
    const seconds = await timed(() => place.git.carry(place.recipe(round)));
    const ofThese = await afterCarrying(place, round);
    if (round === 0) continue;
    whole.push(seconds);
    part.push(ofThese);
  }
  yield {
    measure: `ledger and range-diff of ${shape.patches} patches ÷ the whole carry`,
    as: "share",
    goal: 0.1,
    ours: part,
    theirs: whole,
  };
}

/** Carries as the door does, up to where the ledger is checked and the range-diff made, and measures these. */
async function afterCarrying({ directory, recipe }: Place, round: number): Promise<number> {
  const engine = new Engine(engineOptions(join(directory, "engine")));
  return withRelease(engine, recipe(round), undefined, async (run) => {
    await fetchInputs(run, recipe(round));
    const pass = await carryStack(run, recipe(round));
    if (pass.kind !== "carried") throw new Error(`the engine did not carry: ${pass.subject} stopped it`);
    return timed(async () => {
      await pass.walk.ledger.complete(run, recipe(round).release, pass.tip);
      await rangeDiffIn(run, recipe(round), pass);
    });
  });
}
