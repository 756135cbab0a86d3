import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { attemptId, feedEventId, manualEventId, shortenId } from "../../domain/ids.ts";

test("ids say what they are", () => {
  expect(feedEventId("codex", "tag:github.com,2008:1/v1", "upstream.release")).toBe(
    "patch:codex:tag:github.com,2008:1/v1:upstream.release",
  );
  expect(manualEventId("codex", "v1", "upstream.release")).toBe("patch:manual:codex:v1:upstream.release");
  expect(attemptId("codex", "v1", 2)).toBe("maintain-release/codex/v1/2");
});

test("a long id is shortened to 200 characters, told apart by the hash of all of it", () => {
  const [one, two] = ["x".repeat(300), `${"x".repeat(299)}y`];
  expect(shortenId(one).length).toBe(200);
  expect(shortenId(one)).not.toBe(shortenId(two));
  expect(shortenId(one).endsWith(createHash("sha256").update(one).digest("hex").slice(0, 16))).toBe(true);
  expect(attemptId("codex", one, 12).endsWith("/12")).toBe(true);
});
