import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type Core, openCore } from "../harness/core.ts";

let core: Core;

beforeAll(async () => {
  core = await openCore();
});
afterAll(() => core[Symbol.asyncDispose]());

it("tables called toString or constructor and columns called __proto__ are published like any other, file after file", async () => {
  const sync = await core.start(await core.dataset("/odd/names"));
  const two = '{"toString": [{"__proto__": 1, "b": "x"}], "constructor": [{"toString": 2}]}';
  for (const name of ["a.json", "b.json"]) await core.upload(sync, { [name]: two });
  await core.upload(sync, { "c.json": two.replaceAll("1", "1.5") });
  await core.work();
  await core.end(sync);
  const { tables, parts } = await core.current("/odd/names");
  expect(tables.map(({ name, columns }) => [name, columns.map((column) => [column.name, column.type])]).sort()).toEqual([
    ["constructor", [["toString", "int64"]]],
    [
      "toString",
      [
        ["__proto__", "double"],
        ["b", "text"],
      ],
    ],
  ]);
  expect(parts.map(({ table }) => table).sort()).toEqual([...Array(3).fill("constructor"), ...Array(3).fill("toString")] as string[]);
  // The reader of this test makes objects of rows, so that only the other columns come through it.
  expect((await core.rows("/odd/names")).map((row) => row["b"] ?? row["toString"]).sort()).toEqual([2, 2, 2, "x", "x", "x"]);
});

it("options that rename, type and choose columns work on a column called __proto__", async () => {
  const sync = await core.start(await core.dataset("/odd/options"));
  const options = JSON.parse('{"column_mapping": {"a": "__proto__"}, "column_types": {"__proto__": {"kind": "text"}}}') as object;
  const [file] = await core.upload(sync, { "a.csv": "a,b\n1,2\n" }, options);
  await core.work();
  if (!file) throw new Error("nothing was uploaded");
  expect(await core.file(file)).toMatchObject({ state: "loaded" });
  expect((await core.current("/odd/options")).tables[0]?.columns.map(({ name, type }) => [name, type])).toEqual([
    ["__proto__", "text"],
    ["b", "int64"],
  ]);
});

it("a file whose late byte is no UTF-8 leaves one set of parts and one object of rejects, and says its encoding", async () => {
  const sync = await core.start(await core.dataset("/odd/latin1"));
  let text = "id,name\n";
  // So many rejects that some of them have been written when the byte is found.
  for (let i = 0; i < 60_000; i++) text += i % 12 === 7 ? `${i}\n` : `${i},name ${i}\n`;
  const bytes = Buffer.concat([Buffer.from(text), Buffer.from("60000,caf"), Buffer.of(0xe9, 10)]);
  const [file] = await core.upload(sync, { "a.csv": bytes });
  await core.work();
  if (!file) throw new Error("nothing was uploaded");
  expect(await core.file(file)).toMatchObject({
    state: "loaded",
    counts: { read: 60_001, loaded: 55_001, rejected: 5_000 },
    detected: { encoding: "windows-1252", delimiter: ",", header: true },
  });
  const keys: string[] = [];
  for await (const { key } of core.objects.list("rejects/")) if (key.includes(file)) keys.push(key);
  expect(keys.length).toBe(1);
  const lines = (await readFile(join(core.root, keys[0] ?? ""), "utf8")).trim().split("\n");
  expect(lines.map((line) => (JSON.parse(line) as { row: number }).row)).toEqual(Array.from({ length: 5_000 }, (_, i) => i * 12 + 8));
  const rows = await core.rows("/odd/latin1");
  expect(rows.length).toBe(55_001);
  expect(rows.at(-1)).toEqual({ id: 60_000, name: "café" });
});

it("a file is made again as it was read the first time: its header, its preamble and its decimal comma stay", async () => {
  const sync = await core.start(await core.dataset("/odd/again"));
  const [file] = await core.upload(sync, { "a.csv": "Report 2024\nid;price\n1;1,50\n2;2,25\n" });
  await core.work();
  if (!file) throw new Error("nothing was uploaded");
  expect(await core.file(file)).toMatchObject({ detected: { preambleRows: 1, decimal: ",", delimiter: ";" } });
  // The ids of the next file widen the column, so that the first file has to be made again.
  await core.upload(sync, { "b.csv": "id;price\n1,25;2,50\n2,75;3,25\n" });
  await core.work();
  expect((await core.rows("/odd/again")).map(({ id, price }) => [id, price]).sort()).toEqual([
    [1, 1.5],
    [1.25, 2.5],
    [2, 2.25],
    [2.75, 3.25],
  ]);
});
