/** Reads what refs a remote has. */

import type { Remote } from "../options.ts";
import type { Engine } from "../process/engine.ts";

export interface RemoteRef {
  /** What the ref holds: for an annotated tag the tag object. Leases are taken on this. */
  sha: string;
  /** The commit that an annotated tag stands for. */
  peeled?: string;
}

/** Patterns are full refs, or globs of full refs in which `*` stands for anything, slashes too. */
export async function readRemoteRefs(
  engine: Engine,
  remote: Remote,
  patterns: string[],
  signal?: AbortSignal,
): Promise<Map<string, RemoteRef>> {
  const flags = ["heads", "tags"].filter((kind) => patterns.some((pattern) => pattern.startsWith(`refs/${kind}/`)));
  const everyKind = patterns.some((pattern) => !/^refs\/(heads|tags)\//.test(pattern));
  const wanted = patterns.flatMap((pattern) => [pattern, `${pattern}^{}`]);
  const { stdout } = await engine.runRemote(
    (await engine.home()).path,
    remote,
    "reading the refs of",
    (url) => ["ls-remote", "--quiet", ...(everyKind ? [] : flags.map((flag) => `--${flag}`)), "--", url, ...wanted],
    { signal },
  );
  const matches = patterns.map(asExpression);
  const refs = new Map<string, RemoteRef>();
  for (const line of stdout.toString("utf8").split("\n")) {
    const [sha, name] = line.split("\t");
    if (!sha || !name) continue;
    const ref = name.replace(/\^\{\}$/, "");
    // git matches the tails of names; only whole names count here.
    if (!matches.some((match) => match.test(ref))) continue;
    if (ref === name) refs.set(ref, { ...refs.get(ref), sha });
    else refs.set(ref, { sha: refs.get(ref)?.sha ?? sha, peeled: sha });
  }
  return refs;
}

/** Full ref to the commit it stands for. */
export async function listRefs(
  engine: Engine,
  remote: Remote,
  patterns: string[],
  signal?: AbortSignal,
): Promise<Map<string, string>> {
  const refs = await readRemoteRefs(engine, remote, patterns, signal);
  return new Map([...refs].map(([ref, { sha, peeled }]) => [ref, peeled ?? sha]));
}

function asExpression(pattern: string): RegExp {
  const source = pattern
    .replace(/[.+^${}()|[\]\\]/g, "\\$&")
    .replaceAll("*", ".*")
    .replaceAll("?", ".");
  return new RegExp(`^${source}$`);
}
