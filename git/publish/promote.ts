/** Moves a channel's branch, its tag and the patch branch to a candidate, and never over somebody else's commit. */

import type { ChannelName } from "../../domain/attempt.ts";
import { Blocked, orBlocked, short } from "../blocked.ts";
import { carryAgain } from "../carry/carry.ts";
import type { Engine } from "../process/engine.ts";
import { checkCommitId, type Recipe } from "../recipe.ts";
import { withRelease } from "../repository/inputs.ts";
import { asBranch, channelMarker, checkRef } from "../repository/ref-names.ts";
import { type RemoteRef, readRemoteRefs } from "../repository/remote-refs.ts";
import type { RunRepository } from "../repository/run-repository.ts";
import { annotatedTag, freeSuffix } from "./candidate.ts";
import { type Move, type Push, type PushedRef, push, pushTwice } from "./push.ts";

export interface PromoteInput {
  channel: ChannelName;
  /** Without `refs/heads/`. */
  branch?: string;
  /** Without `refs/tags/`; annotated with `message`; never moved. */
  tag?: string;
  candidate: string;
  /** Also sets the patch branch to the candidate, if it still stands at the recipe's tip. */
  movePatchBranch: boolean;
  message: string;
}

export async function promote(
  engine: Engine,
  recipe: Recipe,
  input: PromoteInput,
  signal?: AbortSignal,
): Promise<Push> {
  checkCommitId(input.candidate);
  return orBlocked(() =>
    withRelease(
      engine,
      recipe,
      signal,
      (run) => pushTwice(() => new Promotion(run, recipe, input).push()),
      input.candidate,
    ),
  );
}

const MOST_NAMED = 5;

class Promotion {
  readonly #run: RunRepository;
  readonly #recipe: Recipe;
  readonly #input: PromoteInput;
  readonly #patchBranch: string;
  readonly #moves: Move[] = [];
  readonly #refs: PushedRef[] = [];

  constructor(run: RunRepository, recipe: Recipe, input: PromoteInput) {
    this.#run = run;
    this.#recipe = recipe;
    this.#input = input;
    this.#patchBranch = asBranch(recipe.patchBranch);
  }

  async push() {
    const { channel, branch, tag, movePatchBranch } = this.#input;
    const names = { branch: branch === undefined ? undefined : asBranch(branch), marker: channelMarker(channel) };
    const tagRef = tag === undefined ? undefined : `refs/tags/${tag}`;
    if (tagRef) checkRef(tagRef);
    const asked = ["refs/heads/*", names.marker, ...(tagRef ? [tagRef, `${tagRef}.*`] : [])];
    const seen = await readRemoteRefs(this.#run.engine, this.#recipe.fork, asked, this.#run.signal);
    await this.#gather(seen, names.branch);
    if (movePatchBranch) this.#movePatchBranch(seen.get(this.#patchBranch)?.sha);
    if (names.branch && !(movePatchBranch && names.branch === this.#patchBranch)) {
      await this.#moveChannel(names.branch, seen.get(names.branch)?.sha, seen.get(names.marker)?.sha);
    }
    if (tagRef) await this.#createTag(`${tagRef}${freeSuffix(seen, [tagRef], this.#input.candidate)}`, seen);
    if (names.branch)
      this.#moves.push({ ref: names.marker, from: seen.get(names.marker)?.sha, to: this.#input.candidate });
    return { refs: this.#refs, moved: await push(this.#run, this.#recipe.fork, this.#moves) };
  }

  /** Brings here what is pushed and compared: the candidate from any branch that is at it, else by carrying again. */
  async #gather(seen: Map<string, RemoteRef>, branch: string | undefined): Promise<void> {
    const { candidate } = this.#input;
    const holder = [...seen].find(([, { sha }]) => sha === candidate)?.[0];
    const wanted = new Set([holder, branch, this.#patchBranch].filter((ref) => ref !== undefined && seen.has(ref)));
    await this.#run.fetch(this.#recipe.fork, [...wanted] as string[]);
    await carryAgain(this.#run, this.#recipe, candidate);
  }

  #movePatchBranch(now: string | undefined): void {
    const { candidate } = this.#input;
    const { tip, patchBranch } = this.#recipe;
    if (now !== tip && now !== candidate) {
      const there = now ? `was moved from ${short(tip)} to ${short(now)}` : "was deleted";
      throw new Blocked(
        `${patchBranch} ${there} while this attempt ran: its new commits are not in the candidate; retry takes it afresh`,
      );
    }
    this.#moves.push({ ref: this.#patchBranch, from: now, to: candidate });
    this.#refs.push({ kind: "patch-branch", ref: this.#patchBranch, sha: candidate });
  }

  async #moveChannel(ref: string, now: string | undefined, marker: string | undefined): Promise<void> {
    const { candidate } = this.#input;
    if (now && now !== candidate && now !== marker) await this.#refuseLoss(ref, now);
    this.#moves.push({ ref, from: now, to: candidate });
    this.#refs.push({ kind: "channel", ref, sha: candidate });
  }

  /** What the branch holds must also be held by upstream, the release, the old stack or the candidate. */
  async #refuseLoss(ref: string, now: string): Promise<void> {
    const { release, tip } = this.#recipe;
    const held = [this.#input.candidate, release, ...((await this.#run.hasCommit(tip)) ? [tip] : [])];
    const args = ["log", `--max-count=${MOST_NAMED + 1}`, "--format=%H %s", now, "--not", ...held, "--alternate-refs"];
    const lines = (await this.#run.text(args)).split("\n").filter(Boolean);
    if (lines.length === 0) return;
    const named = lines
      .slice(0, MOST_NAMED)
      .map((line) => `${line.slice(0, 12)} "${line.slice(line.indexOf(" ") + 1)}"`);
    const more = lines.length > MOST_NAMED ? " and more" : "";
    const branch = ref.slice("refs/heads/".length);
    throw new Blocked(
      `${branch} holds commits that nobody else holds: ${named.join(", ")}${more}; put them on ${this.#recipe.patchBranch} if they are patches, or keep them on another branch and reset ${branch}, then retry`,
    );
  }

  /** Tags are never moved: another candidate for the same release gets the next number, as its branch did. */
  async #createTag(ref: string, seen: Map<string, RemoteRef>): Promise<void> {
    const { candidate, message } = this.#input;
    const there = seen.get(ref)?.sha;
    const to = there ?? (await annotatedTag(this.#run, this.#recipe, ref, candidate, message));
    this.#moves.push({ ref, from: there, to });
    this.#refs.push({ kind: "tag", ref, sha: candidate });
  }
}
