import type { NumericFacts } from "@sluice/core/domain/table-schema";
import type { FileId } from "@sluice/core/domain/ids";
import type { Remade } from "@sluice/core/ports/publication";
import { expect, test } from "vitest";
import {
  column,
  counts,
  DOUBLES,
  findings,
  int64,
  INTS,
  INTS_AND_TEXT,
  keysOf,
  loadedFile,
  must,
  onRecords,
  part,
  schema,
  storedFile,
  type Suite,
  text,
} from "./suite.ts";

async function remade(s: Suite, file: FileId, rows = counts(3)): Promise<Remade> {
  const epoch = await s.records.publication.mintRemake(file);
  return { file, epoch, parts: [part(file, epoch)], findings: findings(rows) };
}

onRecords("publishing", (suite) => {
  test("what is published is seen at once, and publishing it twice equals once", async () => {
    const s = suite();
    const dataset = await s.dataset();
    const sync = await s.start(dataset);
    const loaded = await s.uploadAndLoad(dataset, sync);
    const { version } = await s.datasetNow(dataset);
    expect(await s.keys(dataset)).toEqual(keysOf(loaded));
    expect(await s.records.publication.publishLoaded(loaded)).toBe("done");
    expect(await s.records.publication.publishLoaded({ ...loaded, parts: [part(loaded.file, loaded.epoch)] })).toBe("done");
    expect((await s.datasetNow(dataset)).version).toBe(version);
    expect(await s.keys(dataset)).toEqual(keysOf(loaded));
    expect(await s.sync(sync)).toMatchObject({ total: 1, loaded: 1 });
    expect(await s.file(loaded.file)).toMatchObject({ state: "loaded", counts: counts(3), progress: { rows: 3, bytes: 10 }, fault: null });
  });

  test("20 publications of one attempt at once equal one", async () => {
    const s = suite();
    const dataset = await s.dataset();
    const sync = await s.start(dataset);
    const [file] = await s.upload(dataset, sync);
    const loaded = loadedFile(await s.claim(must(file)));
    const results = await Promise.all(Array.from({ length: 20 }, () => s.records.publication.publishLoaded(loaded)));
    expect(new Set(results)).toEqual(new Set(["done"]));
    expect(await s.keys(dataset)).toEqual(keysOf(loaded));
    expect((await s.sync(sync)).loaded).toBe(1);
  });

  test("an opaque file published twice is stored once", async () => {
    const s = suite();
    const dataset = await s.dataset();
    const sync = await s.start(dataset);
    const [file] = await s.upload(dataset, sync, ["map.jpg"]);
    const stored = storedFile(await s.claim(must(file)));
    expect(await s.records.publication.publishStored(stored)).toBe("done");
    expect(await s.records.publication.publishStored(stored)).toBe("done");
    expect(await s.keys(dataset)).toEqual([stored.part.key]);
    expect(await s.sync(sync)).toMatchObject({ stored: 1, loaded: 0 });
    expect(await s.file(must(file))).toMatchObject({ state: "stored", contentType: "image/jpeg" });
    expect(await s.records.catalog.totals(dataset)).toMatchObject({ parts: 0, opaqueFiles: 1 });
  });

  test("a failed file has loaded 0, its rows are skipped, its fault and rejects are kept, and nothing of it is seen", async () => {
    const s = suite();
    const dataset = await s.dataset();
    const sync = await s.start(dataset);
    const [file] = await s.upload(dataset, sync);
    const { epoch } = await s.claim(must(file));
    const reject = { row: 2, byteOffset: 17, table: "main", column: "x", raw: "a\u0000b\ud800", reason: "no number" };
    const fault = { code: "too_many_rejects", message: "2 of 9", field: "x", value: 3, limit: "10 %" } as const;
    const failed = {
      file: must(file),
      epoch,
      fault,
      findings: findings(counts(7, 2), [reject, { ...reject, row: 3, byteOffset: null, column: null, raw: null }]),
    };
    expect(await s.records.publication.publishFailed(failed)).toBe("done");
    expect(await s.records.publication.publishFailed(failed)).toBe("done");
    expect(await s.file(must(file))).toMatchObject({ state: "failed", counts: { read: 9, loaded: 0, rejected: 2, skipped: 7 }, fault });
    expect(await s.records.history.rejects(must(file))).toEqual([
      { ...reject, raw: "a\ufffdb\ufffd" },
      { ...reject, row: 3, byteOffset: null, column: null, raw: null },
    ]);
    expect(await s.keys(dataset)).toEqual([]);
    expect(await s.sync(sync)).toMatchObject({ failed: 1, loaded: 0 });
  });

  test("an account that does not add up is refused and nothing is published", async () => {
    const s = suite();
    const dataset = await s.dataset();
    const [file] = await s.upload(dataset, await s.start(dataset));
    const loaded = loadedFile(await s.claim(must(file)), INTS, { findings: findings({ ...counts(3), read: 4 }) });
    await expect(s.records.publication.publishLoaded(loaded)).rejects.toThrow("does not add up");
    expect(await s.keys(dataset)).toEqual([]);
    expect((await s.file(must(file))).state).toBe("claimed");
  });

  test("an attempt based on a schema that moved on is told to convert again, and changes nothing", async () => {
    const s = suite();
    const dataset = await s.dataset();
    const sync = await s.start(dataset);
    const [a, b, c] = await s.upload(dataset, sync, ["a", "b", "c"]);
    const slow = loadedFile(await s.claim(must(a)));
    const slower = loadedFile(await s.claim(must(b)), schema(column(1, "other", text)));
    await s.load(must(c), INTS_AND_TEXT);
    expect(await s.records.publication.publishLoaded(slow)).toBe("conflict");
    expect(await s.records.publication.publishLoaded(slower)).toBe("conflict");
    expect((await s.datasetNow(dataset)).version).toBe(1);
    const target = must(await s.records.work.target(must(a), slow.epoch));
    expect(target.schemas["main"]).toEqual(INTS_AND_TEXT);
    const again = loadedFile({ ...(await claimedAs(s, must(a), slow.epoch)), target }, INTS_AND_TEXT);
    expect(await s.records.publication.publishLoaded(again)).toBe("done");
  });

  test("of 10 files that bring a new column at once each is published under a schema that holds them all, once", async () => {
    const s = suite();
    const dataset = await s.dataset();
    const sync = await s.start(dataset);
    const files = await s.upload(
      dataset,
      sync,
      Array.from({ length: 10 }, (_, i) => `${i}.csv`),
    );
    await Promise.all(
      files.map(async (file, i) => {
        const claimed = await s.claim(file);
        let { target } = claimed;
        for (;;) {
          const now = target.schemas["main"] ?? { columns: [], lastId: 0 };
          const grown = { columns: [...now.columns, column(now.lastId + 1, `c${i}`, int64)], lastId: now.lastId + 1 };
          const result = await s.records.publication.publishLoaded(loadedFile({ ...claimed, target }, grown, { change: "added" }));
          if (result === "done") return;
          expect(result).toBe("conflict");
          target = must(await s.records.work.target(file, claimed.epoch));
        }
      }),
    );
    const { schemas, version } = await s.datasetNow(dataset);
    expect(schemas["main"]?.columns.map((each) => each.id)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect(new Set(schemas["main"]?.columns.map((each) => each.name)).size).toBe(10);
    expect(version).toBe(10);
  });

  test("an attempt whose generation was swapped away meanwhile is told to convert again", async () => {
    const s = suite();
    const dataset = await s.dataset();
    const [file] = await s.upload(dataset, await s.start(dataset));
    const [opaque] = await s.upload(dataset, await s.start(dataset));
    const slow = loadedFile(await s.claim(must(file)));
    const stored = storedFile(await s.claim(must(opaque)));
    const full = await s.start(dataset, { type: "full" });
    await s.uploadAndLoad(dataset, full);
    await s.complete(full);
    expect(await s.records.publication.publishLoaded(slow)).toBe("conflict");
    expect(await s.records.publication.publishStored(stored)).toBe("conflict");
    expect(must(await s.records.work.target(must(file), slow.epoch)).number).toBe(2);
  });

  test("a file that brings nothing new leaves the schema version alone, so that it disturbs nobody", async () => {
    const s = suite();
    const dataset = await s.dataset();
    const sync = await s.start(dataset);
    const facts: NumericFacts = { integerDigits: 3, scale: 0, doubleExact: true };
    const known = schema(column(1, "x", int64, facts), column(2, "note", text));
    await s.uploadAndLoad(dataset, sync, known);
    const { schemaVersion } = await s.datasetNow(dataset);
    await s.uploadAndLoad(dataset, sync, known);
    await s.uploadAndLoad(dataset, sync, schema(column(1, "x", int64, { ...facts, integerDigits: 2 }), column(2, "note", text)));
    expect((await s.datasetNow(dataset)).schemaVersion).toBe(schemaVersion);
  });

  test("what is known of a column's numbers is merged over its files, whoever publishes first", async () => {
    const s = suite();
    const dataset = await s.dataset();
    const sync = await s.start(dataset);
    const known = (integerDigits: number, doubleExact: boolean) => schema(column(1, "x", int64, { integerDigits, scale: 0, doubleExact }));
    await s.uploadAndLoad(dataset, sync, known(3, true));
    const files = await s.upload(dataset, sync, ["a", "b", "c"]);
    const attempts = await Promise.all(files.map(async (file, i) => loadedFile(await s.claim(file), known(4 + i, i !== 0))));
    const results = await Promise.all(attempts.map((each) => s.records.publication.publishLoaded(each)));
    expect(results).toEqual(["done", "done", "done"]);
    expect((await s.datasetNow(dataset)).schemas["main"]?.columns[0]?.numbers).toEqual({ integerDigits: 6, scale: 0, doubleExact: false });
  });

  test("facts of files of a full sync that are published at the same instant are all kept", async () => {
    const s = suite();
    const dataset = await s.dataset();
    const sync = await s.start(dataset, { type: "full" });
    const known = (integerDigits: number) => schema(column(1, "x", int64, { integerDigits, scale: 0, doubleExact: integerDigits !== 5 }));
    await s.uploadAndLoad(dataset, sync, known(1));
    const files = await s.upload(dataset, sync, ["a", "b", "c"]);
    const attempts = await Promise.all(files.map(async (file, i) => loadedFile(await s.claim(file), known(5 + i))));
    const { generation } = must(attempts[0]);
    const held = ["SELECT 1 FROM generations WHERE id = $1 FOR NO KEY UPDATE", generation] as const;
    await s.whileOpen([held], 3, () => Promise.all(attempts.map((each) => s.records.publication.publishLoaded(each))));
    await s.complete(sync);
    expect((await s.datasetNow(dataset)).schemas["main"]?.columns[0]?.numbers).toEqual({ integerDigits: 7, scale: 0, doubleExact: false });
  });

  test("a column that was declared meanwhile stays declared when a slower file publishes", async () => {
    const s = suite();
    const dataset = await s.dataset();
    const sync = await s.start(dataset);
    await s.uploadAndLoad(dataset, sync);
    const [file] = await s.upload(dataset, sync);
    const slow = loadedFile(await s.claim(must(file)));
    const { generation, schemaVersion } = await s.datasetNow(dataset);
    const declared = { ...INTS, columns: INTS.columns.map((each) => ({ ...each, declared: true })) };
    const change = { dataset, generation, basedOn: schemaVersion, schemas: { main: declared }, remade: [] };
    expect(await s.records.publication.publishSchema(change)).toBe("done");
    expect(await s.records.publication.publishLoaded(slow)).toBe("done");
    expect((await s.datasetNow(dataset)).schemas["main"]?.columns[0]?.declared).toBe(true);
  });

  test("a widened column is published together with the other files made again: no reader sees two types", async () => {
    const s = suite();
    const dataset = await s.dataset();
    const sync = await s.start(dataset);
    const old = await s.uploadAndLoad(dataset, sync);
    const before = await s.datasetNow(dataset);
    const [file] = await s.upload(dataset, sync);
    const claimed = await s.claim(must(file));
    const sources = await s.records.publication.toRemake(claimed.target.generation, "main", DOUBLES);
    expect(sources.map((source) => source.file)).toEqual([old.file]);
    expect(await s.records.publication.toRemake(claimed.target.generation, "main", INTS_AND_TEXT)).toEqual([]);
    const other = await remade(s, old.file, counts(2, 1));
    const wide = loadedFile(claimed, DOUBLES, { change: "widened", remade: [other] });
    expect(await s.records.publication.publishLoaded(wide)).toBe("done");
    expect(await s.keys(dataset)).toEqual([...keysOf(wide), ...other.parts.map((each) => each.key)].sort());
    expect(await s.keys(dataset, before.version)).toEqual(keysOf(old));
    expect((await s.file(old.file)).counts).toEqual(counts(2, 1));
    const since = await s.sql("SELECT loaded_version::int, since_version::int FROM parts WHERE id = $1", [must(other.parts[0]).id]);
    expect(since).toEqual([{ loaded_version: before.version, since_version: before.version + 1 }]);
  });

  test("a widening does not slip past a file that was loaded under the old type while others were made again", async () => {
    const s = suite();
    const dataset = await s.dataset();
    const sync = await s.start(dataset);
    const first = await s.uploadAndLoad(dataset, sync);
    const [file] = await s.upload(dataset, sync);
    const claimed = await s.claim(must(file));
    const others = [await remade(s, first.file)];
    const slipped = await s.uploadAndLoad(dataset, sync);
    const wide = loadedFile(claimed, DOUBLES, { change: "widened", remade: others });
    const { version } = await s.datasetNow(dataset);
    expect(await s.records.publication.publishLoaded(wide)).toBe("conflict");
    expect(await s.datasetNow(dataset)).toMatchObject({ version, schemas: { main: INTS } });
    expect(await s.keys(dataset)).toEqual(keysOf(first, slipped));
    expect((await s.file(must(file))).state).toBe("claimed");
  });

  test("a file made again by two attempts is published by the newer; the older conflicts", async () => {
    const s = suite();
    const dataset = await s.dataset();
    const sync = await s.start(dataset);
    const first = await s.uploadAndLoad(dataset, sync);
    const [a] = await s.upload(dataset, sync);
    const claimed = await s.claim(must(a));
    const older = await remade(s, first.file);
    const newer = await remade(s, first.file);
    expect(await s.records.publication.publishLoaded(loadedFile(claimed, DOUBLES, { change: "widened", remade: [older] }))).toBe(
      "conflict",
    );
    expect(await s.keys(dataset)).toEqual(keysOf(first));
    expect(await s.records.publication.publishLoaded(loadedFile(claimed, DOUBLES, { change: "widened", remade: [newer] }))).toBe("done");
  });

  test("a file that is not loaded cannot be made again", async () => {
    const s = suite();
    const dataset = await s.dataset();
    const [file] = await s.upload(dataset, await s.start(dataset));
    await expect(s.records.publication.mintRemake(must(file))).rejects.toThrow("is not loaded");
  });

  test("versions ascend one by one in commit order under 16 publishers", async () => {
    const s = suite();
    const dataset = await s.dataset({ main: INTS });
    const sync = await s.start(dataset);
    const files = await s.upload(
      dataset,
      sync,
      Array.from({ length: 32 }, (_, i) => `${i}.csv`),
    );
    const attempts = await Promise.all(files.map(async (file) => loadedFile(await s.claim(file), INTS, { change: "none" })));
    await Promise.all(attempts.map((each) => s.records.publication.publishLoaded(each)));
    const found = await s.sql<{ v: number }>("SELECT since_version::int AS v FROM parts WHERE dataset_id = $1 ORDER BY 1", [dataset]);
    expect(found.map((each) => each.v)).toEqual(Array.from({ length: 32 }, (_, i) => i + 1));
    expect((await s.datasetNow(dataset)).version).toBe(32);
    expect(await s.keys(dataset, 10)).toHaveLength(10);
  });

  test("a schema changed on request is published with the files made again, and conflicts when the schema moved on", async () => {
    const s = suite();
    const dataset = await s.dataset();
    const sync = await s.start(dataset);
    const old = await s.uploadAndLoad(dataset, sync);
    const { generation, schemaVersion } = await s.datasetNow(dataset);
    const other = await remade(s, old.file);
    const change = { dataset, generation, basedOn: schemaVersion, schemas: { main: DOUBLES }, remade: [other] };
    expect(await s.records.publication.publishSchema({ ...change, remade: [] })).toBe("conflict");
    expect(await s.records.publication.publishSchema({ ...change, basedOn: schemaVersion - 1 })).toBe("conflict");
    expect(await s.keys(dataset)).toEqual(keysOf(old));
    expect(await s.records.publication.publishSchema(change)).toBe("done");
    expect(await s.keys(dataset)).toEqual(other.parts.map((each) => each.key));
    expect((await s.datasetNow(dataset)).schemas["main"]).toEqual(DOUBLES);
  });

  test("parts of several tables of one file are seen together, each under its table", async () => {
    const s = suite();
    const dataset = await s.dataset();
    const [file] = await s.upload(dataset, await s.start(dataset), ["book.xlsx"]);
    const claimed = await s.claim(must(file));
    const parts = ["one", "two"].map((table) => part(claimed.id, claimed.epoch, { table }));
    await s.records.publication.publishLoaded(
      loadedFile(claimed, INTS, { schemas: { one: INTS, two: DOUBLES }, parts, findings: findings(counts(6)) }),
    );
    const seen = must(await s.records.catalog.parts(dataset, { version: 1, after: null, limit: 10 }));
    expect(seen.map((each) => each.table).sort()).toEqual(["one", "two"]);
    expect(seen.map((each) => each.files)).toEqual([[file], [file]]);
    expect(await s.records.catalog.totals(dataset)).toEqual({ parts: 2, rows: 6, bytes: 200, opaqueFiles: 0 });
  });
});

async function claimedAs(s: Suite, id: FileId, epoch: number) {
  const file = await s.file(id);
  const target = must(await s.records.work.target(id, epoch as never));
  return { ...file, epoch: epoch as never, rules: { policy: "evolve", onBadRow: "quarantine", maxRejects: { rows: 0 } } as const, target };
}
