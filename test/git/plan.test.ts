import { expect, test } from "vitest";
import { carryAll, lines, scene } from "./scene.ts";

const reason = (text: string) => ({ reason: expect.stringContaining(text) });

test("a missing tag, a missing patch branch and a missing stackBase block and say what to do", async () => {
  const at = scene();
  at.fork.commit("One", { files: { "b.txt": lines({ 3: "one" }) } });
  at.publish();
  expect(await at.plan()).toMatchObject({ kind: "blocked", ...reason("has no refs/tags/v2.0.0") });
  at.upstream.commit("Theirs", { files: { "a.txt": lines({ 10: "theirs" }) } });
  at.upstream.tag("v2.0.0");
  at.publish();
  const remotes = { upstream: { url: at.upstreamUrl }, fork: { url: at.forkUrl }, target: at.target };
  expect(await at.git.plan({ ...remotes, patchBranch: "gone" })).toMatchObject({
    kind: "blocked",
    ...reason("has no branch gone"),
  });
  expect(await at.plan({ stackBase: "gone" })).toMatchObject({ kind: "blocked", ...reason("has no ref gone") });
});

test("merges in the stack block and are named", async () => {
  const at = scene();
  at.fork.commit("One", { files: { "b.txt": lines({ 3: "one" }) } });
  at.upstream.commit("Theirs", { files: { "a.txt": lines({ 10: "theirs" }) } });
  at.upstream.tag("v1.1.0");
  at.upstream.commit("More", { files: { "a.txt": lines({ 10: "theirs again" }) } });
  at.upstream.tag("v2.0.0");
  at.fork.git("fetch", "-q", "origin", "--tags");
  at.fork.git("merge", "-q", "--no-ff", "-m", "Merge v1.1.0", "v1.1.0");
  at.publish();
  expect(await at.plan()).toMatchObject({ kind: "blocked", ...reason('"Merge v1.1.0"') });
});

test("a branch without common history blocks; one without patches, or on the release already, has nothing to carry", async () => {
  const at = scene();
  at.upstream.commit("Theirs", { files: { "a.txt": lines({ 10: "theirs" }) } });
  at.upstream.tag("v2.0.0");
  at.publish();
  expect(await at.plan()).toMatchObject({ kind: "nothing", ...reason("holds no patches") });
  at.fork.git("fetch", "-q", "origin", "--tags");
  at.fork.git("reset", "-q", "--hard", "v2.0.0");
  at.fork.commit("One", { files: { "b.txt": lines({ 3: "one" }) } });
  at.publish();
  expect(await at.plan()).toMatchObject({ kind: "nothing", ...reason("already sits on v2.0.0") });
  at.fork.git("checkout", "-q", "--orphan", "fresh");
  at.fork.commit("Unrelated", { files: { "x.txt": "x\n" } });
  at.fork.git("branch", "-f", "patches");
  at.publish();
  expect(await at.plan()).toMatchObject({ kind: "blocked", ...reason("no history in common with upstream") });
});

test("patches that also stand on a side branch of upstream are not taken for upstream's own", async () => {
  const at = scene();
  at.fork.commit("Proposed upstream", { files: { "a.txt": lines({ 1: "proposed" }) } });
  at.fork.git("push", "-q", at.upstream.path, "HEAD:refs/heads/topic");
  at.fork.commit("Our own", { files: { "b.txt": lines({ 1: "own" }) } });
  at.fork.git("branch", "under", "v1.0.0");
  at.upstream.commit("More", { files: { "c.txt": lines({ 1: "more" }) } });
  at.upstream.tag("v2.0.0");
  at.publish();
  expect(await at.plan()).toMatchObject({ kind: "blocked", reason: expect.stringContaining("set stackBase") });
  expect(await at.plan({ stackBase: "under" })).toMatchObject({ kind: "carry", patches: 2 });
});

test("stackBase says what is under the stack where upstream does not tell", async () => {
  const at = scene();
  at.fork.commit("Vendor import that stays behind", { files: { "vendor.txt": "v\n" } });
  at.fork.git("branch", "vendor");
  at.fork.commit("One", { files: { "b.txt": lines({ 3: "one" }) } });
  at.upstream.commit("Theirs", { files: { "a.txt": lines({ 10: "theirs" }) } });
  at.upstream.tag("v2.0.0");
  const recipe = await at.recipe();
  expect(await at.plan()).toMatchObject({ kind: "carry", patches: 2, baseTag: "v1.0.0" });
  const found = await at.plan({ stackBase: "vendor" });
  expect(found).toMatchObject({ kind: "carry", patches: 1, base: at.fork.head("vendor"), baseTag: "v1.0.0" });
  const { ledger } = await carryAll(at, { ...recipe, base: at.fork.head("vendor") });
  expect(ledger.map(({ subject }) => subject)).toEqual(["One"]);
});

test("a pushed commit of a branch is a target of its own, also when the branch has moved on", async () => {
  const at = scene();
  at.fork.commit("One", { files: { "b.txt": lines({ 3: "one" }) } });
  const sha = at.upstream.commit("Theirs", { files: { "a.txt": lines({ 10: "theirs" }) } });
  at.upstream.commit("Later", { files: { "a.txt": lines({ 10: "later" }) } });
  at.publish();
  const target = { name: `main-${sha.slice(0, 12)}`, ref: "refs/heads/main", sha };
  expect(await at.plan({ target })).toMatchObject({ kind: "carry", release: sha });
});

test.each([
  "--upload-pack=touch pwned",
  "v1;touch$IFS$9pwned",
  "$(touch pwned)",
  "-x",
  "a'b\"c",
  "v1..v2",
  "v1:refs/heads/main",
  "ünïcode-✓",
])("the tag name %j is taken as a name or refused, and is never run", async (name) => {
  const at = scene();
  at.fork.commit("One", { files: { "b.txt": lines({ 3: "one" }) } });
  at.upstream.commit("Theirs", { files: { "a.txt": lines({ 10: "theirs" }) } });
  const isName = at.upstream.tries("update-ref", `refs/tags/${name}`, "HEAD");
  at.publish();
  const target = { name, ref: `refs/tags/${name}` };
  if (!isName)
    return expect(await at.plan({ target })).toMatchObject({ kind: "blocked", ...reason("not a valid git ref") });
  if (name.startsWith("-"))
    return expect(at.plan({ target }))
      .rejects.toThrow(/not a valid git ref/)
      .catch(() => undefined);
  const found = await at.plan({ target });
  expect(found).toMatchObject({ kind: "carry" });
  if (found.kind !== "carry") return;
  const recipe = {
    upstream: { url: at.upstreamUrl },
    fork: { url: at.forkUrl },
    target,
    patchBranch: "patches",
    ...found,
    decisions: [],
  };
  const { tip } = await carryAll(at, recipe);
  const push = await at.git.pushCandidate(recipe, { tip, branch: `c/${name}`, tag: `t/${name}`, message: name });
  expect(push).toMatchObject({ kind: "pushed" });
  expect(await at.git.pushHandOff(recipe, { progress: tip })).toMatchObject({ kind: "pushed" });
  await at.git.clearHandOff(recipe.fork, name, { places: true, decisions: [] });
});

test("listRefs peels tags and matches whole names only", async () => {
  const at = scene();
  at.upstream.git("branch", "refs/tags/v1.0.0");
  at.upstream.tag("v1.0.1-rc");
  at.publish();
  const remote = { url: at.upstreamUrl };
  expect(await at.git.listRefs(remote, ["refs/tags/v1.0.0"])).toEqual(
    new Map([["refs/tags/v1.0.0", at.upstream.head()]]),
  );
  expect([...(await at.git.listRefs(remote, ["refs/tags/v1.*", "refs/heads/main"])).keys()].sort()).toEqual([
    "refs/heads/main",
    "refs/tags/v1.0.0",
    "refs/tags/v1.0.1-rc",
  ]);
});
