/** A whole maintenance, from the request to the pushed candidate, ÷ a script that takes the same git steps. */

import type { Counted, Figure } from "../figure.ts";
import type { Shape } from "../generate/repositories.ts";
import type { Grounds } from "../grounds.ts";
import { interleave, type Seconds } from "../interleave.ts";
import { byRebasing, inMemory } from "../maintenance/by-script.ts";
import { type RunningService, startService } from "../maintenance/by-service.ts";
import { type Releases, serveReleases } from "../maintenance/releases.ts";

export async function* maintenance(grounds: Grounds): AsyncGenerator<Figure | Counted> {
  const shape = grounds.shape({ files: 8_000, patches: 20 });
  const counts: number[] = [];
  yield* await withService(grounds, shape, async (service, releases) => {
    const sides = {
      service,
      rebase: byRebasing(releases, "rebased"),
      memory: inMemory(releases, "merged", grounds.isNew()),
    };
    const seconds = await interleave(sides, grounds.wish.runs);
    counts.push(...(await service.events()));
    return figures(shape, seconds, grounds.isNew());
  });
  const longer = grounds.shape({ files: 8_000, patches: 200 });
  await withService(grounds, longer, async (service) => {
    await interleave({ service }, 0);
    counts.push(...(await service.events()));
  });
  const stacks = `${shape.patches} and ${longer.patches} patches`;
  yield { measure: `events in the history of an attempt, ${stacks}`, most: 60, counts };
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

function figures(
  { patches, files }: Shape,
  { service, rebase, memory }: Seconds<"service" | "rebase" | "memory">,
  isNew: boolean,
): Figure[] {
  return [
    {
      measure: `a whole maintenance of ${patches} patches on ${files} files, without a build, on disk ÷ a plain script`,
      goal: { most: 1.1 },
      ours: service,
      theirs: rebase,
      notes: "fetch, worktree, rebase, range-diff, push; over HTTP",
    },
    {
      measure: "the same ÷ the fastest plain script",
      ours: service,
      theirs: memory,
      notes: `fetch, ${isNew ? "replay" : "merge-tree and commit-tree for each patch"}, range-diff, push; over HTTP`,
    },
  ];
}
