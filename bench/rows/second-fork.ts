/** What one more fork of an upstream costs where the upstream is known already. */

import { lstatSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Figure } from "../figure.ts";
import type { Grounds } from "../grounds.ts";
import { interleave, type Side } from "../interleave.ts";
import { forgetSteps, type Place, warm } from "../place.ts";
import { runScript } from "../script.ts";

export async function* secondFork(grounds: Grounds): AsyncGenerator<Figure> {
  const shape = grounds.shape({ files: 100_000, patches: 37 });
  const place = await grounds.place(shape);
  const clone = join(grounds.directory(), "clone.git");
  const sides = { engine: planning(place), clone: cloning(place, clone) };
  const seconds = await interleave(sides, grounds.fewRuns);
  yield {
    measure: `reading and planning a second fork on a warm mirror ÷ cloning it, ${shape.files} files`,
    as: "share",
    goal: 0.05,
    ours: seconds.engine,
    theirs: seconds.clone,
    notes: "cloned by a `file:` URL, as from a server",
  };
  const engine = join(place.directory, "engine");
  forgetSteps(place);
  const before = megabytes(engine);
  await warm(place.git, place.recipe(1));
  await place.git.carry(place.recipe(1));
  yield {
    measure: "disk of a second fork, with what its carry leaves to the next step ÷ disk of its clone",
    as: "share",
    goal: 0.01,
    ours: [megabytes(engine) - before],
    theirs: [megabytes(clone)],
    unit: "MB",
  };
}

function planning(place: Place): Side {
  return {
    before: () => forgetSteps(place),
    async run(round) {
      await warm(place.git, place.recipe(round));
      return "";
    },
  };
}

function cloning({ fork, directory }: Place, to: string): Side {
  return {
    before: () => rmSync(to, { recursive: true, force: true }),
    run: () => runScript('git clone --quiet --bare "file://$FORK" "$TO"', directory, { FORK: fork, TO: to }),
  };
}

/** As the disk counts: in whole blocks. */
function megabytes(path: string): number {
  const { blocks } = lstatSync(path);
  const inside = lstatSync(path).isDirectory() ? readdirSync(path) : [];
  return inside.reduce((sum, name) => sum + megabytes(join(path, name)), (blocks * 512) / 1e6);
}
