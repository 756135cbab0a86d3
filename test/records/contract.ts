import { mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { MaintenanceAttempt } from "../../domain/attempt.ts";
import { attemptKey, dispatchKey, feedSignalKey } from "../../records/keys.ts";
import { InvalidCursor, type Records } from "../../records/records.ts";
import { at, attempt, dispatch, feedSignal, flowEvent } from "./samples.ts";

export interface RecordsStore {
  /** Opens the same records again, as another process would, or as after a restart. */
  open(): Promise<Records>;
  remove(): Promise<void>;
}

/** What every implementation of `Records` must hold. `makeStore` gives an empty one. */
export function recordsContract(name: string, makeStore: () => Promise<RecordsStore>): void {
  describe(`${name} keeps the records contract`, () => {
    let store: RecordsStore;
    let opened: Records[];
    const open = async () => {
      const records = await store.open();
      opened.push(records);
      return records;
    };
    beforeEach(async () => {
      store = await makeStore();
      opened = [];
    });
    afterEach(async () => {
      for (const records of opened) await records.close();
      await store.remove();
    });

    it("gives back the latest record of a key, also after a restart", async () => {
      const first = await open();
      await first.attempts.append(attempt(1));
      await first.attempts.append(attempt(1, { status: "changed", message: "naïve ✓\n" }));
      const expected = attempt(1, { status: "changed", message: "naïve ✓\n" });
      expect(await first.attempts.get(attemptKey(attempt(1)))).toEqual(expected);
      expect(await (await open()).attempts.get(attemptKey(attempt(1)))).toEqual(expected);
      expect(await first.attempts.get("maintain-release/none")).toBeUndefined();
    });

    it("keys feed signals by source and entry, dispatches by event and time", async () => {
      const records = await open();
      await records.feedSignals.append(feedSignal(1));
      await records.feedSignals.append(feedSignal(1, { title: "again" }));
      await records.feedSignals.append(feedSignal(1, { sourceId: "other" }));
      expect((await records.feedSignals.list()).items).toHaveLength(2);
      expect((await records.feedSignals.get(feedSignalKey(feedSignal(1))))?.title).toBe("again");
      await records.dispatches.append(dispatch(1));
      await records.dispatches.append(dispatch(1, { createdAt: at(2), operation: "retry" }));
      expect((await records.dispatches.list()).items.map(({ operation }) => operation)).toEqual(["retry", "dispatch"]);
      expect(await records.dispatches.get(dispatchKey(dispatch(1)))).toEqual(dispatch(1));
    });

    it("updates the latest record, or begins one, or leaves it", async () => {
      const { attempts } = await open();
      await attempts.update(attempt(1).id, (latest) => latest ?? attempt(1));
      await attempts.update(attempt(1).id, (latest) => latest && { ...latest, message: "on its way" });
      await attempts.update(attempt(1).id, () => undefined);
      await attempts.update(attempt(2).id, (latest) => latest && { ...latest, message: "never" });
      expect((await attempts.list()).items).toEqual([attempt(1, { message: "on its way" })]);
    });

    it("loses no update of several at once, by one opener or by two", async () => {
      const [one, other] = [await open(), await open()];
      await one.attempts.append(attempt(1));
      const warn = (warning: string) => (latest: MaintenanceAttempt | undefined) =>
        latest && { ...latest, warnings: [...(latest.warnings ?? []), warning] };
      const wanted = Array.from({ length: 20 }, (_, n) => `warning ${n}`);
      await Promise.all(wanted.map((each, n) => (n % 2 ? one : other).attempts.update(attempt(1).id, warn(each))));
      for (const { attempts } of [one, other]) {
        expect((await attempts.get(attempt(1).id))?.warnings?.toSorted()).toEqual(wanted.toSorted());
      }
    });

    it("goes on after an update that fails, and lets none change its key", async () => {
      const { attempts } = await open();
      await attempts.append(attempt(1));
      const failing = attempts.update(attempt(1).id, () => {
        throw new RangeError("on purpose");
      });
      await expect(failing).rejects.toThrow(/on purpose/);
      await expect(attempts.update(attempt(1).id, () => attempt(2))).rejects.toThrow(/may not change its key/);
      await attempts.update(attempt(1).id, (latest) => latest && { ...latest, status: "failed" });
      expect((await attempts.list()).items).toEqual([attempt(1, { status: "failed" })]);
    });

    it("refuses a record that lacks its key", async () => {
      const records = await open();
      await expect(records.flowEvents.append({ ...flowEvent(1), id: "" })).rejects.toThrow(/lacks its key/);
      expect((await records.flowEvents.list()).items).toEqual([]);
    });

    it("hands out copies", async () => {
      const records = await open();
      await records.flowEvents.append(flowEvent(1));
      const event = await records.flowEvents.get(flowEvent(1).id);
      if (event) event.payload.tag = "changed";
      expect(await records.flowEvents.get(flowEvent(1).id)).toEqual(flowEvent(1));
    });

    it("lists newest first by first append, and an update does not move a record", async () => {
      const records = await open();
      for (const n of [1, 2, 3]) await records.attempts.append(attempt(n));
      await records.attempts.append(attempt(1, { status: "failed" }));
      const { items, nextCursor } = await records.attempts.list();
      expect(items.map(({ id, status }) => [id, status])).toEqual([
        ["maintain-release/tool/v3/1", "started"],
        ["maintain-release/tool/v2/1", "started"],
        ["maintain-release/tool/v1/1", "failed"],
      ]);
      expect(nextCursor).toBeUndefined();
      const failed = await records.attempts.list({ where: ({ status }) => status === "failed" });
      expect(failed.items.map(({ id }) => id)).toEqual(["maintain-release/tool/v1/1"]);
    });

    it("pages without a gap or a repetition while new records arrive", async () => {
      const records = await open();
      for (let n = 1; n <= 7; n++) await records.flowEvents.append(flowEvent(n));
      const seen: string[] = [];
      let cursor: string | undefined;
      let next = 8;
      do {
        const page = await records.flowEvents.list({ limit: 3, cursor });
        seen.push(...page.items.map(({ payload }) => String(payload.tag)));
        cursor = page.nextCursor;
        await records.flowEvents.append(flowEvent(next++));
      } while (cursor);
      expect(seen).toEqual(["v7", "v6", "v5", "v4", "v3", "v2", "v1"]);
    });

    it("gives a next cursor only where another record matches", async () => {
      const records = await open();
      for (let n = 1; n <= 4; n++) await records.flowEvents.append(flowEvent(n, { type: n < 3 ? "old" : "new" }));
      const where = ({ type }: { type: string }) => type === "new";
      expect((await records.flowEvents.list({ where, limit: 2 })).nextCursor).toBeUndefined();
      const page = await records.flowEvents.list({ where, limit: 1 });
      expect(page.nextCursor).toBeDefined();
      const last = await records.flowEvents.list({ where, limit: 1, cursor: page.nextCursor });
      expect(last.items).toEqual([flowEvent(3, { type: "new" })]);
      expect(last.nextCursor).toBeUndefined();
    });

    it("refuses foreign cursors and limits out of range", async () => {
      const records = await open();
      for (const n of [1, 2, 3]) await records.flowEvents.append(flowEvent(n));
      for (const n of [1, 2, 3]) await records.attempts.append(attempt(n));
      const { nextCursor } = await records.flowEvents.list({ limit: 1 });
      await expect(records.attempts.list({ cursor: nextCursor })).rejects.toThrow(InvalidCursor);
      for (const cursor of ["", "x", "🙂", `${nextCursor}A`, Buffer.from("flow-events:99").toString("base64url")]) {
        await expect(records.flowEvents.list({ cursor })).rejects.toThrow(InvalidCursor);
      }
      for (const limit of [0, 1001, 1.5, Number.NaN]) {
        await expect(records.flowEvents.list({ limit })).rejects.toThrow(RangeError);
      }
    });

    it("shows one opener's appends to another that is open already", async () => {
      const [one, two] = [await open(), await open()];
      await one.flowEvents.append(flowEvent(1));
      expect(await two.flowEvents.get(flowEvent(1).id)).toEqual(flowEvent(1));
      await two.flowEvents.append(flowEvent(2));
      const tags = async (records: Records) =>
        (await records.flowEvents.list()).items.map(({ payload }) => payload.tag);
      expect(await tags(one)).toEqual(["v2", "v1"]);
      expect(await tags(two)).toEqual(["v2", "v1"]);
    });

    it("takes many appends at once", async () => {
      const records = await open();
      await Promise.all(Array.from({ length: 200 }, (_, n) => records.flowEvents.append(flowEvent(n))));
      expect((await records.flowEvents.list({ limit: 1000 })).items).toHaveLength(200);
    });

    it("keeps one state a source, whoever writes at the same time", async () => {
      const [one, two] = [await open(), await open()];
      expect(await one.feedStates.get("a")).toBeUndefined();
      await Promise.all(
        Array.from({ length: 20 }, (_, n) =>
          (n % 2 ? one : two).feedStates.put({ sourceId: `s${n}`, seen: [`k${n}`], lastCheckedAt: at(n) }),
        ),
      );
      await one.feedStates.put({ sourceId: "s1", seen: ["newer"] });
      expect(await two.feedStates.get("s1")).toEqual({ sourceId: "s1", seen: ["newer"] });
      expect((await (await open()).feedStates.all()).map(({ sourceId }) => sourceId).sort()).toHaveLength(20);
    });

    describe("attachments", () => {
      const id = "maintain-release/tool/v1/1";
      let scratch: string;
      beforeEach(async () => {
        scratch = await mkdtemp(join(tmpdir(), "attachments-"));
      });
      afterEach(() => rm(scratch, { recursive: true }));

      it("are put, replaced, read, streamed and listed", async () => {
        const { attachments } = await open();
        expect(await attachments.list(id)).toEqual([]);
        expect(await attachments.get(id, "range-diff.txt")).toBeUndefined();
        expect(await attachments.open(id, "range-diff.txt")).toBeUndefined();
        await attachments.put(id, "range-diff.txt", "first");
        await attachments.put(id, "range-diff.txt", "1: a = 1: b ✓\n");
        await attachments.put(id, "artifact.dist%2Ftool", Buffer.from([0, 255]));
        await attachments.put(id, "empty", "");
        expect((await attachments.get(id, "range-diff.txt"))?.toString()).toBe("1: a = 1: b ✓\n");
        expect(await attachments.list(id)).toEqual([
          { name: "artifact.dist%2Ftool", bytes: 2 },
          { name: "empty", bytes: 0 },
          { name: "range-diff.txt", bytes: 16 },
        ]);
        const found = await (await open()).attachments.open(id, "artifact.dist%2Ftool");
        expect(found?.bytes).toBe(2);
        expect(found && (await buffer(found.stream))).toEqual(Buffer.from([0, 255]));
        const empty = await attachments.open(id, "empty");
        expect(empty && (await buffer(empty.stream)).length).toBe(0);
        expect(await attachments.list("maintain-release/tool/v1")).toEqual([]);
      });

      it("take names as long as file systems do", async () => {
        const { attachments } = await open();
        await attachments.put(id, "x".repeat(255), "long");
        expect((await attachments.get(id, "x".repeat(255)))?.toString()).toBe("long");
      });

      it("take a file in", async () => {
        const { attachments } = await open();
        await writeFile(join(scratch, "log"), "built\n");
        await attachments.putFile(id, "build.log", join(scratch, "log"));
        expect((await attachments.get(id, "build.log"))?.toString()).toBe("built\n");
      });

      it("take no link, directory or missing file in", async () => {
        const { attachments } = await open();
        await writeFile(join(scratch, "secret"), "secret");
        await symlink(join(scratch, "secret"), join(scratch, "link"));
        for (const path of [join(scratch, "link"), scratch, join(scratch, "missing")]) {
          await expect(attachments.putFile(id, "artifact.x", path)).rejects.toThrow(/not a regular file/);
        }
        expect(await attachments.list(id)).toEqual([]);
      });

      it("are kept apart for ids of any length and shape", async () => {
        const { attachments } = await open();
        const ids = ["..", "a/..", "ä".repeat(150), `${"ä".repeat(149)}b`, "x:y", "x%3Ay"];
        for (const each of ids) await attachments.put(each, "name", each);
        for (const each of ids) expect((await attachments.get(each, "name"))?.toString()).toBe(each);
      });

      it.each(["", ".", "..", "a/b", "../x", "a\\b", ".hidden", "nul\0", "x".repeat(256)])(
        "refuse the name %j",
        async (name) => {
          const { attachments } = await open();
          await expect(attachments.put(id, name, "x")).rejects.toThrow(RangeError);
          await expect(attachments.get(id, name)).rejects.toThrow(RangeError);
        },
      );
    });

    it("says that it can be written", async () => {
      await expect((await open()).checkWritable()).resolves.toBeUndefined();
    });
  });
}
