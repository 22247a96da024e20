import { DEFAULT_RULES } from "@sluice/core/domain/options";
import type { OrgId, TrashId } from "@sluice/core/domain/ids";
import { expect, test } from "vitest";
import { faultOf, int64, must, onRecords } from "./suite.ts";

const OTHER = 12 as OrgId;

onRecords("another org's ids", (suite) => {
  test("every lookup with a foreign id finds nothing, and every act on one is not_found", async () => {
    const s = suite();
    await s.records.directory.ensureOrg(OTHER, "other");
    await s.records.directory.ensureOrg(OTHER, "again");
    const dataset = await s.dataset({}, "/mine");
    const sync = await s.start(dataset);
    const loaded = await s.uploadAndLoad(dataset, sync);
    const [failed] = await s.upload(dataset, sync);
    await s.fail(must(failed));
    const full = await s.start(dataset, { type: "full" });
    await s.uploadAndLoad(dataset, full);
    await s.complete(full);
    const [entry] = await s.records.trash.list(s.org, { after: null, limit: 1, dataset: null });
    const change = await s.records.schemaChanges.request(s.org, dataset, "main", {
      columns: [{ name: "x", type: int64 }],
      drop: [],
      maxRejects: null,
    });

    const { history, syncs, catalog, trash, schemaChanges } = s.records;
    expect(await history.file(OTHER, loaded.file)).toBeNull();
    expect(await history.sync(OTHER, sync)).toBeNull();
    expect(await history.files({ org: OTHER, sort: "id", descending: false, limit: 10 })).toEqual([]);
    expect(await history.files({ org: OTHER, sync, dataset, path: "/mine", sort: "id", descending: false, limit: 10 })).toEqual([]);
    expect(await history.syncs({ org: OTHER, sync, sort: "id", descending: false, limit: 10 })).toEqual([]);
    expect(await history.waitFor(OTHER, loaded.file, 20_000, new AbortController().signal)).toBeNull();
    expect(await syncs.head(OTHER, sync)).toBeNull();
    expect(await catalog.byId(OTHER, dataset)).toBeNull();
    expect(await catalog.byPath(OTHER, "/mine")).toBeNull();
    expect(await catalog.list(OTHER, { after: null, limit: 10 })).toEqual([]);
    expect(await trash.list(OTHER, { after: null, limit: 10, dataset })).toEqual([]);
    expect(await trash.byId(OTHER, must(entry).id)).toBeNull();
    expect(await schemaChanges.get(OTHER, change.id)).toBeNull();

    const arrived = await s.arrive(["a"]);
    const acts = [
      history.retry(OTHER, must(failed)),
      syncs.end(OTHER, sync),
      syncs.cancel(OTHER, sync),
      syncs.implicit(OTHER, dataset),
      syncs.start({ ...START, org: OTHER, dataset }),
      catalog.setRules(OTHER, dataset, DEFAULT_RULES),
      trash.restore(OTHER, must(entry).id as TrashId, 30),
      schemaChanges.request(OTHER, dataset, "main", { columns: [{ name: "x", type: int64 }], drop: [], maxRejects: null }),
      s.records.uploads.commit({
        target: { ...s.target(dataset, sync), org: OTHER },
        files: arrived,
        options: {},
        rules: {},
      }),
    ];
    expect(await Promise.all(acts.map(faultOf))).toEqual(acts.map(() => "not_found"));
    expect((await s.sync(sync)).state).toBe("open");
  });
});

const START = {
  name: "n",
  type: "full",
  onFileError: "publish",
  allowEmpty: false,
  onBadRow: null,
  maxRejects: null,
  idleMs: null,
} as const;
