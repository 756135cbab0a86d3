import { describe, expect, test } from "vitest";
import { isOlderRelease, isPrerelease } from "../../domain/release.ts";
import { matchesTags } from "../../domain/tag-glob.ts";

describe("isPrerelease", () => {
  test.each([
    "v1.0.0-rc.1",
    "1.0.0-0",
    "1.0rc1",
    "1.0b2",
    "3.13.0a4",
    "v2.0-beta",
    "nightly",
    "nightly-2024-05-01",
    "2024.1-dev",
    "rust-v0.131.0-alpha.2",
    "@scope/h3@2.0.0-next.1",
    "5.0.0.M3",
    "5.0.0-SNAPSHOT",
    "canary",
    "v1.2.3-preview",
    "edge",
  ])("%s is one", (tag) => expect(isPrerelease(tag)).toBe(true));

  test.each([
    "v1.0.0",
    "1.0",
    "rust-v0.130.0",
    "5.3.0.RELEASE",
    "v1.0.0-ga",
    "v22.1.0-lts",
    "2024-05-01",
    "@scope/h3@1.0.0",
    "beta-tool-v1.2.0",
    "@acme/dev-server@3.1.0",
    "v1.2.3+build.7",
    "stable",
    "release/2.0",
    "abc123",
  ])("%s is none", (tag) => expect(isPrerelease(tag)).toBe(false));
});

describe("isOlderRelease", () => {
  test.each([
    ["v1.0.0", "v1.0.1"],
    ["v1.9.0", "v1.10.0"],
    ["1.9", "v1.10"],
    ["rust-v0.130.0", "rust-v0.131.0"],
    ["v1.0.0-rc.1", "v1.0.0"],
    ["v1.0.0-rc.2", "v1.0.0-rc.10"],
    ["v1.0.0-alpha", "v1.0.0-beta"],
    ["release-1.2", "release-1.2.1"],
    ["1.2.3.4", "1.2.3.5"],
    ["@scope/h3@1.9.0", "@scope/h3@1.10.0"],
    ["2024-05-01", "2024-06-01"],
    ["v1_8", "v1_9"],
  ])("%s is older than %s, and not the other way", (a, b) => {
    expect(isOlderRelease(a, b)).toBe(true);
    expect(isOlderRelease(b, a)).toBe(false);
  });

  test.each([
    ["v1.0", "v1.0.0"],
    ["v1.0.0", "1.0.0"],
    ["v1.0.0+a", "v1.0.0+b"],
  ])("%s and %s are equally old", (a, b) => {
    expect(isOlderRelease(a, b)).toBe(false);
    expect(isOlderRelease(b, a)).toBe(false);
  });

  test.each([
    ["cli-v1.0", "server-v2.0"],
    ["nightly", "v1.0"],
    ["31.0-jre", "31.0-android"],
    ["", ""],
  ])("%s and %s cannot be compared", (a, b) => expect(isOlderRelease(a, b)).toBeUndefined());
});

test("long hostile names are read quickly", () => {
  const started = Date.now();
  for (const tag of ["a-".repeat(50_000), "1.".repeat(50_000), `v${"1".repeat(50_000)}-`, "@/".repeat(50_000)]) {
    isPrerelease(tag);
    isOlderRelease(tag, `${tag}1`);
  }
  expect(Date.now() - started).toBeLessThan(1000);
});

test("matchesTags: the default takes every tag, patterns take what they say", () => {
  for (const tag of ["v1.0", "a/b/c", ".hidden", "@scope/x@1.0"]) expect(matchesTags("*", tag)).toBe(true);
  expect(matchesTags("rust-v*", "rust-v0.130.0")).toBe(true);
  expect(matchesTags("rust-v*", "v0.130.0")).toBe(false);
  expect(matchesTags("v{1,2}.*", "v2.4")).toBe(true);
  expect(matchesTags("v[0-9]*", "vnext")).toBe(false);
  expect(matchesTags("!*-jre", "31.0-jre")).toBe(false);
});
