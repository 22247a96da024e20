import { expect, test } from "vitest";
import { convertBytes, type Converted, duck, loaded, typesOf } from "./convert-kit.ts";
import { parquetOf } from "./parquet-kit.ts";

const schemasOf = (converted: Converted) => ({ main: loaded(converted.outcome).tables[0]!.schema });
const show = (parts: readonly Uint8Array[]) => duck(parts, "select columns(*)::varchar from parts");

test("a nested column takes the fields that a later file adds, and the files before it are made again with it", async () => {
  const before = '{"id":1,"o":{"a":1,"l":[]}}\n{"id":2,"o":null}\n';
  const first = await convertBytes("a.ndjson", before);
  const second = await convertBytes("b.ndjson", '{"id":3,"o":{"b":{"c":"x"},"l":[{"n":1}],"a":2.5}}\n{"id":4}\n', {
    schemas: schemasOf(first),
  });
  const [table] = loaded(second.outcome).tables;
  expect(table).toMatchObject({ change: "widened", widened: ["o"] });
  const again = await convertBytes("a.ndjson", before, { schemas: schemasOf(second), mode: "remake" });
  expect(loaded(again.outcome).counts).toMatchObject({ loaded: 2, rejected: 0 });
  expect(await show([...again.parts, ...second.parts])).toEqual([
    { id: "1", o: "{'a': 1.0, 'l': [], 'b': NULL}" },
    { id: "2", o: null },
    { id: "3", o: "{'a': 2.5, 'l': [{'n': 1}], 'b': {'c': x}}" },
    { id: "4", o: null },
  ]);
});

test("a file whose objects lack fields of the table, or have them in another order, changes nothing and has nulls there", async () => {
  const first = await convertBytes("a.ndjson", '{"o":{"a":1,"b":["x"],"c":{"d":true}}}\n');
  const second = await convertBytes("b.ndjson", '{"o":{"c":{},"b":null,"a":2}}\n{"o":{"a":3}}\n', { schemas: schemasOf(first) });
  expect(loaded(second.outcome).tables[0]?.change).toBe("none");
  expect(await show([...first.parts, ...second.parts])).toEqual([
    { o: "{'a': 1, 'b': [x], 'c': {'d': true}}" },
    { o: "{'a': 2, 'b': NULL, 'c': NULL}" },
    { o: "{'a': 3, 'b': NULL, 'c': NULL}" },
  ]);
});

test("nested Parquet and JSON meet in one column", async () => {
  const source = await parquetOf("select {'a': i::int, 'l': [i::bigint, null]} o from range(3) r(i)");
  const first = await convertBytes("a.parquet", source);
  const second = await convertBytes("b.ndjson", '{"o":{"a":9007199254740993,"l":[5],"more":"x"}}\n', { schemas: schemasOf(first) });
  const again = await convertBytes("a.parquet", source, { schemas: schemasOf(second), mode: "remake" });
  expect(await show([...again.parts, ...second.parts])).toEqual([
    { o: "{'a': 0, 'l': [0, NULL], 'more': NULL}" },
    { o: "{'a': 1, 'l': [1, NULL], 'more': NULL}" },
    { o: "{'a': 2, 'l': [2, NULL], 'more': NULL}" },
    { o: "{'a': 9007199254740993, 'l': [5], 'more': x}" },
  ]);
});

test("what a nested column cannot hold rejects its row alone: a text for a number, a field that strict does not let in, a number it would round", async () => {
  const first = await convertBytes("a.ndjson", '{"o":{"a":1.5,"l":[{"n":1}]}}\n');
  const asked = { schemas: schemasOf(first), rules: { policy: "strict", maxRejects: { share: 1 } } } as const;
  const second = await convertBytes(
    "b.ndjson",
    '{"o":{"a":9007199254740993}}\n{"o":{"a":2,"l":[{},{"n":2,"z":1}]}}\n{"o":{"a":3,"l":[{"n":4}]}}\n',
    asked,
  );
  expect(second.rejects.map(({ row, column }) => [row, column])).toEqual([
    [1, "o"],
    [2, "o"],
  ]);
  expect(await show(second.parts)).toEqual([{ o: "{'a': 3.0, 'l': [{'n': 4}]}" }]);
  const other = await convertBytes("c.ndjson", '{"o":{"a":"x"}}\n{"o":null}\n', {
    schemas: schemasOf(first),
    rules: { maxRejects: { share: 1 } },
  });
  expect(other.rejects).toMatchObject([{ row: 1, column: "o" }]);
});

test("objects in a column of text are their JSON, as they are written", async () => {
  const schemas = schemasOf(await convertBytes("a.ndjson", '{"o":"plain"}\n'));
  const second = await convertBytes("b.ndjson", '{"o":{"a": 1.50}}\n{"o":[1]}\n', { schemas });
  expect(typesOf(second.outcome)).toEqual({ o: "text" });
  expect(await show(second.parts)).toEqual([{ o: '{"a": 1.50}' }, { o: "[1]" }]);
});
