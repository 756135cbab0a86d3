/** A whole maintenance, from the request to the pushed candidate, ÷ a script that takes the same git steps. */

import type { Counted, Figure } from "../figure.ts";
import type { Shape } from "../generate/repositories.ts";
import type { Grounds } from "../grounds.ts";
import { interleave, type Seconds, type Side } from "../interleave.ts";
import { byMerging, byRebasing, type InMemory } from "../maintenance/by-script.ts";
import { type RunningService, startService } from "../maintenance/by-service.ts";
import { type Releases, serveReleases } from "../maintenance/releases.ts";

export async function* maintenance(grounds: Grounds): AsyncGenerator<Figure | Counted> {
  const shape = grounds.shape({ files: 8_000, patches: 20 });
  const inMemory = fastest(grounds);
  const counts: number[] = [];
  yield* await withService(grounds, shape, async (service, releases) => {
    const sides: Record<string, Side> = { service, rebase: byRebasing(releases, "rebased") };
    if (inMemory) sides.inMemory = byMerging(releases, "merged", inMemory);
    const seconds = await interleave(sides, grounds.wish.runs);
    counts.push(...(await service.events()));
    return figures(shape, seconds, inMemory);
  });
  const longer = grounds.shape({ files: 8_000, patches: 200 });
  await withService(grounds, longer, async (service) => {
    await interleave({ service }, 0);
    counts.push(...(await service.events()));
  });
  const stacks = `${shape.patches} patches at each release, and ${longer.patches} at one`;
  yield { measure: `events in the history of an attempt, ${stacks}`, most: 60, counts };
}

/** Which way a script can merge without a checkout. */
function fastest(grounds: Grounds): InMemory | undefined {
  if (grounds.atLeast("2.45")) return "replay";
  return grounds.atLeast("2.38") ? "merge-tree" : undefined;
}

async function withService<T>(
  grounds: Grounds,
  shape: Shape,
  work: (service: RunningService, releases: Releases) => Promise<T>,
): Promise<T> {
  const forks = ["served", "rebased", "merged"];
  const pair = await grounds.pair(shape);
  const releases = await serveReleases(grounds.directory("disk"), pair, forks, grounds.wish.runs);
  try {
    const service = await startService(releases, "served");
    try {
      return await work(service, releases);
    } finally {
      await service.stop();
    }
  } finally {
    await releases.server.close();
  }
}

function figures({ patches, files }: Shape, seconds: Seconds<string>, inMemory: InMemory | undefined): Figure[] {
  const { service = [], rebase = [] } = seconds;
  const plain: Figure = {
    measure: `a whole maintenance of ${patches} patches on ${files} files, without a build, on disk ÷ a plain script`,
    as: "share",
    goal: 1.1,
    ours: service,
    theirs: rebase,
    notes: "fetch, worktree, rebase, range-diff, push; over HTTP",
  };
  if (!seconds.inMemory) return [plain];
  const notes = `fetch, ${inMemory}, range-diff, push; over HTTP`;
  return [
    plain,
    { ...plain, measure: "the same ÷ the fastest plain script", goal: undefined, theirs: seconds.inMemory, notes },
  ];
}
