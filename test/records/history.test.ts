import type { HistoryNo, OrgId, SyncId } from "@sluice/core/domain/ids";
import { FILE_SORTS, SYNC_SORTS } from "@sluice/core/ports/history";
import { beforeAll, expect, test } from "vitest";
import { must, onRecords } from "./suite.ts";

onRecords("reading the history", (suite) => {
  let path: string;
  let syncs: SyncId[];
  let numbers: number[];

  beforeAll(async () => {
    const s = suite();
    s.org = 3 as OrgId;
    await s.records.directory.ensureOrg(s.org, "three");
    const dataset = await s.dataset({}, "/sales/2026");
    const other = await s.dataset({}, "/sales/2025");
    path = "/sales/2026";
    syncs = [
      await s.start(dataset, { name: "b" }),
      await s.start(dataset, { name: "a", type: "full" }),
      await s.start(other, { name: "c" }),
    ];
    const [first, second, third] = syncs.map((sync) => must(sync));
    const files = [
      ...(await s.upload(dataset, must(first), ["x.csv"])),
      ...(await s.upload(dataset, must(first), ["y.csv"], "north")),
      ...(await s.upload(dataset, must(second), ["x.csv"], "north/may")),
      ...(await s.upload(dataset, must(second), ["z.csv"], "northern")),
      ...(await s.upload(other, must(third), ["x.csv"])),
    ];
    numbers = await Promise.all(files.map(async (file) => (await s.file(file)).historyNo));
    await s.load(must(files[0]));
    await s.fail(must(files[1]));
    await s.uploadAndLoad(dataset, await s.records.syncs.implicit(s.org, dataset));
    numbers.push(Math.max(...numbers) + 1);
  });

  const files = async (query: object) => {
    const found = await suite().records.history.files({ org: suite().org, sort: "id", descending: false, limit: 100, ...query });
    return found.map((file) => numbers.indexOf(file.historyNo));
  };
  const list = async (query: object) => {
    const found = await suite().records.history.syncs({ org: suite().org, sort: "id", descending: false, limit: 100, ...query });
    return found.map((sync) => syncs.indexOf(sync.id));
  };

  test("files come in ascending history numbers, also backwards, from an offset, and after a cursor either way", async () => {
    expect(await files({})).toEqual([0, 1, 2, 3, 4, 5]);
    expect(await files({ descending: true, limit: 2 })).toEqual([5, 4]);
    expect(await files({ offset: 4 })).toEqual([4, 5]);
    expect(await files({ after: numbers[2] as HistoryNo, limit: 2 })).toEqual([3, 4]);
    expect(await files({ after: numbers[2] as HistoryNo, descending: true })).toEqual([1, 0]);
    expect(await files({ offset: 99 })).toEqual([]);
  });

  test("files are filtered by sync, name, state and dataset", async () => {
    expect(await files({ sync: syncs[1] })).toEqual([2, 3]);
    expect(await files({ name: "x.csv" })).toEqual([0, 2, 4]);
    expect(await files({ name: "x" })).toEqual([]);
    expect(await files({ states: ["failed"] })).toEqual([1]);
    expect(await files({ states: ["loaded", "stored"] })).toEqual([0, 5]);
    expect(await files({ states: ["fetching", "staged", "claimed", "waiting"] })).toEqual([2, 3, 4]);
    expect(await files({ states: [] })).toEqual([]);
    expect(await files({ sync: syncs[0], states: ["failed"], name: "y.csv" })).toEqual([1]);
  });

  test("a path finds its dataset's files; a path beneath finds the sub-path and what lies below it, not what begins alike", async () => {
    expect(await files({ path })).toEqual([0, 1, 2, 3, 5]);
    expect(await files({ path: `${path}/north` })).toEqual([1, 2]);
    expect(await files({ path: `${path}/north/may` })).toEqual([2]);
    expect(await files({ path: "/sales" })).toEqual([]);
    expect(await files({ path: "/sales/20" })).toEqual([]);
    expect(await files({ path: "/sales/2025" })).toEqual([4]);
  });

  test("every sort is total both ways: backwards is exactly the reverse, and pages neither repeat nor miss", async () => {
    for (const sort of FILE_SORTS) {
      const all = await files({ sort });
      expect([...all].sort()).toEqual([0, 1, 2, 3, 4, 5]);
      expect(await files({ sort, descending: true })).toEqual([...all].reverse());
      expect([...(await files({ sort, limit: 3 })), ...(await files({ sort, offset: 3 }))]).toEqual(all);
    }
    for (const sort of SYNC_SORTS) {
      const all = await list({ sort });
      expect([...all].sort()).toEqual([0, 1, 2]);
      expect(await list({ sort, descending: true })).toEqual([...all].reverse());
    }
    expect(await list({ sort: "name" })).toEqual([1, 0, 2]);
    expect(await list({ sort: "failed", descending: true, limit: 1 })).toEqual([0]);
    expect(await files({ sort: "name" })).toEqual([5, 0, 2, 4, 1, 3]);
  });

  test("syncs are filtered by id, path and state, and paged by offset and cursor; the implicit one is in no list", async () => {
    expect(await list({})).toEqual([0, 1, 2]);
    expect(await list({ sync: syncs[2] })).toEqual([2]);
    expect(await list({ path })).toEqual([0, 1]);
    expect(await list({ fileName: "x.csv" })).toEqual([0, 1, 2]);
    expect(await list({ fileName: "y.csv" })).toEqual([0]);
    expect(await list({ fileName: "y" })).toEqual([]);
    expect(await list({ states: ["open", "ending"] })).toEqual([0, 1, 2]);
    expect(await list({ states: ["finished"] })).toEqual([]);
    expect(await list({ after: syncs[0], limit: 1 })).toEqual([1]);
    expect(await list({ after: syncs[2], descending: true })).toEqual([1, 0]);
    expect(await list({ offset: 2 })).toEqual([2]);
  });

  test("a sync's totals count what was acknowledged so far", async () => {
    const s = suite();
    expect(await s.sync(must(syncs[0]))).toMatchObject({ total: 2, failed: 1, loaded: 1, stored: 0, endedAtMs: null, path });
    expect(await s.sync(must(syncs[1]))).toMatchObject({ total: 2, failed: 0, loaded: 0, type: "full" });
  });

  test("files that have not fully arrived are in no history", async () => {
    const s = suite();
    const [file] = await s.arrive(["half.csv"]);
    expect(await s.records.history.file(s.org, must(file).id)).toBeNull();
    await s.records.uploads.abort([must(file).id]);
    expect(await s.records.history.file(s.org, must(file).id)).toBeNull();
    expect(await files({})).toEqual([0, 1, 2, 3, 4, 5]);
  });

  test("waiting for a file resolves when it is done, when the time is over, and when nobody waits any more", async () => {
    const s = suite();
    const dataset = await s.dataset({}, "/waited");
    const [file] = await s.upload(dataset, await s.start(dataset));
    const waitFor = (ms: number, signal = new AbortController().signal) => s.records.history.waitFor(s.org, must(file), ms, signal);
    expect((await waitFor(0))?.state).toBe("staged");
    expect((await waitFor(20_000, AbortSignal.abort()))?.state).toBe("staged");
    const waiting = waitFor(20_000);
    await s.load(must(file));
    expect((await waiting)?.state).toBe("loaded");
  });

  test("the gauges count exactly what is open", async () => {
    const s = suite();
    const { openFiles, doneFiles, oldestOpenMs, openSyncs } = await s.records.history.gauges();
    expect(openFiles).toEqual({ staged: 3 });
    expect(doneFiles).toEqual({ loaded: 3, stored: 0, failed: 1 });
    expect(openSyncs).toBe(4);
    expect(oldestOpenMs).toBeGreaterThanOrEqual(0);
    expect(oldestOpenMs).toBeLessThan(60_000);
  });
});
