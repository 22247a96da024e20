import type { DatasetId } from "@sluice/core/domain/ids";
import { expect, test } from "vitest";
import { INTS, keysOf, onRecords } from "./suite.ts";

const POOL = 4;

onRecords(
  "keeping current.json behind the records",
  (suite) => {
    test("a dataset is behind from its making until its newest version is written", async () => {
      const s = suite();
      const dataset = await s.dataset();
      const { current } = s.records;
      expect(await current.behind(100)).toContain(dataset);
      expect(await current.write(dataset, true, () => Promise.resolve())).toBe(0);
      expect(await current.behind(100)).not.toContain(dataset);
      const loaded = await s.uploadAndLoad(dataset, await s.start(dataset));
      expect(await current.behind(100)).toContain(dataset);
      let keys: string[] = [];
      await current.write(dataset, true, async (snapshot) => {
        keys = snapshot.parts.map((part) => part.key);
        await s.uploadAndLoad(dataset, await s.start(dataset));
      });
      expect(keys).toEqual(keysOf(loaded));
      expect(await s.datasetNow(dataset)).toMatchObject({ version: 2, writtenVersion: 1 });
    });

    test("a write that fails leaves the dataset behind, and the next one may write", async () => {
      const s = suite();
      const dataset = await s.dataset();
      const { current } = s.records;
      await expect(current.write(dataset, true, () => Promise.reject(new Error("the store is away")))).rejects.toThrow("the store is away");
      expect(await current.behind(100)).toContain(dataset);
      expect(await current.write(dataset, true, () => Promise.resolve())).toBe(0);
    });

    test("of writers in two processes one writes at a time, each a higher version, and the last is the newest", async () => {
      const s = suite();
      const dataset = await s.dataset({ main: INTS });
      const other = await s.another(POOL);
      const written: number[] = [];
      let writing = 0;
      let most = 0;
      const write = (by: typeof other) =>
        by.current.write(dataset, true, async ({ dataset: of }) => {
          most = Math.max(most, ++writing);
          await s.sql("SELECT 1");
          written.push(of.version);
          writing--;
        });
      const sync = await s.start(dataset);
      await Promise.all(
        Array.from({ length: 12 }, async (_, i) => {
          await s.uploadAndLoad(dataset, sync);
          await write(i % 2 ? other : s.records);
        }),
      );
      await other.close();
      expect(most).toBe(1);
      expect(written).toEqual([...new Set(written)].sort((a, b) => a - b));
      const { version, writtenVersion } = await s.datasetNow(dataset);
      expect(writtenVersion).toBe(version);
    });

    test("one who does not wait leaves it to the one who writes", async () => {
      const s = suite();
      const dataset = await s.dataset();
      const other = await s.another(POOL);
      let asked = 0;
      await s.records.current.write(dataset, true, async () => {
        for (const by of [s.records, other]) {
          expect(await by.current.write(dataset, false, () => Promise.resolve(void asked++))).toBe(-1);
        }
      });
      await other.close();
      expect(asked).toBe(0);
      expect((await s.datasetNow(dataset)).writtenVersion).toBe(0);
    });

    test("more writers than connections, of one dataset or of many, do not wait for each other for ever", async () => {
      const s = suite();
      const one = await s.dataset();
      const many: DatasetId[] = [];
      for (let i = 0; i < POOL * 3; i++) many.push(await s.dataset());
      const all = [...Array.from({ length: POOL * 4 }, () => one), ...many];
      const versions = await Promise.all(all.map((dataset) => s.records.current.write(dataset, true, () => Promise.resolve())));
      expect(new Set(versions)).toEqual(new Set([0]));
      const behind = await s.records.current.behind(100);
      expect(all.filter((dataset) => behind.includes(dataset))).toEqual([]);
    });
  },
  POOL,
);
