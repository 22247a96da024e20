import { MAX_LOST_LEASES, NO_ROWS } from "@sluice/core/domain/file";
import type { Epoch, FileId, OrgId } from "@sluice/core/domain/ids";
import type { Job } from "@sluice/core/ports/job-queue";
import { expect, test } from "vitest";
import { findings, loadedFile, must, onRecords, storedFile, type Suite } from "./suite.ts";

const job = (file: FileId, epoch: number): Job => ({ kind: "file", file, epoch });

/** One staged file of an incremental sync. */
async function oneFile(s: Suite): Promise<FileId> {
  const dataset = await s.dataset();
  return must((await s.upload(dataset, await s.start(dataset)))[0]);
}

const lapse = (s: Suite, files: readonly FileId[]) =>
  s.sql("UPDATE files SET lease_until = now() - interval '1 s' WHERE id = ANY($1) AND state = 'claimed'", [files]);

onRecords("who works on what", (suite) => {
  test("of 20 workers that claim one job one gets the file, whole", async () => {
    const s = suite();
    const file = await oneFile(s);
    const claims = await Promise.all(Array.from({ length: 20 }, (_, i) => s.records.work.claim({ file, epoch: 0 }, `w${i}`, 60_000)));
    const won = claims.filter((claim) => claim !== null);
    expect(won).toHaveLength(1);
    expect(won[0]).toMatchObject({
      id: file,
      epoch: 1,
      attempts: 1,
      bytes: 10,
      options: {},
      rules: { policy: "evolve", onBadRow: "quarantine" },
    });
    expect((await s.file(file)).state).toBe("claimed");
  });

  test("the rules in force are the dataset's, then the sync's, then the upload's", async () => {
    const s = suite();
    const dataset = await s.dataset();
    await s.records.catalog.setRules(s.org, dataset, { policy: "strict", maxRejects: { rows: 5 } });
    const sync = await s.start(dataset, { onBadRow: "coerce" });
    const files = await s.arrive(["a.csv"]);
    await s.records.uploads.commit({
      target: s.target(dataset, sync),
      files,
      options: { delimiter: ";" },
      rules: { maxRejects: { share: 0.5 } },
    });
    const claimed = await s.claim(must(files[0]).id);
    expect(claimed.rules).toEqual({ policy: "strict", onBadRow: "coerce", maxRejects: { share: 0.5 } });
    expect(claimed.options).toEqual({ delimiter: ";" });
  });

  test("a stale epoch changes nothing, in any method", async () => {
    const s = suite();
    const file = await oneFile(s);
    const stale = await s.claim(file);
    await lapse(s, [file]);
    await s.records.work.overdue(5_000, 100);
    const newest = await s.claim(file);
    const snapshot = () => s.sql("SELECT * FROM files WHERE id = $1", [file]);
    const before = await snapshot();
    const { work, publication } = s.records;
    expect(await work.claim({ file, epoch: 0 }, "w", 1_000)).toBeNull();
    expect(await work.claim({ file, epoch: stale.epoch }, "w", 1_000)).toBeNull();
    expect(await work.target(file, stale.epoch)).toBeNull();
    expect(await work.heartbeat([{ id: file, epoch: stale.epoch, rows: 9, bytes: 9 }], 1_000)).toEqual([file]);
    await work.giveBack(file, stale.epoch, { delayMs: 0, strike: true });
    await work.untake([job(file, stale.epoch)]);
    expect(await work.putBack([job(file, stale.epoch)])).toBe(0);
    expect(await publication.publishLoaded(loadedFile(stale))).toBe("stale");
    expect(await publication.publishStored(storedFile(stale))).toBe("stale");
    const fault = { code: "unreadable", message: "no" } as const;
    expect(await publication.publishFailed({ file, epoch: stale.epoch, fault, findings: findings(NO_ROWS) })).toBe("stale");
    expect(await snapshot()).toEqual(before);
    expect(await s.sql("SELECT 1 FROM part_files WHERE file_id = $1", [file])).toEqual([]);
    expect(await publication.publishLoaded(loadedFile(newest))).toBe("done");
  });

  test("a heartbeat prolongs the lease, notes progress and tells the files that are lost or cancelled", async () => {
    const s = suite();
    const [kept, lost, cancelled] = [await oneFile(s), await oneFile(s), await oneFile(s)];
    const held = await Promise.all([kept, lost, cancelled].map((file) => s.claim(file)));
    await s.records.syncs.cancel(s.org, must(held[2]).sync);
    const beats = held.map((file, i) => ({ id: file.id, epoch: (i === 1 ? file.epoch - 1 : file.epoch) as Epoch, rows: 5, bytes: 7 }));
    expect([...(await s.records.work.heartbeat(beats, 60_000))].sort()).toEqual([lost, cancelled].sort());
    expect((await s.file(kept)).progress).toEqual({ rows: 5, bytes: 7 });
    const [lease] = await s.sql("SELECT lease_until > now() + interval '30 s' AS long FROM files WHERE id = $1", [kept]);
    expect(lease).toEqual({ long: true });
  });

  test("a file given back is due after the delay and not before; a strike is counted", async () => {
    const s = suite();
    const file = await oneFile(s);
    const first = await s.claim(file);
    await s.records.work.giveBack(file, first.epoch, { delayMs: 60_000, strike: true });
    expect(await s.file(file)).toMatchObject({ state: "waiting", strikes: 1, lostLeases: 0 });
    expect((await s.records.work.takeDue(s.org, 1_000)).map((each) => (each.kind === "file" ? each.file : ""))).not.toContain(file);
    await s.sql("UPDATE files SET due_at = now() WHERE id = $1", [file]);
    expect(await s.records.work.takeDue(s.org, 1_000)).toContainEqual(job(file, first.epoch));
    const second = await s.claim(file);
    await s.records.work.giveBack(file, second.epoch, { delayMs: 0, strike: false });
    expect(await s.file(file)).toMatchObject({ strikes: 1, attempts: 2 });
  });

  test("a lapsed lease is counted and the file put back, once, whoever looks; a lease that runs is left", async () => {
    const s = suite();
    const [lapsed, running] = [await oneFile(s), await oneFile(s)];
    const claimed = await s.claim(lapsed);
    await s.claim(running);
    await lapse(s, [lapsed]);
    const found = await Promise.all(Array.from({ length: 8 }, () => s.records.work.overdue(5_000, 100)));
    expect(found.reduce((sum, each) => sum + each.putBack, 0)).toBe(1);
    expect(await s.file(lapsed)).toMatchObject({ state: "waiting", lostLeases: 1, strikes: 0 });
    expect(await s.epoch(lapsed)).toBe(claimed.epoch + 1);
    expect((await s.file(running)).state).toBe("claimed");
  });

  test("after ten lost leases the file is worn: told to the one who fails it, with the epoch that may", async () => {
    const s = suite();
    const file = await oneFile(s);
    for (let lost = 1; lost < MAX_LOST_LEASES; lost++) {
      await s.claim(file);
      await lapse(s, [file]);
      expect(await s.records.work.overdue(5_000, 100)).toMatchObject({ putBack: 1, worn: [] });
    }
    const { epoch } = await s.claim(file);
    await lapse(s, [file]);
    const { worn, putBack } = await s.records.work.overdue(5_000, 100);
    expect(putBack).toBe(0);
    expect(worn).toEqual([{ file, epoch: epoch + 1 }]);
    // The one who was told died: it is told again when its own lease is over.
    expect((await s.records.work.overdue(5_000, 100)).worn).toEqual([]);
    await lapse(s, [file]);
    const [again] = (await s.records.work.overdue(5_000, 100)).worn;
    expect(again?.file).toBe(file);
    const fault = { code: "lease_lost", message: "ten" } as const;
    expect(await s.records.publication.publishFailed({ file, epoch: must(again).epoch, fault, findings: findings(NO_ROWS) })).toBe("done");
    expect(await s.file(file)).toMatchObject({ state: "failed", lostLeases: 11, fault: { code: "lease_lost" } });
  });

  test("an org's share of the queue is bounded, also when 8 dispatchers look at once; the oldest go first", async () => {
    const s = suite();
    const org = 41 as OrgId;
    await s.records.directory.ensureOrg(org, "bounded");
    const [before, s0] = [s.org, s];
    s0.org = org;
    try {
      const dataset = await s.dataset({}, "/bounded");
      const files = await s.upload(
        dataset,
        await s.start(dataset),
        Array.from({ length: 60 }, (_, i) => `${i}.csv`),
      );
      await s.sql("UPDATE files SET due_at = now() - (100 - history_no % 1000) * interval '1 s' WHERE org_id = $1", [org]);
      const oldest = await s.sql<{ id: FileId }>("SELECT id FROM files WHERE org_id = $1 ORDER BY due_at, id LIMIT 10", [org]);
      const taken = (
        await s.whileOpen([["LOCK TABLE files IN SHARE MODE"]], 8, () =>
          Promise.all(Array.from({ length: 8 }, () => s.records.work.takeDue(org, 10))),
        )
      ).flat();
      expect(taken).toEqual(oldest.map(({ id }) => job(id, 0)));
      expect(await s.records.work.takeDue(org, 10)).toEqual([]);
      await s.records.work.untake(taken.slice(0, 3));
      expect(await s.records.work.takeDue(org, 10)).toEqual(taken.slice(0, 3));
      await s.claim(must(oldest[0]).id);
      expect(await s.records.work.takeDue(org, 10)).toHaveLength(1);
      expect(files).toHaveLength(60);
    } finally {
      s0.org = before;
    }
  });

  test("due files of every org are taken, each up to the bound", async () => {
    const s = suite();
    const before = s.org;
    for (const org of [51, 52] as OrgId[]) {
      await s.records.directory.ensureOrg(org, `org ${org}`);
      s.org = org;
      const dataset = await s.dataset({}, "/every");
      await s.upload(dataset, await s.start(dataset), ["a", "b", "c"]);
    }
    s.org = before;
    await s.records.work.takeDue(null, 2);
    const marked = await s.sql(
      "SELECT org_id::int, count(*)::int AS files FROM files WHERE enqueued_at IS NOT NULL AND org_id IN (51, 52) GROUP BY 1 ORDER BY 1",
    );
    expect(marked).toEqual([
      { org_id: 51, files: 2 },
      { org_id: 52, files: 2 },
    ]);
  });

  test("a job that the queue lost is put back under a new epoch, and the old job is dropped", async () => {
    const s = suite();
    const file = await oneFile(s);
    const taken = (await s.records.work.takeDue(s.org, 1_000)).filter((each) => each.kind === "file" && each.file === file);
    await s.sql("UPDATE files SET enqueued_at = now() - interval '10 s' WHERE id = $1", [file]);
    expect((await s.records.work.overdue(60_000, 1_000)).enqueued).not.toContainEqual(taken[0]);
    expect((await s.records.work.overdue(5_000, 1_000)).enqueued).toContainEqual(taken[0]);
    expect(await s.records.work.putBack(taken)).toBe(1);
    expect(await s.records.work.putBack(taken)).toBe(0);
    expect(await s.records.work.claim({ file, epoch: 0 }, "w", 1_000)).toBeNull();
    expect(await s.records.work.takeDue(s.org, 1_000)).toContainEqual(job(file, 1));
  });

  test("claims, cancels, heartbeats and lapses of the same files at once end with an account that holds", async () => {
    const s = suite();
    const dataset = await s.dataset();
    const sync = await s.start(dataset);
    const files = await s.upload(
      dataset,
      sync,
      Array.from({ length: 60 }, (_, i) => `${i}.csv`),
    );
    const held = await Promise.all(files.slice(0, 40).map((file) => s.claim(file)));
    const beats = held.map((file) => ({ id: file.id, epoch: file.epoch, rows: 1, bytes: 1 }));
    await Promise.all([
      ...held.slice(0, 20).map((file) => s.records.publication.publishLoaded(loadedFile(file))),
      ...[beats, [...beats].reverse(), beats].map((each) => s.records.work.heartbeat(each, 60_000)),
      s.records.syncs.cancel(s.org, sync),
      s.records.work.overdue(5_000, 100),
      s.records.work.takeDue(s.org, 1_000),
    ]);
    const { counted, found } = await s.audit();
    expect(counted).toEqual(found);
    const row = await s.sync(sync);
    expect(row.failed + row.loaded).toBe(60);
    const seen = must(await s.keys(dataset));
    expect(seen).toHaveLength(row.loaded);
  });
});
