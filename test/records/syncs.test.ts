import { expect, test } from "vitest";
import { faultOf, keysOf, loadedFile, must, onRecords, type Suite, tally } from "./suite.ts";

/** decide() as a worker that has all files done. */
const decide = (s: Suite, sync: Awaited<ReturnType<Suite["start"]>>) => s.records.syncs.decide(sync, 30);

onRecords("syncs from start to end", (suite) => {
  test("sync ids ascend in commit order under 16 starters, so that pages of the list stay where they are", async () => {
    const s = suite();
    const dataset = await s.dataset();
    const first = await s.start(dataset);
    let running = true;
    const started = Promise.all(
      Array.from({ length: 16 }, async () => [await s.start(dataset), await s.start(dataset, { type: "full" })]),
    ).finally(() => {
      running = false;
    });
    const seen: number[] = [];
    for (let more = true; more;) {
      const last = !running;
      const page = await s.records.history.syncs({
        org: s.org,
        path: (await s.datasetNow(dataset)).path,
        sort: "id",
        descending: false,
        offset: seen.length,
        limit: 5,
      });
      seen.push(...page.map((sync) => sync.id));
      more = page.length > 0 || !last;
    }
    expect(seen).toEqual([first, ...(await started).flat()].sort((a, b) => a - b));
  });

  test("`end` freezes the set, may be repeated also when the sync is finished, and refuses a cancelled one", async () => {
    const s = suite();
    const dataset = await s.dataset();
    const sync = await s.start(dataset);
    expect(await s.records.syncs.end(s.org, sync)).toBe("ending");
    expect(await s.records.syncs.end(s.org, sync)).toBe("ending");
    await s.complete(sync);
    expect(await s.records.syncs.end(s.org, sync)).toBe("finished");
    const cancelled = await s.start(dataset);
    await s.records.syncs.cancel(s.org, cancelled);
    expect(await faultOf(s.records.syncs.end(s.org, cancelled))).toBe("sync_closed");
  });

  test("an incremental sync ended with no files is finished", async () => {
    const s = suite();
    const dataset = await s.dataset();
    const sync = await s.start(dataset);
    await s.complete(sync);
    expect(await s.sync(sync)).toMatchObject({ state: "finished", message: "", total: 0 });
    expect((await s.sync(sync)).endedAtMs).not.toBeNull();
  });

  test("an incremental sync whose every file failed is failed; one file loaded makes it finished", async () => {
    const s = suite();
    const dataset = await s.dataset();
    const [bad, mixed] = [await s.start(dataset), await s.start(dataset)];
    const [a, b] = await s.upload(dataset, bad, ["a", "b"]);
    const [c, d] = await s.upload(dataset, mixed, ["c", "d"]);
    for (const file of [a, b, c]) await s.fail(must(file));
    await s.load(must(d));
    await s.complete(bad);
    await s.complete(mixed);
    expect(await s.sync(bad)).toMatchObject({ state: "failed", message: "all 2 of its files failed", failed: 2 });
    expect(await s.sync(mixed)).toMatchObject({ state: "finished", failed: 1, loaded: 1 });
  });

  test("a sync is not decided while it is open or a file of it is, in whatever state", async () => {
    const s = suite();
    const dataset = await s.dataset();
    const sync = await s.start(dataset);
    expect((await decide(s, sync)).step).toBe("not_ready");
    const [file] = await s.upload(dataset, sync);
    await s.records.syncs.end(s.org, sync);
    expect((await decide(s, sync)).step).toBe("not_ready");
    const { epoch } = await s.claim(must(file));
    expect((await decide(s, sync)).step).toBe("not_ready");
    await s.records.work.giveBack(must(file), epoch, { delayMs: 0, strike: false });
    expect((await decide(s, sync)).step).toBe("not_ready");
    expect(await s.records.syncs.due(100)).not.toContain(sync);
    await s.load(must(file));
    expect(await s.records.syncs.due(100)).toContain(sync);
    expect((await decide(s, sync)).step).toBe("decided");
  });

  test("a sync shows its outcome only after current.json has reached the version of it", async () => {
    const s = suite();
    const dataset = await s.dataset();
    const sync = await s.start(dataset, { type: "full" });
    await s.uploadAndLoad(dataset, sync);
    await s.records.syncs.end(s.org, sync);
    const step = await decide(s, sync);
    expect(step).toMatchObject({ step: "decided", version: 1 });
    await s.records.syncs.close(sync);
    expect(await s.sync(sync)).toMatchObject({ state: "ending", endedAtMs: null });
    // A worker that died between deciding and closing: the sync is still due.
    expect(await s.records.syncs.due(100)).toContain(sync);
    expect(await decide(s, sync)).toEqual(step);
    let during = "";
    await s.records.current.write(dataset, true, async () => {
      await s.records.syncs.close(sync);
      during = (await s.sync(sync)).state;
    });
    expect(during).toBe("ending");
    await s.records.syncs.close(sync);
    expect((await s.sync(sync)).state).toBe("finished");
    expect(await decide(s, sync)).toEqual({ step: "closed", state: "finished" });
    expect(await s.records.syncs.due(100)).not.toContain(sync);
  });

  test("20 workers that complete one full sync at once swap it once", async () => {
    const s = suite();
    const dataset = await s.dataset();
    const sync = await s.start(dataset, { type: "full" });
    const loaded = await s.uploadAndLoad(dataset, sync);
    await s.records.syncs.end(s.org, sync);
    await Promise.all(
      Array.from({ length: 20 }, async () => {
        const step = await decide(s, sync);
        if (step.step === "closed") return;
        expect(step).toMatchObject({ step: "decided", version: 1 });
        await s.records.current.write(dataset, true, () => Promise.resolve());
        await s.records.syncs.close(sync);
      }),
    );
    expect(await s.datasetNow(dataset)).toMatchObject({ version: 1, generationNumber: 2, writtenVersion: 1 });
    expect(await s.keys(dataset)).toEqual(keysOf(loaded));
    expect(await s.records.trash.list(s.org, { after: null, limit: 10, dataset })).toHaveLength(1);
    expect((await s.sync(sync)).state).toBe("finished");
  });

  test("a file that fails in the instant of completion is among the failed: keep_old keeps the old data", async () => {
    const s = suite();
    for (let round = 0; round < 15; round++) {
      const dataset = await s.dataset();
      const sync = await s.start(dataset, { type: "full", onFileError: "keep_old" });
      const [good, bad] = await s.upload(dataset, sync, ["good", "bad"]);
      await s.load(must(good));
      const { epoch } = await s.claim(must(bad));
      await s.records.syncs.end(s.org, sync);
      const fault = { code: "unreadable", message: "no" } as const;
      const failing = s.records.publication.publishFailed({
        file: must(bad),
        epoch,
        fault,
        findings: { detected: null, counts: { read: 0, loaded: 0, rejected: 0, skipped: 0, warnings: 0 }, rejects: [], rejectsKey: null },
      });
      await Promise.all([failing, ...Array.from({ length: 4 }, () => decide(s, sync))]);
      await s.complete(sync);
      expect(await s.sync(sync)).toMatchObject({ state: "failed", failed: 1, loaded: 1 });
      expect((await s.datasetNow(dataset)).generationNumber).toBe(1);
    }
  });

  test("cancelling an incremental sync keeps what is loaded, fails what is open and stops its workers", async () => {
    const s = suite();
    const dataset = await s.dataset();
    const sync = await s.start(dataset);
    const [a, b, c] = await s.upload(dataset, sync, ["a", "b", "c"]);
    const loaded = await s.load(must(a));
    const claimed = await s.claim(must(b));
    await s.records.syncs.cancel(s.org, sync);
    expect(await s.sync(sync)).toMatchObject({ state: "cancelled", total: 3, failed: 2, loaded: 1 });
    expect(await s.epoch(must(b))).toBe(claimed.epoch + 1);
    expect(await s.records.publication.publishLoaded(loadedFile(claimed))).toBe("stale");
    expect(await s.file(must(c))).toMatchObject({ state: "failed", fault: { code: "cancelled" } });
    expect(await s.keys(dataset)).toEqual(keysOf(loaded));
    expect(await faultOf(s.commit(dataset, sync, await s.arrive(["d"])))).toBe("sync_closed");
    expect(await faultOf(s.records.syncs.cancel(s.org, sync))).toBe("sync_closed");
    expect(await decide(s, sync)).toEqual({ step: "closed", state: "cancelled" });
  });

  test("cancelling a full sync keeps the old data, and what it built is dead", async () => {
    const s = suite();
    const dataset = await s.dataset();
    const old = await s.uploadAndLoad(dataset, await s.start(dataset));
    const sync = await s.start(dataset, { type: "full" });
    const built = await s.uploadAndLoad(dataset, sync);
    await s.records.syncs.cancel(s.org, sync);
    expect(await s.keys(dataset)).toEqual(keysOf(old));
    const dead = (await s.records.trash.collectable(0, 1_000)).map((part) => part.key);
    expect(dead).toEqual(expect.arrayContaining(keysOf(built)));
    expect(dead).not.toEqual(expect.arrayContaining(keysOf(old)));
  });

  test("a sync whose outcome is decided can no longer be cancelled", async () => {
    const s = suite();
    const dataset = await s.dataset();
    const sync = await s.start(dataset);
    await s.records.syncs.end(s.org, sync);
    await decide(s, sync);
    expect(await faultOf(s.records.syncs.cancel(s.org, sync))).toBe("sync_closed");
  });

  test("a cancel racing the last file's publication leaves either both done or neither seen", async () => {
    const s = suite();
    const outcomes: string[] = [];
    for (let round = 0; round < 12; round++) {
      const dataset = await s.dataset();
      const sync = await s.start(dataset, { type: "full" });
      const [file] = await s.upload(dataset, sync);
      const claimed = await s.claim(must(file));
      const [result] = await Promise.all([s.records.publication.publishLoaded(loadedFile(claimed)), s.records.syncs.cancel(s.org, sync)]);
      outcomes.push(`${result} ${(await s.file(must(file))).state}`);
      expect(await s.keys(dataset)).toEqual([]);
      const live = await s.sql("SELECT 1 FROM parts WHERE dataset_id = $1 AND dead_at IS NULL", [dataset]);
      expect(live).toEqual([]);
    }
    expect(["done loaded", "stale failed"]).toEqual(expect.arrayContaining([...new Set(outcomes)]));
  });

  test("an open sync idle beyond its timeout expires: full keeps the old data, incremental what is loaded", async () => {
    const s = suite();
    const dataset = await s.dataset();
    const [full, incremental, never, busy] = [
      await s.start(dataset, { type: "full", idleMs: 60_000 }),
      await s.start(dataset, { idleMs: 60_000 }),
      await s.start(dataset),
      await s.start(dataset, { idleMs: 60_000 }),
    ];
    await s.uploadAndLoad(dataset, full);
    const kept = await s.uploadAndLoad(dataset, incremental);
    const [open] = await s.upload(dataset, incremental);
    const fresh = await s.uploadAndLoad(dataset, busy);
    await s.records.syncs.due(100);
    expect((await s.sync(full)).state).toBe("open");
    await s.sql("UPDATE syncs SET started_at = now() - interval '2 minutes' WHERE dataset_id = $1", [dataset]);
    await s.sql("UPDATE files SET received_at = now() - interval '2 minutes' WHERE sync_id = ANY($1)", [[full, incremental]]);
    await Promise.all([s.records.syncs.due(100), s.records.syncs.due(100)]);
    expect(await Promise.all([full, incremental, never, busy].map(async (sync) => (await s.sync(sync)).state))).toEqual([
      "expired",
      "expired",
      "open",
      "open",
    ]);
    expect(await s.file(must(open))).toMatchObject({ state: "failed", fault: { code: "expired" } });
    expect(await s.keys(dataset)).toEqual(keysOf(kept, fresh));
    expect(await faultOf(s.records.syncs.end(s.org, full))).toBe("sync_closed");
  });

  test("all uploads of a dataset without a sync go to one implicit sync, in no list, that cannot be ended", async () => {
    const s = suite();
    const dataset = await s.dataset();
    const ids = await Promise.all(Array.from({ length: 12 }, () => s.records.syncs.implicit(s.org, dataset)));
    expect(new Set(ids).size).toBe(1);
    const [implicit] = ids;
    const listed = await s.records.history.syncs({ org: s.org, sync: must(implicit), sort: "id", descending: false, limit: 10 });
    expect(listed).toEqual([]);
    expect(await faultOf(s.records.syncs.end(s.org, must(implicit)))).toBe("not_found");
    const loaded = await s.uploadAndLoad(dataset, must(implicit));
    expect(await s.keys(dataset)).toEqual(keysOf(loaded));
  });

  test("a failed file of an incremental sync may be retried, also when the sync is over; its totals are corrected", async () => {
    const s = suite();
    const dataset = await s.dataset();
    const sync = await s.start(dataset);
    const [file] = await s.upload(dataset, sync);
    await s.fail(must(file));
    await s.complete(sync);
    const before = await s.epoch(must(file));
    await s.records.history.retry(s.org, must(file));
    expect(await s.file(must(file))).toMatchObject({ state: "staged", fault: null, strikes: 0, finishedAtMs: null });
    expect(await s.epoch(must(file))).toBe(before + 1);
    expect(await s.sync(sync)).toMatchObject({ total: 1, failed: 0 });
    const loaded = await s.load(must(file));
    expect(await s.keys(dataset)).toEqual(keysOf(loaded));
    expect(await s.sync(sync)).toMatchObject({ total: 1, failed: 0, loaded: 1 });
    expect(await faultOf(s.records.history.retry(s.org, must(file)))).toBe("wrong_state");
  });

  test("of 10 retries at once one counts", async () => {
    const s = suite();
    const dataset = await s.dataset();
    const sync = await s.start(dataset);
    const [file] = await s.upload(dataset, sync);
    await s.fail(must(file));
    const outcomes = await Promise.all(Array.from({ length: 10 }, () => faultOf(s.records.history.retry(s.org, must(file)))));
    expect(tally(outcomes.map((outcome) => String(outcome)))).toEqual({ undefined: 1, wrong_state: 9 });
    expect((await s.sync(sync)).failed).toBe(0);
  });

  test("a failed file of a full sync may be retried until the outcome is decided, not after", async () => {
    const s = suite();
    const dataset = await s.dataset();
    const sync = await s.start(dataset, { type: "full", onFileError: "keep_old" });
    const [a, b] = await s.upload(dataset, sync, ["a", "b"]);
    await s.load(must(a));
    await s.fail(must(b));
    await s.records.syncs.end(s.org, sync);
    await s.records.history.retry(s.org, must(b));
    expect((await decide(s, sync)).step).toBe("not_ready");
    await s.fail(must(b));
    expect((await decide(s, sync)).step).toBe("decided");
    expect(await faultOf(s.records.history.retry(s.org, must(b)))).toBe("wrong_state");
    await s.complete(sync);
    expect(await faultOf(s.records.history.retry(s.org, must(b)))).toBe("wrong_state");
  });

  test("a file whose raw bytes are gone cannot be retried", async () => {
    const s = suite();
    const dataset = await s.dataset();
    const [file] = await s.upload(dataset, await s.start(dataset));
    await s.fail(must(file));
    await s.sql("UPDATE files SET finished_at = now() - interval '9 days' WHERE id = $1", [file]);
    expect((await s.records.trash.expiredRaw(86_400_000, 100)).map((each) => each.file)).toEqual([file]);
    expect(await s.records.trash.expiredRaw(86_400_000, 100)).toEqual([]);
    expect(await faultOf(s.records.history.retry(s.org, must(file)))).toBe("raw_gone");
  });
});
