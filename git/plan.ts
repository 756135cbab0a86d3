/** Decides what there is to carry, before anything is done. */

import { Blocked, type BlockedOutcome, orBlocked, short } from "./blocked.ts";
import { NOTES, notCarried } from "./carry/not-carried.ts";
import { readStack, stackIds } from "./carry/stack.ts";
import type { Remote } from "./options.ts";
import type { Engine } from "./process/engine.ts";
import { publicUrl } from "./process/scrub.ts";
import { checkCommitId, type Target } from "./recipe.ts";
import { Mirror } from "./repository/mirror.ts";
import { asBranch, checkRef } from "./repository/ref-names.ts";
import { listRefs } from "./repository/remote-refs.ts";
import { RunRepository } from "./repository/run-repository.ts";

export interface PlanInput {
  upstream: Remote;
  fork: Remote;
  target: Target;
  patchBranch: string;
  /** A ref of the fork that stands under the stack, where upstream's refs alone do not tell. */
  stackBase?: string;
}

/** Shas are full. */
export type Plan =
  | {
      kind: "carry";
      release: string;
      tip: string;
      base: string;
      patches: number;
      /** The nearest upstream tag at or under base. */
      baseTag?: string;
      /** What a person should know before anything is carried, and what will not come along. */
      warnings: string[];
    }
  | { kind: "nothing"; reason: string; release: string; tip: string }
  | BlockedOutcome;

export async function plan(engine: Engine, input: PlanInput, signal?: AbortSignal): Promise<Plan> {
  if (input.target.sha) checkCommitId(input.target.sha);
  return orBlocked(async () => {
    checkRef(input.target.ref);
    checkRef(`refs/heads/${input.target.name}`);
    const mirror = new Mirror(engine, input.upstream);
    const release = await findRelease(engine, mirror, input, signal);
    const forkRefs = await findForkRefs(engine, input, signal);
    return RunRepository.with(engine, [mirror.objects], signal, async (run) => {
      if (!(await run.hasCommit(release))) {
        throw new Blocked(`${input.target.ref} of ${publicUrl(input.upstream.url)} does not stand for a commit`);
      }
      return planIn(run, mirror, input, release, forkRefs);
    });
  });
}

async function findRelease(engine: Engine, mirror: Mirror, input: PlanInput, signal?: AbortSignal): Promise<string> {
  const { target, upstream } = input;
  const listed = target.sha ?? (await listRefs(engine, upstream, [target.ref], signal)).get(target.ref);
  if (!listed) {
    throw new Blocked(
      `${publicUrl(upstream.url)} has no ${target.ref}: if it was published a moment ago retry, otherwise it was taken back and this attempt can be aborted`,
    );
  }
  // All of upstream's refs are needed anyway, fresh, to tell patches from upstream's own commits.
  await mirror.update(signal);
  if (await mirror.ensure(listed, signal)) return listed;
  throw new Blocked(`${publicUrl(upstream.url)} does not have the commit ${short(listed)} of ${target.ref} any more`);
}

interface ForkRefs {
  /** Full ref of stackBase. */
  stackBase?: string;
  /** Full ref to commit. Not read where stackBase says where the stack begins. */
  tags: [ref: string, commit: string][];
}

/** Makes sure that the fork has what is needed. */
async function findForkRefs(engine: Engine, input: PlanInput, signal?: AbortSignal): Promise<ForkRefs> {
  const branch = asBranch(input.patchBranch);
  const names = input.stackBase ? spellings(input.stackBase) : [];
  const asked = input.stackBase ? names : ["refs/tags/*"];
  const refs = await listRefs(engine, input.fork, [branch, ...asked], signal);
  const url = publicUrl(input.fork.url);
  if (!refs.has(branch)) {
    throw new Blocked(`${url} has no branch ${input.patchBranch}: push it there, or correct patchBranch`);
  }
  const found = names.find((name) => refs.has(name));
  if (input.stackBase && !found)
    throw new Blocked(`${url} has no ref ${input.stackBase}: push it, or correct stackBase`);
  return found ? { stackBase: found, tags: [] } : { tags: [...refs].filter(([ref]) => ref !== branch) };
}

function spellings(ref: string): string[] {
  const full = ref.startsWith("refs/") ? [ref] : [`refs/heads/${ref}`, `refs/tags/${ref}`];
  for (const each of full) checkRef(each);
  return full;
}

async function planIn(
  run: RunRepository,
  mirror: Mirror,
  input: PlanInput,
  release: string,
  { stackBase, tags }: ForkRefs,
): Promise<Plan> {
  const branch = asBranch(input.patchBranch);
  await run.fetch(input.fork, [...(stackBase && stackBase !== branch ? [branch, stackBase] : [branch]), NOTES]);
  const tip = await run.text(["rev-parse", "--verify", `refs/remote/${branch.slice(5)}^{commit}`]);
  const nothing = (reason: string): Plan => ({ kind: "nothing", reason, release, tip });
  if (await run.isAncestor(release, tip)) {
    return nothing(`the stack already sits on ${input.target.name} or on something later`);
  }
  const below = stackBase ? await mergeBase(run, tip, stackBase) : undefined;
  const ids = await stackIds(run, tip, below ? [below, release] : []);
  if (ids.length === 0) return nothing(`${input.patchBranch} holds no patches: upstream has all of its commits`);
  const { base, patches } = await readStack(run, ids, release);
  if (!below) {
    if (!(await run.text(["merge-base", base, release], { accept: [1] }))) throw new Blocked(noHistory(input));
    if (!(await isUpstreams(run, mirror, input, base, release))) throw new Blocked(unclearBase(input, base));
  }
  const baseTag = await nearestTag(run, mirror, base);
  run.keepAs(tip);
  const inside = tags.find(([ref, commit]) => commit !== tip && isReleaseTag(ref) && ids.includes(commit));
  const warnings = [...(inside ? [releaseInside(input, inside)] : []), ...(await notCarried(run, patches))];
  return { kind: "carry", release, tip, base, patches: ids.length, warnings, ...(baseTag ? { baseTag } : {}) };
}

/**
 * Whether the commit under the stack is surely upstream's own. One that stands on nothing but a side branch of upstream may as
 * well be a patch that was proposed there: counting it as upstream's would lose it without a word.
 */
async function isUpstreams(run: RunRepository, mirror: Mirror, input: PlanInput, base: string, release: string) {
  if (await run.isAncestor(base, release)) return true;
  const tags = ["for-each-ref", "--count=1", "--contains", base, "--format=%(refname)", "refs/tags"];
  const tagged = await run.engine.run(mirror.path, tags, { signal: run.signal });
  if (tagged.stdout.toString().trim()) return true;
  const head = (await listRefs(run.engine, input.upstream, ["HEAD"], run.signal)).get("HEAD");
  return head !== undefined && (await run.hasCommit(head)) && (await run.isAncestor(base, head));
}

function unclearBase({ patchBranch, upstream }: PlanInput, base: string): string {
  return `where the stack of ${patchBranch} begins is unclear: ${short(base)} under it is on a side branch of ${publicUrl(upstream.url)} only, so it may be upstream's or a patch of yours; set stackBase to a branch or tag of the fork that stands under the first patch, and retry`;
}

function noHistory({ patchBranch, target }: PlanInput): string {
  return `${patchBranch} and ${target.name} have no common history: check upstream.url; if upstream made its history anew, set stackBase to a branch or tag of the fork that stands under the first patch`;
}

/** Forks put something of their own behind the version. */
function isReleaseTag(ref: string): boolean {
  return /^refs\/tags\/\D*\d+(?:\.\d+)+$/.test(ref);
}

/** What upstream took out of its history would else be published as a patch, without a word. */
function releaseInside({ patchBranch }: PlanInput, [ref, commit]: [string, string]): string {
  const tag = ref.slice("refs/tags/".length);
  return `the fork's tag ${tag} stands in the middle of the stack of ${patchBranch} (${short(commit)}): if it was upstream's, and upstream made its history anew, set stackBase to ${tag}, or what upstream took out is carried as patches`;
}

async function mergeBase(run: RunRepository, tip: string, ref: string): Promise<string> {
  const base = await run.text(["merge-base", tip, `refs/remote/${ref.slice(5)}^{commit}`], { accept: [1] });
  if (base) return base;
  throw new Blocked("the patch branch and stackBase have no common history: correct stackBase");
}

/** Asked of the mirror, which alone has upstream's tags; a base that upstream does not have is followed down to one. */
async function nearestTag(run: RunRepository, mirror: Mirror, base: string): Promise<string | undefined> {
  const listing = await run.text(["rev-list", "--boundary", base, "--not", "--alternate-refs"]);
  const under =
    listing
      .split("\n")
      .findLast((line) => line.startsWith("-"))
      ?.slice(1) ?? base;
  const answer = await run.engine.run(mirror.path, ["describe", "--tags", "--abbrev=0", under], {
    signal: run.signal,
    accept: [128],
  });
  return answer.exitCode === 0 ? answer.stdout.toString().trim() : undefined;
}
