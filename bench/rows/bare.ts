/** What the engine costs beside the git commands that it runs. */

import type { Figure } from "../figure.ts";
import type { Grounds } from "../grounds.ts";
import { interleave, type Side } from "../interleave.ts";
import type { Place } from "../place.ts";
import { recordCarry } from "../recording/record.ts";
import { type Script, writeScript } from "../recording/script.ts";
import { runScript } from "../script.ts";
import { byEngine } from "../sides.ts";
import { USUAL } from "./carry.ts";

export async function* bare(grounds: Grounds): AsyncGenerator<Figure> {
  const shape = grounds.shape(USUAL);
  yield compareWithCommands(grounds, await grounds.place(shape), `${shape.patches} patches on ${shape.files} files`);
}

export async function compareWithCommands({ wish }: Grounds, place: Place, what: string): Promise<Figure> {
  const recording = await recordCarry(place, wish.runs + 1);
  const script = writeScript(place, recording);
  const sides = { engine: carried(byEngine(place)), script: scripted(place, script) };
  const { engine, script: scriptSeconds } = await interleave(sides, wish.runs);
  return {
    measure: `carrying ${what} through the engine ÷ the same git commands from a shell script`,
    as: "share",
    goal: 1.3,
    ours: engine,
    theirs: scriptSeconds,
    notes: `${recording.commands.length} git processes; the script stores all commits with one more`,
  };
}

/** The script carries the one stack that was recorded, with other ids. */
function carried(side: Side): Side {
  return {
    ...side,
    async run(round) {
      await side.run(round);
      return "carried";
    },
  };
}

function scripted(place: Place, script: Script): Side {
  return {
    async run(round) {
      await runScript(`. '${script.path}'`, place.directory, {});
      if (round === 0) script.check();
      return "carried";
    },
  };
}
