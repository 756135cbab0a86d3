/** What a maintainer without this project would run, in a clone that is kept from one release to the next. */

import { join } from "node:path";
import { runGit } from "../git.ts";
import type { Side } from "../interleave.ts";
import { runScript } from "../script.ts";
import { replayFlags } from "../sides.ts";
import { PATCH_BRANCH, type Releases } from "./releases.ts";

const FETCH = `
set -e
git fetch --quiet upstream "refs/tags/$TAG:refs/tags/$TAG"
git fetch --quiet origin "+refs/heads/$BRANCH:refs/heads/$BRANCH"
tip=$(git rev-parse "refs/heads/$BRANCH")
base=$(git merge-base "$tip" "refs/tags/$TAG")
`;

const REBASE = `
git worktree add --quiet --detach "$WORK" "$tip"
git -C "$WORK" rebase --quiet --onto "refs/tags/$TAG" "$base"
new=$(git -C "$WORK" rev-parse HEAD)
git worktree remove --force "$WORK"
`;

/** Before 2.40 the base of a merge is what history says, so that ours is given a history. */
const MERGES = `
export GIT_AUTHOR_NAME="$GIT_COMMITTER_NAME" GIT_AUTHOR_EMAIL="$GIT_COMMITTER_EMAIL"
new=$(git rev-parse "refs/tags/$TAG^{commit}")
tree=$(git rev-parse "$new^{tree}")
for patch in $(git rev-list --reverse "$base..$tip"); do
  ours=$(git commit-tree -p "$patch^" -m ours "$tree")
  tree=$(git merge-tree --write-tree "$ours" "$patch")
  eval "$(git log -1 --date=raw --format="export GIT_AUTHOR_NAME='%an' GIT_AUTHOR_EMAIL='%ae' GIT_AUTHOR_DATE='%ad'" "$patch")"
  new=$(git cat-file commit "$patch" | sed '1,/^$/d' | git commit-tree -p "$new" "$tree")
done
`;

const REPLAY = `
new=$(git replay $FLAGS --onto "refs/tags/$TAG" "$base..refs/heads/$BRANCH" | cut -d" " -f3)
`;

const PUSH = `
git range-diff "$base..$tip" "refs/tags/$TAG..$new" > "$WORK.txt"
git push --quiet --atomic --force-with-lease="refs/heads/$CANDIDATE:" origin "$new:refs/heads/$CANDIDATE"
echo "$new"
`;

/** A worktree, a rebase, a range-diff and a push. */
export function byRebasing(releases: Releases, fork: string): Side {
  return byScript(releases, fork, `${FETCH}${REBASE}${PUSH}`);
}

/** Ways to merge without a checkout: with git 2.38, and with git 2.45. */
export type InMemory = "merge-tree" | "replay";

/** The fastest that a few lines of shell can do. */
export function byMerging(releases: Releases, fork: string, inMemory: InMemory): Side {
  return byScript(releases, fork, `${FETCH}${inMemory === "replay" ? REPLAY : MERGES}${PUSH}`);
}

function byScript(releases: Releases, fork: string, script: string): Side {
  const { directory, server } = releases;
  const clone = join(directory, `${fork}-clone`);
  return {
    before(round) {
      releases.publish(round);
      if (round > 0) return;
      runGit(directory, ["clone", "--quiet", "--no-checkout", join(directory, `${fork}.git`), clone]);
      runGit(clone, ["remote", "set-url", "origin", `${server.url}/${fork}.git`]);
      runGit(clone, ["remote", "add", "upstream", `${server.url}/upstream.git`]);
    },
    run(round) {
      return runScript(script, clone, {
        ...releases.committer(round),
        FLAGS: replayFlags(),
        TAG: releases.tag(round),
        BRANCH: PATCH_BRANCH,
        CANDIDATE: `candidate/${releases.tag(round)}`,
        WORK: join(directory, `${fork}-worktree`),
      });
    },
  };
}
