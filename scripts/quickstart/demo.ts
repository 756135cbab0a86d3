import { join } from "node:path";
import type { MaintenanceAttempt } from "../../domain/attempt.ts";
import type { DemoWish } from "./arguments.ts";
import { workByHand } from "./by-hand.ts";
import type { SourceStatus } from "./client.ts";
import { git } from "./git.ts";
import { startGitServer } from "./git-server.ts";
import { RESOLUTION } from "./notch.ts";
import { startReleaseFeed } from "./release-feed.ts";
import { makeRepositories, type UpstreamRelease } from "./repositories.ts";
import type { Scope } from "./scope.ts";
import { type LocalService, startService } from "./service.ts";
import { Surprise } from "./surprise.ts";
import { fixLines, ledgerLines, refLines, short, Teller, workflowUrl } from "./tell.ts";
import { refsOf, verify } from "./verify.ts";

const FORK = "acme-notch";
const SOURCE = "notch-releases";
const candidateTag = (tag: string) => `${tag}-acme`;
const PATIENCE_SECONDS = 120;

export interface DemoOptions extends DemoWish {
  directory: string;
  logPath: string;
  scope: Scope;
}

/** The main job, from nothing: a release that becomes a candidate, and one that needs a person. */
export async function demo({ auto, directory, logPath, scope }: DemoOptions): Promise<void> {
  const started = Date.now();
  const tell = new Teller();
  const world = await makeWorld(directory, scope, tell);

  tell.step("Starts patch.moi, with a Temporal server of its own");
  const progress = (line: string) => tell.line(line);
  const service = await startService({ directory, config: configOf(world), logPath, scope, progress });
  await service.api.until("the feed to be read for the first time", PATIENCE_SECONDS, () => primed(service));
  tell.lines([`API              ${service.api.url}`, `Temporal Web UI  ${service.uiUrl}`]);
  tell.done("ready; what the feed has so far is remembered, not taken");

  await carryClean(world, service, tell);
  const stopped = await stopAtConflict(world, service, tell);
  if (!auto) return await invite(stopped, world, service, scope, tell);

  await fixAndResume(stopped, world, service, directory, scope, tell);
  console.log(`\nAll as it should be, in ${((Date.now() - started) / 1000).toFixed(1)} s.`);
}

type World = Awaited<ReturnType<typeof makeWorld>>;

async function makeWorld(directory: string, scope: Scope, tell: Teller) {
  tell.step("Makes an upstream, a fork of it with three patches, and serves both and a release feed");
  const repositories = await makeRepositories(directory);
  const server = await startGitServer({ root: repositories.root });
  scope.add(() => server.close());
  const feed = await startReleaseFeed();
  scope.add(() => feed.close());
  feed.publish({ tag: "v1.0.0", title: "Notch 1.0", updated: new Date("2026-01-12T09:30:00Z") });
  const [upstreamUrl, forkUrl] = [`${server.url}/${repositories.upstream}`, `${server.url}/${repositories.fork}`];
  const patchTip = (await refsOf(forkUrl)).get(`refs/heads/${repositories.patchBranch}`);
  if (!patchTip) throw new Surprise(`${forkUrl} has no branch ${repositories.patchBranch}`);
  tell.lines([`upstream  ${upstreamUrl}  (v1.0.0)`, `feed      ${feed.url}`, `fork      ${forkUrl}`]);
  tell.line(`          branch ${repositories.patchBranch}, on v1.0.0:`);
  tell.lines(repositories.patches.map((subject, index) => `            ${index + 1}. ${subject}`));
  return { repositories, feed, upstreamUrl, forkUrl, patchTip };
}

function configOf({ repositories, feed, upstreamUrl, forkUrl }: World) {
  return {
    sources: [
      {
        id: SOURCE,
        provider: "github" as const,
        url: feed.url,
        event: "release" as const,
        repo: { owner: "notch", name: "notch", fullName: "notch/notch", webUrl: feed.webUrl },
        target: { mode: "workspace_flow" as const, eventType: "upstream.release", fork: FORK },
      },
    ],
    forks: [
      {
        id: FORK,
        upstream: { url: upstreamUrl },
        fork: { url: forkUrl },
        patchBranch: repositories.patchBranch,
        build: { commands: ["sh check.sh"] },
        candidate: { tag: candidateTag("{tag}") },
      },
    ],
  };
}

async function primed({ api }: LocalService): Promise<true | undefined> {
  const { sources } = await api.get<{ sources: SourceStatus[] }>("/feed-sources");
  return sources.every(({ lastCheckedAt, error }) => lastCheckedAt && !error) || undefined;
}

/** As upstream does it: the tag first, then the feed. The poll is ours, so that nobody has to wait for its interval. */
async function publish(release: UpstreamRelease, { feed }: World, { api }: LocalService): Promise<MaintenanceAttempt> {
  feed.publish({ ...release, updated: release.date });
  await api.post(`/feed-sources/${SOURCE}/poll`);
  return await api.attemptFor(release.tag, PATIENCE_SECONDS);
}

async function carryClean(world: World, service: LocalService, tell: Teller): Promise<void> {
  tell.step('Upstream publishes v1.1.0, "Notch 1.1: counting", which took one of the patches');
  const { id } = await publish(await world.repositories.publishClean(), world, service);
  const attempt = await service.api.attemptAt(id, "changed", PATIENCE_SECONDS);
  tell.lines(ledgerLines(attempt.ledger));
  const outcomes = attempt.ledger?.map(({ outcome }) => outcome).join();
  if (outcomes !== "applied,dropped,applied") throw new Surprise(`the ledger says ${outcomes}`);
  await showPushed(attempt, world, tell);
  tell.line(workflowUrl(service, id));
  tell.done("carried, built and pushed");
}

async function showPushed(attempt: MaintenanceAttempt, { forkUrl }: World, tell: Teller): Promise<void> {
  const refs = await refsOf(forkUrl);
  for (const { ref, sha } of attempt.candidateRefs) {
    if (sha && ![refs.get(ref), refs.get(`${ref}^{}`)].includes(sha)) {
      throw new Surprise(`${ref} of the fork should be ${sha} and is ${refs.get(ref)}`);
    }
  }
  tell.line("on the fork, by `git ls-remote`:");
  tell.lines(refLines(attempt.candidateRefs).map((line) => `  ${line}`));
}

async function stopAtConflict(world: World, service: LocalService, tell: Teller): Promise<MaintenanceAttempt> {
  tell.step('Upstream publishes v1.2.0, "Notch 1.2: numbers", which rewrote a line that a patch changes');
  const { id } = await publish(await world.repositories.publishConflicting(), world, service);
  const attempt = await service.api.attemptAt(id, "needs_intervention", PATIENCE_SECONDS);
  tell.lines(ledgerLines(attempt.ledger));
  tell.line(attempt.intervention?.message ?? "");
  tell.done("stopped; nothing but the progress was pushed");
  tell.step("What a person does now");
  tell.lines(fixLines(attempt, world.forkUrl, service));
  return attempt;
}

/** Stays up, and tells what comes of the person's fix. */
async function invite(
  { id, ...before }: MaintenanceAttempt,
  world: World,
  { api }: LocalService,
  { signal }: Scope,
  tell: Teller,
): Promise<void> {
  tell.lines(["", `(A right ${RESOLUTION.path} would print '- %d %s\\n' with both "$number" and "$note".)`]);
  console.log("\nIt waits for you. Ctrl-C ends everything.");
  let told = before.intervention?.message;
  while (!signal.aborted) {
    await new Promise((resolve) => setTimeout(resolve, 500));
    const attempt = await api.attempt(id);
    const message = attempt.intervention?.message ?? attempt.message;
    if (attempt.status === "started" || message === told) continue;
    told = message;
    tell.line(`\n${attempt.status}: ${message}`);
    if (attempt.status !== "changed") continue;
    tell.lines(ledgerLines(attempt.ledger));
    await showPushed(attempt, world, tell);
    console.log("\nThat was all. It stays up for you to look around; Ctrl-C ends everything.");
  }
}

async function fixAndResume(
  stopped: MaintenanceAttempt,
  world: World,
  { api }: LocalService,
  directory: string,
  { signal }: Scope,
  tell: Teller,
): Promise<void> {
  tell.step("Does it, with those commands, in a fresh clone");
  const clone = join(directory, "fix");
  await git(directory, ["clone", "--quiet", world.forkUrl, clone]);
  const commands = stopped.intervention?.commands ?? [];
  await workByHand({ clone, commands, fix: RESOLUTION, signal, tell: (line) => tell.line(line) });
  tell.line(`$ curl -X POST ${api.url}/maintenance-attempts/${encodeURIComponent(stopped.id)}/resume`);
  await api.post(`/maintenance-attempts/${encodeURIComponent(stopped.id)}/resume`, { by: "quickstart" });
  const attempt = await api.attemptAt(stopped.id, "changed", PATIENCE_SECONDS);
  tell.lines(ledgerLines(attempt.ledger));
  tell.done("resumed, built and pushed");

  tell.step("Verifies with git alone what is on the fork");
  const upstream = { tag: "v1.2.0", sha: attempt.upstreamSha ?? "" };
  const tip = (await refsOf(world.upstreamUrl)).get("refs/tags/v1.2.0^{}");
  if (tip !== upstream.sha) throw new Surprise(`the attempt took ${short(upstream.sha)} for v1.2.0, which is ${tip}`);
  const right = await verify(attempt, {
    forkUrl: world.forkUrl,
    directory,
    upstream,
    candidateTag: candidateTag("v1.2.0"),
    patchBranch: world.repositories.patchBranch,
    patchTip: world.patchTip,
    outcomes: ["applied", "dropped", "resolved"],
  });
  tell.lines(right);
}
