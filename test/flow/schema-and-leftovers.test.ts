import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parseType } from "@sluice/core/domain/table-schema";
import { changeSchema } from "@sluice/core/flow/change-schema";
import { type Core, openCore, ORG } from "../harness/core.ts";
import { collectOrphans, type JanitorDeps, tidy } from "../../apps/worker/src/janitor.ts";

let core: Core;
let next = 0;
const freshPath = () => `/schema/${++next}`;
const never = new AbortController().signal;

beforeAll(async () => {
  core = await openCore();
});
afterAll(() => core[Symbol.asyncDispose]());

async function change(
  path: string,
  columns: Readonly<Record<string, string>>,
  more: { drop?: string[]; maxRejects?: { share: number } } = {},
) {
  const dataset = await core.dataset(path);
  const types = Object.entries(columns).map(([name, type]) => ({ name, type: parseType(type, name) }));
  const wanted = { columns: types, drop: more.drop ?? [], maxRejects: more.maxRejects ?? null };
  const { id } = await core.records.schemaChanges.request(ORG, dataset, "main", wanted);
  const pending = await core.records.schemaChanges.take(60_000);
  if (!pending) throw new Error("the change is not pending");
  await changeSchema({ ...core.deps, ...core.records }, pending, never);
  return core.records.schemaChanges.get(ORG, id);
}

async function load(path: string, files: Record<string, string>) {
  const sync = await core.start(await core.dataset(path));
  const ids = await core.upload(sync, files);
  await core.work();
  return ids;
}

describe("an explicit change of schema", () => {
  it("makes every file again under the new types, and rows that do not fit become rejects of their file", async () => {
    const path = freshPath();
    const [file] = await load(path, { "a.csv": "id,v\n1,7\n2,x\n3,9\n" });
    if (!file) throw new Error("nothing was uploaded");
    expect(await change(path, { id: "text", v: "int64" }, { maxRejects: { share: 0.5 } })).toMatchObject({ state: "done", fault: null });
    expect(await core.rows(path)).toEqual([
      { id: "1", v: 7 },
      { id: "3", v: 9 },
    ]);
    expect(await core.file(file)).toMatchObject({ state: "loaded", counts: { read: 3, loaded: 2, rejected: 1 } });
  });

  it("declares: a later file no longer widens the column, it is rejected where it does not fit", async () => {
    const path = freshPath();
    await load(path, { "a.csv": "n\n1\n" });
    await change(path, { n: "int64" });
    const [file] = await load(path, { "b.csv": "n\n1.5\n" });
    if (!file) throw new Error("nothing was uploaded");
    expect(await core.file(file)).toMatchObject({ state: "failed", fault: { code: "nothing_loaded" } });
    expect(await core.rows(path)).toEqual([{ n: 1 }]);
  });

  it("that would reject more rows than a file may have changes nothing, and says which row is the first", async () => {
    const path = freshPath();
    await load(path, { "a.csv": "id,v\n1,7\n2,x\n3,9\n" });
    expect(await change(path, { id: "int64", v: "int64" })).toMatchObject({
      state: "failed",
      fault: { code: "too_many_rejects", message: expect.stringContaining("1 of 3 rows of a.csv would be rejected; the first is row 2") },
    });
    expect(await core.rows(path)).toHaveLength(3);
  });

  it("drops only what it names, and a column that comes back has its values again", async () => {
    const path = freshPath();
    await load(path, { "a.csv": "id,v,w\n1,7,x\n" });
    await change(path, { id: "int64", v: "int64" }, { drop: ["w"] });
    expect(await core.rows(path)).toEqual([{ id: 1, v: 7 }]);
    await change(path, { id: "int64" });
    expect(await core.rows(path)).toEqual([{ id: 1, v: 7 }]);
    await change(path, { id: "int64", v: "int64", w: "text" });
    expect(await core.rows(path)).toEqual([{ id: 1, v: 7, w: "x" }]);
  });

  it("that needs raw bytes which are gone fails and changes nothing", async () => {
    const path = freshPath();
    await load(path, { "a.csv": "n\n1\n" });
    await core.records.trash.expiredRaw(0, 1_000);
    expect(await change(path, { n: "text" })).toMatchObject({ state: "failed", fault: { code: "raw_gone" } });
    expect(await core.rows(path)).toEqual([{ n: 1 }]);
  });
});

describe("the janitor", () => {
  const janitor = (overrides: Partial<JanitorDeps> = {}): JanitorDeps => ({
    ...core.records,
    objects: core.objects,
    graceMs: 0,
    rawMs: null,
    now: () => Date.now(),
    ...overrides,
  });
  const keys = async (prefix: string) => {
    const found: string[] = [];
    for await (const { key } of core.objects.list(prefix)) found.push(key);
    return found;
  };

  it("removes parts that a widening replaced, keeps live ones, and a cursor on the old version is told so", async () => {
    const path = freshPath();
    await load(path, { "a.csv": "n\n1\n" });
    const before = await core.records.catalog.byPath(ORG, path);
    await load(path, { "b.csv": "n\n1.5\n" });
    await tidy(janitor(), never);
    const current = await core.current(path);
    expect((await keys(`lake/0${path}/gen-1/`)).toSorted()).toEqual(current.parts.map((part) => part.key).toSorted());
    if (!before) throw new Error("the dataset is gone");
    expect(await core.records.catalog.parts(before.id, { version: before.version, after: null, limit: 10 })).toBeNull();
  });

  it("drops expired trash with its parts, but not parts that were carried over", async () => {
    const path = freshPath();
    const dataset = await core.dataset(path);
    const others = await core.start(dataset);
    await core.upload(others, { "old.csv": "id\n1\n" });
    await core.work();
    const full = await core.start(dataset, { type: "full" });
    await core.upload(full, { "full.csv": "id\n10\n" });
    await core.upload(others, { "meanwhile.csv": "id\n2\n" });
    await core.work();
    await core.records.syncs.end(ORG, full);
    const { completeSync } = await import("@sluice/core/flow/complete");
    await completeSync({ ...core.deps, ...core.records, trashDays: 0 }, full, never);
    await tidy(janitor(), never);
    const rows = await core.rows(path);
    expect(rows.map((row) => row["id"]).toSorted()).toEqual([10, 2]);
    expect(await keys(`lake/0${path}/gen-`)).toHaveLength(2);
  });

  it("removes what no record names once it is a day old, and nothing else", async () => {
    const path = freshPath();
    await load(path, { "a.csv": "n\n1\n2\nx\n", "map.jpg": "\u00ff\u00d8" });
    const orphan = `lake/0${path}/gen-1/main/orphan.1.0.parquet`;
    const [named, stray] = [
      (await keys("")).toSorted(),
      [
        "raw/0/2026-01-01/01a1fcfb-9284-7582-b170-6bd43586601c",
        "rejects/0/01a1fcfb-9284-7582-b170-6bd43586601c.1.ndjson",
        `files/0${path}/gen-1/x`,
      ],
    ];
    const bytes = async function* () {
      yield await Promise.resolve(Buffer.from("PAR1"));
    };
    for (const key of [orphan, ...stray]) await core.objects.put(key, bytes());
    expect(await collectOrphans(janitor(), never)).toBe(0);
    await collectOrphans(janitor({ now: () => Date.now() + 2 * 86_400_000 }), never);
    expect((await keys("")).toSorted()).toEqual(named);
    expect(await core.rows(path)).toHaveLength(3);
  });
});
