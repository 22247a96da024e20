import type { DatasetId, SyncId, TrashId } from "@sluice/core/domain/ids";
import { expect, test } from "vitest";
import { faultOf, INTS, keysOf, must, onRecords, schema, column, text, type Suite } from "./suite.ts";

async function full(s: Suite, dataset: DatasetId, more: Parameters<Suite["start"]>[1] = {}): Promise<SyncId> {
  return s.start(dataset, { type: "full", ...more });
}

const trashOf = (s: Suite, dataset: DatasetId) => s.records.trash.list(s.org, { after: null, limit: 100, dataset });
const overdue = (s: Suite, id: TrashId) => s.sql("UPDATE trash SET expires_at = now() - interval '1 s' WHERE id = $1", [id]);

onRecords("full syncs and trash", (suite) => {
  test("a full sync is swapped whole: nothing of it is seen before, nothing of the old after", async () => {
    const s = suite();
    const dataset = await s.dataset();
    const old = await s.uploadAndLoad(dataset, await s.start(dataset));
    const sync = await full(s, dataset);
    const [a, b] = [
      await s.uploadAndLoad(dataset, sync, schema(column(1, "y", text))),
      await s.uploadAndLoad(dataset, sync, schema(column(1, "y", text))),
    ];
    expect(await s.keys(dataset)).toEqual(keysOf(old));
    expect((await s.datasetNow(dataset)).version).toBe(1);
    await s.complete(sync);
    expect(await s.keys(dataset)).toEqual(keysOf(a, b));
    expect(await s.datasetNow(dataset)).toMatchObject({ version: 2, generationNumber: 2, schemas: { main: schema(column(1, "y", text)) } });
    expect(await s.keys(dataset, 1)).toEqual(keysOf(old));
    expect(await s.sync(sync)).toMatchObject({ state: "finished", loaded: 2 });
  });

  test("a reader who asks all the time sees the old or the new, never a mixture or nothing", async () => {
    const s = suite();
    const dataset = await s.dataset();
    const old = await s.uploadAndLoad(dataset, await s.start(dataset));
    const sync = await full(s, dataset);
    const fresh = [await s.uploadAndLoad(dataset, sync), await s.uploadAndLoad(dataset, sync)];
    let swapped = false;
    const done = s.complete(sync).finally(() => {
      swapped = true;
    });
    const states = new Set<string>();
    for (let last = false; !last;) {
      last = swapped;
      states.add(JSON.stringify(await s.keys(dataset)));
    }
    await done;
    expect([JSON.stringify(keysOf(old)), JSON.stringify(keysOf(...fresh))]).toEqual(expect.arrayContaining([...states]));
    expect(states).toContain(JSON.stringify(keysOf(...fresh)));
  });

  test("a declared schema is what a full sync starts with", async () => {
    const s = suite();
    const dataset = await s.dataset({ main: INTS });
    const sync = await full(s, dataset);
    const [file] = await s.upload(dataset, sync);
    expect((await s.claim(must(file))).target).toMatchObject({ number: 2, schemas: { main: INTS } });
  });

  test("a full sync that loaded nothing fails and keeps the old data, unless empty is allowed", async () => {
    const s = suite();
    const dataset = await s.dataset();
    const old = await s.uploadAndLoad(dataset, await s.start(dataset));
    const empty = await full(s, dataset);
    await s.complete(empty);
    expect(await s.sync(empty)).toMatchObject({ state: "failed", message: expect.stringContaining("allow_empty") as string });
    const failing = await full(s, dataset);
    await s.fail(must((await s.upload(dataset, failing))[0]));
    await s.complete(failing);
    expect((await s.sync(failing)).state).toBe("failed");
    expect(await s.keys(dataset)).toEqual(keysOf(old));
    const allowed = await full(s, dataset, { allowEmpty: true });
    await s.complete(allowed);
    expect((await s.sync(allowed)).state).toBe("finished");
    expect(await s.keys(dataset)).toEqual([]);
  });

  test("some files failed: `publish` swaps the rest and says how many, `keep_old` fails and keeps the old", async () => {
    const s = suite();
    const dataset = await s.dataset();
    const old = await s.uploadAndLoad(dataset, await s.start(dataset));
    const strict = await full(s, dataset, { onFileError: "keep_old" });
    await s.uploadAndLoad(dataset, strict);
    await s.fail(must((await s.upload(dataset, strict))[0]));
    await s.complete(strict);
    expect(await s.sync(strict)).toMatchObject({ state: "failed", message: expect.stringContaining("keep_old") as string });
    expect(await s.keys(dataset)).toEqual(keysOf(old));
    const lenient = await full(s, dataset);
    const loaded = await s.uploadAndLoad(dataset, lenient);
    await s.fail(must((await s.upload(dataset, lenient))[0]));
    await s.complete(lenient);
    expect(await s.sync(lenient)).toMatchObject({ state: "finished", message: "1 of 2 files failed" });
    expect(await s.keys(dataset)).toEqual(keysOf(loaded));
  });

  test("two full syncs at once, the older ending last: it is superseded, nothing of it is ever seen", async () => {
    const s = suite();
    const dataset = await s.dataset();
    const [older, newer] = [await full(s, dataset), await full(s, dataset)];
    await s.uploadAndLoad(dataset, older);
    const wanted = await s.uploadAndLoad(dataset, newer);
    await s.complete(newer);
    await s.complete(older);
    expect(await s.sync(older)).toMatchObject({ state: "superseded" });
    expect(await s.records.syncs.end(s.org, older)).toBe("superseded");
    expect(await s.keys(dataset)).toEqual(keysOf(wanted));
    expect(await trashOf(s, dataset)).toHaveLength(1);
  });

  test("two full syncs at once, the older ending first: each is swapped in turn", async () => {
    const s = suite();
    const dataset = await s.dataset();
    const [older, newer] = [await full(s, dataset), await full(s, dataset)];
    const first = await s.uploadAndLoad(dataset, older);
    const second = await s.uploadAndLoad(dataset, newer);
    await s.complete(older);
    expect(await s.keys(dataset)).toEqual(keysOf(first));
    await s.complete(newer);
    expect(await s.keys(dataset)).toEqual(keysOf(second));
    expect(await trashOf(s, dataset)).toHaveLength(2);
  });

  test("two full syncs completed at the same instant end with the newer one's data", async () => {
    const s = suite();
    for (let round = 0; round < 8; round++) {
      const dataset = await s.dataset();
      const [older, newer] = [await full(s, dataset), await full(s, dataset)];
      await s.uploadAndLoad(dataset, older);
      const wanted = await s.uploadAndLoad(dataset, newer);
      await Promise.all([s.complete(older), s.complete(newer)]);
      expect(await s.keys(dataset)).toEqual(keysOf(wanted));
      expect((await s.sync(newer)).state).toBe("finished");
      expect(["finished", "superseded"]).toContain((await s.sync(older)).state);
    }
  });

  test("opaque files belong to the generation: swapped, trashed and restored with it", async () => {
    const s = suite();
    const dataset = await s.dataset();
    const before = await s.start(dataset);
    const oldKey = await s.store(must((await s.upload(dataset, before, ["old.jpg"]))[0]));
    const sync = await full(s, dataset);
    const newKey = await s.store(must((await s.upload(dataset, sync, ["new.jpg"]))[0]));
    expect(await s.keys(dataset)).toEqual([oldKey]);
    await s.complete(sync);
    expect(await s.keys(dataset)).toEqual([newKey]);
    const [entry] = await trashOf(s, dataset);
    await s.records.trash.restore(s.org, must(entry).id, 30);
    expect(await s.keys(dataset)).toEqual([oldKey]);
  });

  test("a restore brings the old data back, puts what was live into trash, and can be undone the same way", async () => {
    const s = suite();
    const dataset = await s.dataset();
    const old = await s.uploadAndLoad(dataset, await s.start(dataset));
    const sync = await full(s, dataset);
    const fresh = await s.uploadAndLoad(dataset, sync);
    await s.complete(sync);
    const [entry] = await trashOf(s, dataset);
    expect(entry).toMatchObject({ kind: "full_sync", state: "trashed", sync, rows: 3, bytes: 100 });
    expect(await s.records.trash.restore(s.org, must(entry).id, 30)).toMatchObject({ state: "restored" });
    expect(await s.keys(dataset)).toEqual(keysOf(old));
    expect(await s.datasetNow(dataset)).toMatchObject({ version: 3, generationNumber: 1 });
    expect(await s.keys(dataset, 2)).toEqual(keysOf(fresh));
    expect(await faultOf(s.records.trash.restore(s.org, must(entry).id, 30))).toBe("wrong_state");
    const [, undo] = await trashOf(s, dataset);
    expect(undo).toMatchObject({ kind: "restore", state: "trashed", rows: 3 });
    await s.records.trash.restore(s.org, must(undo).id, 30);
    expect(await s.keys(dataset)).toEqual(keysOf(fresh));
    const later = await s.uploadAndLoad(dataset, await s.start(dataset));
    expect(await s.keys(dataset)).toEqual(keysOf(fresh, later));
  });

  test("of 6 restores of one entry at once one happens", async () => {
    const s = suite();
    const dataset = await s.dataset();
    const old = await s.uploadAndLoad(dataset, await s.start(dataset));
    const sync = await full(s, dataset);
    await s.uploadAndLoad(dataset, sync);
    await s.complete(sync);
    const [entry] = await trashOf(s, dataset);
    const outcomes = await Promise.all(Array.from({ length: 6 }, () => faultOf(s.records.trash.restore(s.org, must(entry).id, 30))));
    expect(outcomes.filter((outcome) => outcome === "wrong_state")).toHaveLength(5);
    expect(await s.keys(dataset)).toEqual(keysOf(old));
    expect(await trashOf(s, dataset)).toHaveLength(2);
  });

  test("expired trash cannot be restored or read at its old version, and its parts may be collected; others may not", async () => {
    const s = suite();
    const dataset = await s.dataset();
    const old = await s.uploadAndLoad(dataset, await s.start(dataset));
    const sync = await full(s, dataset);
    const fresh = await s.uploadAndLoad(dataset, sync);
    await s.complete(sync);
    const [entry] = await trashOf(s, dataset);
    await s.records.trash.expire();
    expect((await s.records.trash.byId(s.org, must(entry).id))?.state).toBe("trashed");
    await overdue(s, must(entry).id);
    expect((await Promise.all([s.records.trash.expire(), s.records.trash.expire()])).reduce((a, b) => a + b)).toBe(1);
    expect((await s.records.trash.byId(s.org, must(entry).id))?.state).toBe("expired");
    expect(await faultOf(s.records.trash.restore(s.org, must(entry).id, 30))).toBe("wrong_state");
    expect(await s.keys(dataset, 1)).toBeNull();
    expect(await s.records.trash.collectable(60_000, 1_000)).toEqual([]);
    const dead = await s.records.trash.collectable(0, 1_000);
    expect(dead.filter((part) => part.key === keysOf(old)[0])).toEqual([expect.objectContaining({ last: true })]);
    expect(dead.map((part) => part.key)).not.toContain(keysOf(fresh)[0]);
    expect(await s.records.trash.unknownKeys([...keysOf(old, fresh), "lake/0/nobody.parquet"])).toEqual(["lake/0/nobody.parquet"]);
    await s.records.trash.collected(dead.map((part) => part.id));
    expect(await s.records.trash.unknownKeys(keysOf(old, fresh))).toEqual(keysOf(old));
    expect(await s.keys(dataset)).toEqual(keysOf(fresh));
  });

  test("live parts are never collected, whoever asks for it", async () => {
    const s = suite();
    const dataset = await s.dataset();
    const loaded = await s.uploadAndLoad(dataset, await s.start(dataset));
    await s.records.trash.collected(loaded.parts.map((part) => part.id));
    expect(await s.keys(dataset)).toEqual(keysOf(loaded));
  });
});
