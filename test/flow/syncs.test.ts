import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Core, openCore, ORG } from "../harness/core.ts";

let core: Core;
let next = 0;
const freshPath = () => `/flow/${++next}`;
const byId = (rows: Record<string, unknown>[]) => rows.toSorted((a, b) => Number(a["id"]) - Number(b["id"]));

beforeAll(async () => {
  core = await openCore();
});
afterAll(() => core[Symbol.asyncDispose]());

describe("an incremental sync", () => {
  it("shows each file as soon as it is loaded, and finishes when all are", async () => {
    const path = freshPath();
    const sync = await core.start(await core.dataset(path));
    await core.upload(sync, { "a.csv": "id,v\n1,x\n" });
    await core.work();
    expect(await core.rows(path)).toEqual([{ id: 1, v: "x" }]);
    await core.upload(sync, { "b.csv": "id,v\n2,y\n" });
    await core.work();
    expect(byId(await core.rows(path))).toEqual([
      { id: 1, v: "x" },
      { id: 2, v: "y" },
    ]);
    expect(await core.end(sync)).toMatchObject({ state: "finished", total: 2, loaded: 2, failed: 0 });
  });

  it("adds the columns that a later file brings, and older parts stay as they are", async () => {
    const path = freshPath();
    const sync = await core.start(await core.dataset(path));
    await core.upload(sync, { "a.csv": "id\n1\n" });
    await core.work();
    const before = (await core.current(path)).parts;
    await core.upload(sync, { "b.csv": "id,extra\n2,z\n" });
    await core.work();
    const after = await core.current(path);
    expect(after.parts.map((part) => part.key)).toEqual(expect.arrayContaining(before.map((part) => part.key)));
    expect(after.tables).toEqual([
      {
        name: "main",
        columns: [expect.objectContaining({ name: "id", type: "int64" }), expect.objectContaining({ name: "extra", type: "text" })],
      },
    ]);
  });

  it("makes every older file again when a column is widened, so that one column has one type", async () => {
    const path = freshPath();
    const sync = await core.start(await core.dataset(path));
    await core.upload(sync, { "a.csv": "id,n\n1,10\n", "b.csv": "id,n\n2,20\n" });
    await core.work();
    const [wide] = await core.upload(sync, { "c.csv": "id,n\n3,1.5\n" });
    await core.work();
    if (!wide) throw new Error("nothing was uploaded");
    expect(await core.file(wide)).toMatchObject({ state: "loaded" });
    const current = await core.current(path);
    expect(current.tables[0]?.columns.map((column) => column.type)).toEqual(["int64", "double"]);
    expect(byId(await core.rows(path))).toEqual([
      { id: 1, n: 10 },
      { id: 2, n: 20 },
      { id: 3, n: 1.5 },
    ]);
    expect(current.parts).toHaveLength(3);
  });

  it("never rounds when integers beyond 2^53 meet fractions: the column becomes a decimal", async () => {
    const path = freshPath();
    const sync = await core.start(await core.dataset(path));
    await core.upload(sync, { "a.csv": "n\n9007199254740993\n" });
    await core.work();
    await core.upload(sync, { "b.csv": "n\n0.5\n" });
    await core.work();
    expect((await core.current(path)).tables[0]?.columns.map((column) => column.type)).toEqual(["decimal(38,1)"]);
  });

  it("never widens to text: what is no number becomes a reject", async () => {
    const path = freshPath();
    const sync = await core.start(await core.dataset(path), { maxRejects: { share: 0.5 } });
    await core.upload(sync, { "a.csv": "n\n1\n" });
    await core.work();
    const [second] = await core.upload(sync, { "b.csv": "n\n2\nmany\n3\n" });
    await core.work();
    if (!second) throw new Error("nothing was uploaded");
    expect(await core.file(second)).toMatchObject({ state: "loaded", counts: { read: 3, loaded: 2, rejected: 1, skipped: 0 } });
    expect(await core.records.history.rejects(second)).toMatchObject([{ row: 2, column: "n", raw: "many" }]);
    expect((await core.current(path)).tables[0]?.columns.map((column) => column.type)).toEqual(["int64"]);
  });

  it("fails when every file of it failed, and says so", async () => {
    const path = freshPath();
    const sync = await core.start(await core.dataset(path));
    const [bad] = await core.upload(sync, { "a.csv": "<html><body>not found</body></html>" });
    await core.work();
    if (!bad) throw new Error("nothing was uploaded");
    expect(await core.file(bad)).toMatchObject({ state: "failed", fault: { code: "format_mismatch" }, counts: { loaded: 0 } });
    expect(await core.end(sync)).toMatchObject({ state: "failed", total: 1, failed: 1 });
  });
});

describe("a full sync", () => {
  it("replaces everything at once, opaque files included, and the old data can be restored", async () => {
    const path = freshPath();
    const dataset = await core.dataset(path);
    const first = await core.start(dataset, { type: "full" });
    await core.upload(first, { "a.csv": "id\n1\n", "map.jpg": new Uint8Array([0xff, 0xd8, 0xff, 0xe0, 1, 2]) });
    await core.work();
    expect(await core.rows(path)).toEqual([]);
    expect(await core.end(first)).toMatchObject({ state: "finished", stored: 1, loaded: 1 });
    expect(await core.rows(path)).toEqual([{ id: 1 }]);
    expect((await core.current(path)).files).toMatchObject([{ name: "map.jpg" }]);

    const second = await core.start(dataset, { type: "full" });
    await core.upload(second, { "b.csv": "id\n2\n" });
    await core.work();
    expect(await core.rows(path)).toEqual([{ id: 1 }]);
    await core.end(second);
    expect(await core.rows(path)).toEqual([{ id: 2 }]);
    expect((await core.current(path)).files).toEqual([]);

    const trash = await core.records.trash.list(ORG, { after: null, limit: 10, dataset });
    const last = trash.at(-1);
    if (!last) throw new Error("the old generation is not in trash");
    await core.records.trash.restore(ORG, last.id, 30);
    expect(await core.rows(path)).toEqual([{ id: 1 }]);
    expect((await core.current(path)).files).toMatchObject([{ name: "map.jpg" }]);
  });

  it("carries over what others loaded since it began, made again where the columns differ", async () => {
    const path = freshPath();
    const dataset = await core.dataset(path);
    const old = await core.start(dataset);
    await core.upload(old, { "before.csv": "id,v\n1,a\n" });
    await core.work();
    const full = await core.start(dataset, { type: "full" });
    await core.upload(full, { "all.csv": "v,id\nfull,10\n" });
    await core.upload(old, { "same.csv": "id,v\n2,b\n", "other.csv": "id,v,w\n3.5,c,1\n" });
    await core.work();
    expect(byId(await core.rows(path)).map((row) => row["id"])).toEqual([1, 2, 3.5]);
    expect(await core.end(full)).toMatchObject({ state: "finished" });
    const current = await core.current(path);
    const types = Object.fromEntries(current.tables[0]?.columns.map((column) => [column.name, column.type]) ?? []);
    expect(types).toMatchObject({ id: "double", v: "text", w: "int64" });
    expect(byId(await core.rows(path)).map(({ id, v }) => ({ id, v }))).toEqual([
      { id: 2, v: "b" },
      { id: 3.5, v: "c" },
      { id: 10, v: "full" },
    ]);
  });

  it("that loaded and stored nothing keeps the old data and is failed", async () => {
    const path = freshPath();
    const dataset = await core.dataset(path);
    const first = await core.start(dataset, { type: "full" });
    await core.upload(first, { "a.csv": "id\n1\n" });
    await core.work();
    await core.end(first);
    expect(await core.end(await core.start(dataset, { type: "full" }))).toMatchObject({ state: "failed" });
    expect(await core.rows(path)).toEqual([{ id: 1 }]);
    expect(await core.end(await core.start(dataset, { type: "full", allowEmpty: true }))).toMatchObject({ state: "finished" });
    expect(await core.rows(path)).toEqual([]);
  });

  it("started earlier but ended later than another is superseded", async () => {
    const path = freshPath();
    const dataset = await core.dataset(path);
    const early = await core.start(dataset, { type: "full" });
    const late = await core.start(dataset, { type: "full" });
    await core.upload(early, { "a.csv": "id\n1\n" });
    await core.upload(late, { "b.csv": "id\n2\n" });
    await core.work();
    expect(await core.end(late)).toMatchObject({ state: "finished" });
    expect(await core.end(early)).toMatchObject({ state: "superseded" });
    expect(await core.rows(path)).toEqual([{ id: 2 }]);
  });

  it("with on_file_error keep_old keeps the old data when a file failed", async () => {
    const path = freshPath();
    const dataset = await core.dataset(path);
    const sync = await core.start(dataset, { type: "full", onFileError: "keep_old" });
    await core.upload(sync, { "a.csv": "id\n1\n", "b.csv": "<html></html>" });
    await core.work();
    expect(await core.end(sync)).toMatchObject({ state: "failed", failed: 1, loaded: 1 });
    expect(await core.rows(path)).toEqual([]);
  });
});
