import type { AcceptedFile } from "@sluice/core/ports/uploads";
import { expect, test } from "vitest";
import { faultOf, must, onRecords, staged, tally } from "./suite.ts";

onRecords("committing an upload", (suite) => {
  test("a reader who pages by `from` while 16 uploaders commit sees every history number once, ascending", async () => {
    const s = suite();
    const dataset = await s.dataset();
    const sync = await s.start(dataset);
    const writers = Array.from({ length: 16 }, async () => {
      const accepted: AcceptedFile[] = [];
      for (let i = 0; i < 12; i++) {
        const names = i % 3 === 0 ? ["a.csv", "b.csv", "c.csv"] : ["a.csv"];
        accepted.push(...(await s.commit(dataset, sync, await s.arrive(names))));
      }
      return accepted;
    });
    let writing = true;
    const written = Promise.all(writers).finally(() => {
      writing = false;
    });
    const seen: number[] = [];
    for (let more = true; more;) {
      const last = !writing;
      const page = await s.records.history.files({ org: s.org, sync, sort: "id", descending: false, offset: seen.length, limit: 7 });
      seen.push(...page.map((file) => file.historyNo));
      more = page.length > 0 || !last;
    }
    const numbers = (await written).flat().map((file) => file.historyNo as number);
    expect(seen).toEqual([...numbers].sort((a, b) => a - b));
    expect(new Set(seen).size).toBe(16 * (4 * 3 + 8));
  });

  test("a commit waits for one that drew its number before and is not yet visible", async () => {
    const s = suite();
    const dataset = await s.dataset();
    const sync = await s.start(dataset);
    const [file] = await s.arrive(["late.csv"]);
    // What a committer does that has drawn its number.
    const drawn = [["SELECT pg_advisory_xact_lock(7302, 0)"], ["SELECT nextval('history_numbers')"]] as const;
    const accepted = await s.whileOpen(drawn, 1, () => s.commit(dataset, sync, [must(file)]));
    expect(accepted).toHaveLength(1);
  });

  test("`end` waits for an upload that is being committed, and the completion sees its file", async () => {
    const s = suite();
    const dataset = await s.dataset();
    const sync = await s.start(dataset);
    const [file] = await s.arrive(["last.csv"]);
    const order: string[] = [];
    await s.whileOpen([["SELECT pg_advisory_xact_lock(7302, 0)"]], 2, async () => {
      const committed = s.commit(dataset, sync, [must(file)]).then(() => order.push("committed"));
      await s.untilWaiting(1);
      await Promise.all([committed, s.records.syncs.end(s.org, sync).then(() => order.push("ended"))]);
    });
    expect(order.sort()).toEqual(["committed", "ended"]);
    expect((await s.records.syncs.decide(sync, 30)).step).toBe("not_ready");
  });

  test("a file that is given up while it is committed is not committed, and counts in no total", async () => {
    const s = suite();
    const dataset = await s.dataset();
    const sync = await s.start(dataset);
    const [file] = await s.arrive(["slow.csv"]);
    const abort = ["UPDATE files SET state = 'aborted', finished_at = now() WHERE id = $1", must(file).id] as const;
    expect(await s.whileOpen([abort], 1, () => faultOf(s.commit(dataset, sync, [must(file)])))).toBe("aborted");
    expect((await s.sync(sync)).total).toBe(0);
  });

  test("the files of one request get numbers in the order of the body", async () => {
    const s = suite();
    const dataset = await s.dataset();
    const sync = await s.start(dataset);
    const names = Array.from({ length: 40 }, (_, i) => `file-${(i * 17) % 40}.csv`);
    await s.upload(dataset, sync, names);
    const found = await s.records.history.files({ org: s.org, sync, sort: "id", descending: false, limit: 100 });
    expect(found.map((file) => file.name)).toEqual(names);
  });

  test("the files of one request are committed all, or none: one that was given up takes the others with it", async () => {
    const s = suite();
    const dataset = await s.dataset();
    const sync = await s.start(dataset);
    const files = await s.arrive(["a.csv", "b.csv", "c.csv"]);
    expect(await s.records.uploads.abort([must(files[1]).id])).toEqual([must(files[1]).id]);
    expect(await faultOf(s.commit(dataset, sync, files))).toBe("aborted");
    expect(await s.records.history.files({ org: s.org, sync, sort: "id", descending: false, limit: 10 })).toEqual([]);
    expect((await s.sync(sync)).total).toBe(0);
  });

  test("an aborted file cannot be committed, and counts in no total", async () => {
    const s = suite();
    const dataset = await s.dataset();
    const sync = await s.start(dataset);
    const [file] = await s.arrive(["a.csv"]);
    await s.records.uploads.abort([must(file).id]);
    expect(await faultOf(s.commit(dataset, sync, [must(file)]))).toBe("aborted");
    expect((await s.sync(sync)).total).toBe(0);
  });

  test("of an abort and a commit at once exactly one happens", async () => {
    const s = suite();
    const dataset = await s.dataset();
    const sync = await s.start(dataset);
    let committed = 0;
    for (let i = 0; i < 40; i++) {
      const [file] = await s.arrive([`${i}.csv`]);
      const [outcome, aborted] = await Promise.all([
        faultOf(s.commit(dataset, sync, [must(file)])),
        s.records.uploads.abort([must(file).id]),
      ]);
      const isIn = Array.isArray(outcome);
      if (isIn) committed += 1;
      expect([isIn, aborted.length]).toEqual(isIn ? [true, 0] : [false, 1]);
    }
    expect((await s.sync(sync)).total).toBe(committed);
  });

  test("a committed file is not among those that an abort tells", async () => {
    const s = suite();
    const dataset = await s.dataset();
    const [file] = await s.upload(dataset, await s.start(dataset));
    expect(await s.records.uploads.abort([must(file)])).toEqual([]);
    expect((await s.file(must(file))).state).toBe("staged");
  });

  test("a commit whose arrival note was lost works all the same", async () => {
    const s = suite();
    const dataset = await s.dataset();
    const sync = await s.start(dataset);
    const file = staged("unnoted.csv");
    const [accepted] = await s.commit(dataset, sync, [file]);
    expect((await s.file(must(accepted).id)).state).toBe("staged");
    expect((await s.sync(sync)).total).toBe(1);
  });

  test("a file that was committed is not committed a second time", async () => {
    const s = suite();
    const dataset = await s.dataset();
    const sync = await s.start(dataset);
    const file = staged("twice.csv");
    await s.commit(dataset, sync, [file]);
    await expect(s.commit(dataset, sync, [file])).rejects.toThrow("was committed before");
    expect((await s.sync(sync)).total).toBe(1);
  });

  test("files still receiving after the time are given up, younger and committed ones are not", async () => {
    const s = suite();
    const dataset = await s.dataset();
    const sync = await s.start(dataset);
    const [old, young] = await s.arrive(["old.csv", "young.csv"]);
    const [committed] = await s.upload(dataset, sync);
    await s.sql("UPDATE files SET received_at = now() - interval '2 days' WHERE id = ANY($1)", [[must(old).id, committed]]);
    expect(await s.records.uploads.abandon(86_400_000)).toEqual([{ id: must(old).id, rawKey: must(old).rawKey }]);
    expect(await s.records.uploads.abandon(86_400_000)).toEqual([]);
    expect(await s.commit(dataset, sync, [must(young)])).toHaveLength(1);
  });

  test("`end` racing 100 uploads: each is in with a number, or refused; the completion sees exactly those in", async () => {
    const s = suite();
    const dataset = await s.dataset();
    const sync = await s.start(dataset);
    const files = await Promise.all(Array.from({ length: 100 }, (_, i) => s.arrive([`${i}.csv`])));
    const uploads = files.map((each) => faultOf(s.commit(dataset, sync, each)));
    await Promise.race(uploads.slice(10));
    await s.records.syncs.end(s.org, sync);
    const outcomes = await Promise.all(uploads);
    const accepted = outcomes.filter((outcome): outcome is AcceptedFile[] => Array.isArray(outcome)).flat();
    const refused = outcomes.filter((outcome) => !Array.isArray(outcome)) as string[];
    expect(tally(refused)).toEqual(refused.length === 0 ? {} : { sync_closed: refused.length });
    expect(accepted.length).toBeGreaterThan(0);
    const row = await s.sync(sync);
    expect(row.total).toBe(accepted.length);
    expect((await s.records.syncs.decide(sync, 30)).step).toBe("not_ready");
    for (const file of accepted) await s.fail(file.id);
    await s.complete(sync);
    expect(await s.sync(sync)).toMatchObject({ state: "failed", total: accepted.length, failed: accepted.length });
  });

  test("an upload to a sync that is ending, or unknown, or another org's, is refused and leaves no number behind", async () => {
    const s = suite();
    const dataset = await s.dataset();
    const sync = await s.start(dataset);
    await s.records.syncs.end(s.org, sync);
    expect(await faultOf(s.commit(dataset, sync, [staged("a.csv")]))).toBe("sync_closed");
    expect(await faultOf(s.commit(dataset, 999_999 as typeof sync, [staged("a.csv")]))).toBe("not_found");
    const foreign = { ...s.target(dataset, await s.start(dataset)), org: 77 as typeof s.org };
    expect(await faultOf(s.records.uploads.commit({ target: foreign, files: [staged("a.csv")], options: {}, rules: {} }))).toBe(
      "not_found",
    );
  });

  test("totals equal an audit of the files after everything that can happen to them", async () => {
    const s = suite();
    const dataset = await s.dataset();
    const sync = await s.start(dataset);
    const [a, b, c, d] = await s.upload(dataset, sync, ["a", "b", "c", "d"]);
    await s.load(must(a));
    await s.store(must(b));
    await s.fail(must(c));
    await s.fail(must(d));
    await s.records.history.retry(s.org, must(c));
    await s.load(must(c));
    const cancelled = await s.start(dataset);
    await s.upload(dataset, cancelled, ["e", "f"]);
    await s.records.syncs.cancel(s.org, cancelled);
    const { counted, found } = await s.audit();
    expect(counted).toEqual(found);
    expect(await s.sync(sync)).toMatchObject({ total: 4, loaded: 2, stored: 1, failed: 1 });
    expect(await s.sync(cancelled)).toMatchObject({ total: 2, failed: 2 });
  });
});
