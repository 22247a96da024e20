import { createHash } from "node:crypto";
import { readdirSync } from "node:fs";
import { isFault, type FaultCode } from "@sluice/core/domain/fault";
import type { ObjectStore } from "@sluice/core/ports/object-store";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Bytes, chunks, collect, failing, hanging } from "./sources.ts";

/** One adapter under test: an empty store and what only the adapter's own side can tell. */
export interface StoreUnderTest {
  readonly store: ObjectStore;
  /** Unfinished puts' leftovers that exist now: temporary files, multipart uploads. */
  leftovers(): Promise<string[]>;
  /** Leaves what a killed process would: an unfinished put that nobody will finish. */
  abandon(): Promise<void>;
  /** Follows a link as its holder would, possibly with another method or a changed URL. Resolves to the status and the body. */
  follow(url: string, method?: string): Promise<{ status: number; body: Uint8Array; disposition: string | null }>;
  /** The URL with its key replaced. */
  withOtherKey(url: string, from: string, to: string): string;
  close(): Promise<void>;
}

const MIB = 1 << 20;

/** The promises of `ports/object-store.ts`, for any adapter. */
export function objectStoreContract(name: string, make: () => Promise<StoreUnderTest>): void {
  describe(`object store on ${name}`, () => {
    let under: StoreUnderTest;
    let store: ObjectStore;

    beforeAll(async () => {
      under = await make();
      store = under.store;
    });
    afterAll(() => under.close());

    it.each([0, 1, 10_240, 5 * MIB - 1, 5 * MIB, 5 * MIB + 1, 8 * MIB, 8 * MIB + 1])(
      "stores %i bytes with their size and SHA-256",
      async (size) => {
        const bytes = Bytes.random(size, size + 1);
        const key = `sizes/${size}`;
        expect(await store.put(key, chunks(bytes, 65_536))).toEqual({ bytes: size, sha256: sha256(bytes) });
        expect(await store.head(key)).toEqual({ bytes: size });
        expect(await collect(await store.get(key))).toEqual(bytes);
      },
    );

    it("stores 20 MiB that come in chunks of odd sizes, with and without a size hint", async () => {
      const bytes = Bytes.random(20 * MIB, 7);
      for (const options of [{}, { bytes: bytes.length }]) {
        const sizes = [1, 3, 0, 65_536, 17, 1_000_003, 4_096, 16_384, 16_383];
        expect(await store.put("odd", chunks(bytes, ...sizes), options)).toEqual({ bytes: bytes.length, sha256: sha256(bytes) });
        expect(sha256(await collect(await store.get("odd")))).toBe(sha256(bytes));
      }
    });

    it("stores a stream of single bytes", async () => {
      const bytes = Bytes.random(100_000, 9);
      expect((await store.put("single", chunks(bytes, 1))).sha256).toBe(sha256(bytes));
    });

    it.each([100, 12 * MIB])("a source that throws after %i bytes leaves nothing, and its error comes back as it is", async (size) => {
      const error = new TypeError("the client hung up");
      await expect(store.put("thrown", failing(Bytes.random(size, 1), error))).rejects.toBe(error);
      expect(await store.head("thrown")).toBeNull();
      expect(await under.leftovers()).toEqual([]);
    });

    it.each([100, 20 * MIB])("an abort after %i bytes leaves nothing, throws its reason at once and ends the source", async (size) => {
      const controller = new AbortController();
      const reason = new Error("enough");
      const source = hanging(Bytes.random(size, 2));
      const put = store.put("aborted", source, { signal: controller.signal });
      await source.hangs;
      controller.abort(reason);
      await expect(put).rejects.toBe(reason);
      expect(source.returned()).toBe(true);
      expect(await store.head("aborted")).toBeNull();
      expect(await under.leftovers()).toEqual([]);
    });

    it("an abort before the start does not read the source", async () => {
      const reason = new Error("too late");
      const source = hanging(new Uint8Array(1));
      await expect(store.put("never", source, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
      expect(source.started()).toBe(false);
    });

    it("a failed replacement keeps the old object", async () => {
      await store.put("kept", chunks(Buffer.from("old"), 1));
      await expect(store.put("kept", failing(Bytes.random(9 * MIB, 3), new Error("no")))).rejects.toThrow("no");
      expect(Buffer.from(await collect(await store.get("kept"))).toString()).toBe("old");
    });

    it("readers see the old object or the new one whole while it is replaced again and again", async () => {
      const versions = [1, 2, 3].map((seed) => Bytes.random(300_000 + seed, seed));
      const known = new Set(versions.map(sha256));
      await store.put("lake/current.json", chunks(versions[0]!, 65_536));
      const writing = { now: true };
      const writer = async (): Promise<void> => {
        for (let round = 0; round < 20; round++) await store.put("lake/current.json", chunks(versions[round % 3]!, 65_536));
        writing.now = false;
      };
      const reader = async (): Promise<void> => {
        while (writing.now) expect(known).toContain(sha256(await collect(await store.get("lake/current.json"))));
      };
      await Promise.all([writer(), reader(), reader()]);
    });

    it("reads ranges, clamped to the object", async () => {
      const bytes = Bytes.random(3 * MIB, 4);
      await store.put("ranges", chunks(bytes, 65_536));
      const read = async (start: number, end?: number): Promise<Uint8Array> =>
        collect(await store.get("ranges", end === undefined ? { start } : { start, end }));
      expect(await read(0, 1)).toEqual(bytes.subarray(0, 1));
      expect(await read(1_000, 2_000)).toEqual(bytes.subarray(1_000, 2_000));
      expect(await read(MIB, 3 * MIB)).toEqual(bytes.subarray(MIB));
      expect(await read(3 * MIB - 5)).toEqual(bytes.subarray(3 * MIB - 5));
      expect(await read(3 * MIB - 5, 4 * MIB)).toEqual(bytes.subarray(3 * MIB - 5));
      expect(await read(3 * MIB)).toEqual(new Uint8Array(0));
      expect(await read(9 * MIB, 10 * MIB)).toEqual(new Uint8Array(0));
      expect(await read(7, 7)).toEqual(new Uint8Array(0));
      await expect(store.get("ranges", { start: -1 })).rejects.toThrow(RangeError);
      await expect(store.get("ranges", { start: 2, end: 1 })).rejects.toThrow(RangeError);
    });

    it("says not_found for an object that is not there", async () => {
      await fault("not_found", store.get("no/such"));
      await fault("not_found", store.get("no/such", { start: 3, end: 3 }));
      await fault("not_found", store.copy("no/such", "no/copy"));
      expect(await store.head("no/such")).toBeNull();
      expect(await store.head("no/copy")).toBeNull();
      expect(await under.leftovers()).toEqual([]);
    });

    it("refuses keys that no store can hold as the bugs they are", async () => {
      for (const key of ["", "/a", "a/", "a//b", "../a", "a/../b", "a/.", "a\0b", "a\ud800", "é".repeat(600)]) {
        const put = store.put(key, chunks(new Uint8Array(1), 1));
        await expect(put, JSON.stringify(key)).rejects.toThrow(/object key/);
        await expect(put).rejects.not.toHaveProperty("code");
        await expect(store.head(key)).rejects.toThrow(/object key/);
        await expect(store.get(key)).rejects.toThrow(/object key/);
      }
    });

    it("keeps keys with spaces, unicode, percent signs, pluses and other odd characters apart", async () => {
      const names = [
        "a b",
        "a+b",
        "a%20b",
        "a%2Bb",
        "ü/ж/漢字 🙂",
        "%",
        "%2E%2E",
        ".hidden",
        "..x",
        "a\\b",
        "q?x=1&y#z",
        "'\"<>|*",
        "~!@$^(){}[];:,",
        "x".repeat(200),
        "é.".repeat(80),
      ];
      const keys = names.map((name) => `odd keys/${name}`);
      for (const key of keys) await store.put(key, chunks(Buffer.from(key), 5));
      for (const key of keys) expect(Buffer.from(await collect(await store.get(key))).toString()).toBe(key);
      const listed = await Array.fromAsync(store.list("odd keys/"), ({ key, bytes }) => `${bytes} ${key}`);
      expect(listed.sort()).toEqual(keys.map((key) => `${Buffer.byteLength(key)} ${key}`).sort());
      await store.remove(keys);
      expect(await Array.fromAsync(store.list("odd keys/"))).toEqual([]);
    });

    it("copies, replacing what was there, and the copy outlives the original", async () => {
      const bytes = Bytes.random(100_000, 5);
      await store.put("from/a b+%é", chunks(bytes, 65_536));
      await store.put("to/x", chunks(Buffer.from("old"), 3));
      await store.copy("from/a b+%é", "to/x");
      await store.copy("from/a b+%é", "to/x");
      await store.remove(["from/a b+%é"]);
      expect(await collect(await store.get("to/x"))).toEqual(bytes);
      expect(await under.leftovers()).toEqual([]);
    });

    it("a copy keeps its bytes when the original is replaced", async () => {
      await store.put("original", chunks(Buffer.from("first"), 2));
      await store.copy("original", "copied");
      await store.put("original", chunks(Buffer.from("second"), 2));
      expect(Buffer.from(await collect(await store.get("copied"))).toString()).toBe("first");
    });

    it("copies a large object in parts", async () => {
      const bytes = Bytes.random(17 * MIB + 11, 6);
      await store.put("large", chunks(bytes, MIB));
      await store.copy("large", "large copy");
      expect(sha256(await collect(await store.get("large copy")))).toBe(sha256(bytes));
      expect(await under.leftovers()).toEqual([]);
    });

    it("removes 1,100 keys at once, and those that are not there without an error", async () => {
      const keys = Array.from({ length: 1_100 }, (_, at) => `many/${at % 7}/${at}`);
      const queue = [...keys];
      const work = async (): Promise<void> => {
        for (let key = queue.pop(); key !== undefined; key = queue.pop()) await store.put(key, chunks(Buffer.from("x"), 1));
      };
      await Promise.all(Array.from({ length: 16 }, work));
      expect((await Array.fromAsync(store.list("many/"))).length).toBe(1_100);
      await store.remove([...keys, "many/none", "none/at/all"]);
      expect(await Array.fromAsync(store.list("many/"))).toEqual([]);
      await store.remove([]);
    });

    it("lists every key with the prefix, also one that ends within a segment, with size and time", async () => {
      const before = Date.now();
      for (const key of ["list/a/1", "list/a/2", "list/ab", "list/b"]) await store.put(key, chunks(Buffer.from(key), 2));
      const keys = async (prefix: string): Promise<string[]> => (await Array.fromAsync(store.list(prefix), ({ key }) => key)).sort();
      expect(await keys("list/")).toEqual(["list/a/1", "list/a/2", "list/ab", "list/b"]);
      expect(await keys("list/a")).toEqual(["list/a/1", "list/a/2", "list/ab"]);
      expect(await keys("list/a/")).toEqual(["list/a/1", "list/a/2"]);
      expect(await keys("list/nothing")).toEqual([]);
      expect(await keys("list/b")).toEqual(["list/b"]);
      expect(await keys("")).toEqual(expect.arrayContaining(["list/ab", "list/b"]));
      for await (const { bytes, modifiedMs, key } of store.list("list/")) {
        expect(bytes).toBe(key.length);
        expect(Math.abs(modifiedMs - before)).toBeLessThan(10_000);
      }
    });

    it("a link serves its one key by plain GET as an attachment, and nothing else", async () => {
      const bytes = Bytes.random(1_000, 8);
      const key = "linked/a b+%é.csv";
      await store.put(key, chunks(bytes, 100));
      await store.put("linked/other", chunks(bytes, 100));
      const expiresAtMs = Date.now() + 60_000;
      const url = await store.link(key, { expiresAtMs, fileName: 'naïve "a".csv' });
      const answer = await under.follow(url);
      expect(answer.status).toBe(200);
      expect(answer.body).toEqual(bytes);
      expect(answer.disposition).toMatch(/^attachment/);
      for (const method of ["PUT", "POST", "DELETE"]) expect((await under.follow(url, method)).status, method).toBeGreaterThanOrEqual(400);
      expect((await under.follow(under.withOtherKey(url, key, "linked/other"))).status).toBeGreaterThanOrEqual(400);
      const tampered = [
        "signature",
        "expires",
        "name",
        "X-Amz-Signature",
        "X-Amz-Expires",
        "X-Amz-Date",
        "response-content-disposition",
      ].filter((name) => new RegExp(`[?&]${name}=`).test(url));
      expect(tampered.length).toBeGreaterThanOrEqual(3);
      for (const name of tampered) {
        const changed = url.replace(
          new RegExp(`([?&]${name}=)(.)`),
          (_, begin: string, first: string) => begin + (first === "1" ? "2" : "1"),
        );
        expect((await under.follow(changed)).status, name).toBeGreaterThanOrEqual(400);
      }
      const expired = await store.link(key, { expiresAtMs: Date.now() - 2_000, fileName: "x" });
      expect((await under.follow(expired)).status).toBeGreaterThanOrEqual(400);
      expect(await store.head(key)).toEqual({ bytes: 1_000 });
    });

    it("sweeps what a killed process left, and only what is older than the time", async () => {
      await under.abandon();
      expect((await under.leftovers()).length).toBe(1);
      expect(await store.sweep(Date.now() - 3_600_000)).toBe(0);
      expect((await under.leftovers()).length).toBe(1);
      expect(await store.sweep(Date.now() + 60_000)).toBe(1);
      expect(await under.leftovers()).toEqual([]);
    });

    it("leaks no descriptor when readers stop early, never start, or puts fail", async () => {
      await store.put("fd", chunks(Bytes.random(9 * MIB, 10), MIB));
      const misuse = async (): Promise<void> => {
        for await (const chunk of await store.get("fd")) {
          expect(chunk.length).toBeGreaterThan(0);
          break;
        }
        await (await store.get("fd"))[Symbol.asyncIterator]().return?.();
        for await (const _ of await store.get("fd", { start: 5, end: 6 })) break;
        await fault("not_found", store.get("not there"));
        await expect(store.put("fd2", failing(Bytes.random(100, 1), new Error("no")))).rejects.toThrow("no");
      };
      await misuse(); // Sockets that stay open for the next request are counted before, too.
      const before = descriptors();
      for (let round = 0; round < 20; round++) await misuse();
      await expect.poll(descriptors, { timeout: 5_000 }).toBeLessThanOrEqual(before + 2);
    });
  });
}

/** Expects the promise to reject with a fault of this code. */
export async function fault(code: FaultCode, promise: Promise<unknown>): Promise<void> {
  const error = await promise.then(
    () => null,
    (error: unknown) => error,
  );
  expect(isFault(error) ? error.code : error).toBe(code);
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

function descriptors(): number {
  return readdirSync("/proc/self/fd").length;
}
