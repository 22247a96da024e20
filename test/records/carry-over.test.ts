import type { DatasetId, FileId, SyncId } from "@sluice/core/domain/ids";
import type { TableSchema } from "@sluice/core/domain/table-schema";
import type { Remade } from "@sluice/core/ports/publication";
import type { CarryOver } from "@sluice/core/ports/syncs";
import { expect, test } from "vitest";
import {
  column,
  counts,
  double,
  DOUBLES,
  findings,
  int64,
  INTS,
  keysOf,
  must,
  onRecords,
  part,
  schema,
  type Suite,
  text,
} from "./suite.ts";

async function remade(s: Suite, file: FileId): Promise<Remade> {
  const epoch = await s.records.publication.mintRemake(file);
  return { file, epoch, parts: [part(file, epoch)], findings: findings(counts(2, 1)) };
}

/** A dataset with one loaded file, and a full sync that began after it and is ready to end. */
async function building(
  s: Suite,
  of: TableSchema = INTS,
): Promise<{ dataset: DatasetId; sync: SyncId; own: Awaited<ReturnType<Suite["load"]>> }> {
  const dataset = await s.dataset();
  await s.uploadAndLoad(dataset, await s.start(dataset));
  const sync = await s.start(dataset, { type: "full" });
  return { dataset, sync, own: await s.uploadAndLoad(dataset, sync, of) };
}

async function carryOf(s: Suite, sync: SyncId, given?: Parameters<typeof s.records.syncs.decide>[2]): Promise<CarryOver> {
  const step = await s.records.syncs.decide(sync, 30, given);
  if (step.step !== "carry") throw new Error(`expected a carry-over, got ${step.step}`);
  return step.carry;
}

onRecords("carrying over what others loaded during a full sync", (suite) => {
  test("files that incremental syncs loaded since the full sync began stay; what was there before goes", async () => {
    const s = suite();
    const { dataset, sync, own } = await building(s);
    const carried = await s.uploadAndLoad(dataset, await s.start(dataset));
    const implicit = await s.uploadAndLoad(dataset, await s.records.syncs.implicit(s.org, dataset));
    const image = await s.store(must((await s.upload(dataset, await s.start(dataset), ["map.jpg"]))[0]));
    const seen = must(await s.keys(dataset, 4));
    await s.complete(sync);
    expect(await s.keys(dataset)).toEqual([...keysOf(own, carried, implicit), image].sort());
    expect(await s.keys(dataset, 4)).toEqual(seen);
    const files = must(await s.records.catalog.parts(dataset, { version: 5, after: null, limit: 10 })).flatMap((each) => each.files);
    expect(files).toContain(carried.file);
  });

  test("a carried-over object is collected with its last part, not with the first", async () => {
    const s = suite();
    const { dataset, sync } = await building(s);
    const carried = await s.uploadAndLoad(dataset, await s.start(dataset));
    await s.complete(sync);
    await s.sql("UPDATE trash SET expires_at = now() - interval '1 s' WHERE dataset_id = $1", [dataset]);
    await s.records.trash.expire();
    const [key] = keysOf(carried);
    const first = (await s.records.trash.collectable(0, 1_000)).filter((each) => each.key === key);
    expect(first.map((each) => each.last)).toEqual([false]);
    // A second full sync takes the other one away as well: now both are dead, and one of them is the last.
    const next = await s.start(dataset, { type: "full", allowEmpty: true });
    await s.complete(next);
    await s.sql("UPDATE trash SET expires_at = now() - interval '1 s' WHERE dataset_id = $1", [dataset]);
    await s.records.trash.expire();
    const both = (await s.records.trash.collectable(0, 1_000)).filter((each) => each.key === key);
    expect(both.map((each) => each.last)).toEqual([false, true]);
  });

  test("a file is carried through two full syncs that both began before it", async () => {
    const s = suite();
    const dataset = await s.dataset();
    const [first, second] = [await s.start(dataset, { type: "full" }), await s.start(dataset, { type: "full" })];
    const carried = await s.uploadAndLoad(dataset, await s.start(dataset));
    const [a, b] = [await s.uploadAndLoad(dataset, first), await s.uploadAndLoad(dataset, second)];
    await s.complete(first);
    expect(await s.keys(dataset)).toEqual(keysOf(a, carried));
    await s.complete(second);
    expect(await s.keys(dataset)).toEqual(keysOf(b, carried));
    const third = await s.start(dataset, { type: "full" });
    const c = await s.uploadAndLoad(dataset, third);
    await s.complete(third);
    expect(await s.keys(dataset)).toEqual(keysOf(c));
  });

  test("an incremental file published while the swap is decided is carried, or told to convert again; never lost", async () => {
    const s = suite();
    for (let round = 0; round < 8; round++) {
      const { dataset, sync, own } = await building(s);
      const files = await s.upload(dataset, await s.start(dataset), ["a", "b", "c", "d"]);
      const [, ...keys] = await Promise.all([s.complete(sync), ...files.map((file) => loadUntilDone(s, file))]);
      expect(await s.keys(dataset)).toEqual([...keysOf(own), ...keys].sort());
    }
  });

  test("a table that the full sync did not bring keeps its schema", async () => {
    const s = suite();
    const { dataset, sync, own } = await building(s);
    const [file] = await s.upload(dataset, await s.start(dataset));
    const { epoch } = await s.claim(must(file));
    const other = await s.records.work.target(must(file), epoch);
    const parts = [part(must(file), epoch, { table: "other" })];
    await s.records.publication.publishLoaded({
      file: must(file),
      epoch,
      generation: must(other).generation,
      basedOn: must(other).schemaVersion,
      schemas: { ...must(other).schemas, other: DOUBLES },
      change: "added",
      parts,
      findings: findings(counts(3)),
      remade: [],
    });
    await s.complete(sync);
    expect((await s.datasetNow(dataset)).schemas).toEqual({ main: INTS, other: DOUBLES });
    expect(await s.keys(dataset)).toEqual([...keysOf(own), must(parts[0]).key].sort());
  });

  test("a carried-over part whose columns differ is made again first, and its account changes with the swap", async () => {
    const s = suite();
    const { dataset, sync, own } = await building(s, schema(column(1, "y", text), column(2, "x", int64)));
    const carried = await s.uploadAndLoad(dataset, await s.start(dataset));
    await s.records.syncs.end(s.org, sync);
    const carry = await carryOf(s, sync);
    expect(carry.remake.map(({ table, source }) => [table, source.file])).toEqual([["main", carried.file]]);
    expect(carry.schemas).toEqual(own.schemas);
    expect((await s.datasetNow(dataset)).generationNumber).toBe(1);
    const again = await remade(s, carried.file);
    const given = { schemas: carry.schemas, basedOn: carry.schemaVersion, files: [again] };
    expect((await s.file(carried.file)).counts).toEqual(counts(3));
    expect(await s.records.syncs.decide(sync, 30, given)).toMatchObject({ step: "decided" });
    expect(await s.records.syncs.decide(sync, 30, given)).toMatchObject({ step: "decided" });
    expect(await s.keys(dataset)).toEqual([...keysOf(own), must(again.parts[0]).key].sort());
    expect((await s.file(carried.file)).counts).toEqual(counts(2, 1));
    // Carried by a later full sync that began before this file was loaded? No: it counts from when it was loaded.
    const [since] = await s.sql("SELECT loaded_version::int AS loaded, since_version::int AS since FROM parts WHERE id = $1", [
      must(again.parts[0]).id,
    ]);
    expect(since).toEqual({ loaded: 2, since: 3 });
  });

  test("a sync that grew by one more file meanwhile is asked to carry that one too, and ends", async () => {
    const s = suite();
    const { dataset, sync, own } = await building(s, schema(column(1, "y", text)));
    const a = await s.uploadAndLoad(dataset, await s.start(dataset));
    await s.records.syncs.end(s.org, sync);
    const first = await carryOf(s, sync);
    const b = await s.uploadAndLoad(dataset, await s.start(dataset));
    const madeA = await remade(s, a.file);
    const widened = schema(column(1, "y", text), column(2, "x", int64));
    const second = await carryOf(s, sync, { schemas: { main: widened }, basedOn: first.schemaVersion, files: [madeA] });
    expect(second.remake.map(({ source }) => source.file).sort()).toEqual([a.file, b.file].sort());
    const made = [await remade(s, a.file), await remade(s, b.file)];
    const step = await s.records.syncs.decide(sync, 30, { schemas: { main: widened }, basedOn: second.schemaVersion, files: made });
    expect(step.step).toBe("decided");
    expect(await s.keys(dataset)).toEqual([...keysOf(own), ...made.map((each) => must(each.parts[0]).key)].sort());
    expect((await s.datasetNow(dataset)).schemas["main"]).toEqual(widened);
  });

  test("a file that fits as it is, but not under what another one widens, is made again as well; the rounds end", async () => {
    const s = suite();
    const { dataset, sync, own } = await building(s, INTS);
    const fits = await s.uploadAndLoad(dataset, await s.start(dataset));
    // Loaded into the old generation under another column, so it must be made again; it turns x into a double.
    const wide = await s.uploadAndLoad(dataset, await s.start(dataset), schema(column(1, "x", int64), column(2, "z", double)));
    await s.records.syncs.end(s.org, sync);
    const first = await carryOf(s, sync);
    expect(first.remake.map(({ source }) => source.file)).toEqual([wide.file]);
    const doubles = schema(column(1, "x", double), column(2, "z", double));
    const round = async (files: readonly FileId[]) => Promise.all(files.map((file) => remade(s, file)));
    const second = await carryOf(s, sync, {
      schemas: { main: doubles },
      basedOn: first.schemaVersion,
      files: await round([own.file, wide.file]),
    });
    expect(second.remake.map(({ source }) => source.file).sort()).toEqual([fits.file, wide.file].sort());
    const files = await round([own.file, fits.file, wide.file]);
    expect((await s.records.syncs.decide(sync, 30, { schemas: { main: doubles }, basedOn: second.schemaVersion, files })).step).toBe(
      "decided",
    );
    expect(await s.keys(dataset)).toEqual(files.map((each) => must(each.parts[0]).key).sort());
    const types = await s.sql(
      "SELECT DISTINCT schema_hash FROM parts p JOIN datasets d ON d.live_generation_id = p.generation_id WHERE d.id = $1 AND until_version IS NULL",
      [dataset],
    );
    expect(types).toHaveLength(1);
  });

  test("of two workers that make the same file again the one with the newest epoch swaps; the other is asked again", async () => {
    const s = suite();
    const { dataset, sync, own } = await building(s, schema(column(1, "y", text), column(2, "x", int64)));
    const carried = await s.uploadAndLoad(dataset, await s.start(dataset));
    await s.records.syncs.end(s.org, sync);
    const carry = await carryOf(s, sync);
    const [older, newer] = [await remade(s, carried.file), await remade(s, carried.file)];
    const given = (file: Remade) => ({ schemas: carry.schemas, basedOn: carry.schemaVersion, files: [file] });
    await carryOf(s, sync, given(older));
    expect((await s.records.syncs.decide(sync, 30, given(newer))).step).toBe("decided");
    expect((await s.records.syncs.decide(sync, 30, given(older))).step).toBe("decided");
    expect(await s.keys(dataset)).toEqual([...keysOf(own), must(newer.parts[0]).key].sort());
  });

  test("files made again under schemas that others of the sync do not fit are refused: one column has one type", async () => {
    const s = suite();
    const { dataset, sync } = await building(s, schema(column(1, "y", text), column(2, "x", int64)));
    const carried = await s.uploadAndLoad(dataset, await s.start(dataset));
    await s.records.syncs.end(s.org, sync);
    const carry = await carryOf(s, sync);
    const wrong = schema(column(1, "y", text), column(2, "x", double));
    const given = { schemas: { main: wrong }, basedOn: carry.schemaVersion, files: [await remade(s, carried.file)] };
    await expect(s.records.syncs.decide(sync, 30, given)).rejects.toThrow("do not fit");
    expect((await s.datasetNow(dataset)).generationNumber).toBe(1);
  });
});

/** Loads a file as the ingest door does: under the newest target until it is done. Resolves to its part's key. */
async function loadUntilDone(s: Suite, file: FileId): Promise<string> {
  const claimed = await s.claim(file);
  let { target } = claimed;
  for (;;) {
    const made = part(file, claimed.epoch);
    const result = await s.records.publication.publishLoaded({
      file,
      epoch: claimed.epoch,
      generation: target.generation,
      basedOn: target.schemaVersion,
      schemas: { main: INTS },
      change: target.schemas["main"] ? "none" : "added",
      parts: [made],
      findings: findings(counts(3)),
      remade: [],
    });
    if (result === "done") return made.key;
    expect(result).toBe("conflict");
    target = must(await s.records.work.target(file, claimed.epoch));
  }
}
