import { describe, expect, test } from "vitest";
import {
  type ColumnType,
  type NumericFacts,
  mergeNumbers,
  NO_NUMBERS,
  parseType,
  sameShape,
  sameType,
  type TableSchema,
  typeName,
  widen,
} from "./table-schema.ts";

const type = (name: string) => (name === "unknown" ? ({ kind: "unknown" } as const) : parseType(name, "type"));
const NAMES = [
  "unknown",
  "bool",
  "int64",
  "decimal(10,2)",
  "decimal(38,0)",
  "double",
  "date",
  "time",
  "timestamp",
  "timestamptz",
  "timestamp_ns",
  "text",
  "binary",
];
const facts = (integerDigits: number, scale: number, doubleExact = true): NumericFacts => ({ integerDigits, scale, doubleExact });
const widened = (a: string, b: string, numbers = NO_NUMBERS) => {
  const found = widen(type(a), type(b), numbers);
  return found && typeName(found);
};

describe("types", () => {
  test("are read from the name that they are written as", () => {
    for (const name of NAMES.slice(1)) expect(typeName(type(name))).toBe(name);
    expect(type(" Integer ")).toEqual({ kind: "int64" });
    expect(type("decimal(5, 2)")).toEqual({ kind: "decimal", precision: 5, scale: 2 });
  });

  test.each([
    "",
    "int65",
    "decimal",
    "decimal(0,0)",
    "decimal(39,0)",
    "decimal(5,6)",
    "decimal(-1,0)",
    "__proto__",
    "constructor",
    "unknown",
  ])("there is no type %j", (name) => {
    expect(() => parseType(name, "columns.x")).toThrow(/^columns\.x: /);
  });

  test("are the same when their names are", () => {
    expect(sameType(type("decimal(10,2)"), type("decimal(10,2)"))).toBe(true);
    expect(sameType(type("decimal(10,2)"), type("decimal(10,3)"))).toBe(false);
    expect(sameType(type("timestamp"), type("timestamptz"))).toBe(false);
    expect(sameType({ kind: "nested", signature: "list<int64>" }, { kind: "nested", signature: "list<text>" })).toBe(false);
  });
});

describe("the lattice", () => {
  test("widening is the same either way, and a type with itself is itself", () => {
    const numbers = facts(10, 2, false);
    for (const a of NAMES) {
      expect(widened(a, a, numbers)).toBe(a);
      for (const b of NAMES) expect(widened(a, b, numbers)).toBe(widened(b, a, numbers));
    }
  });

  test("what two widen to takes both in: widening further with either changes nothing", () => {
    for (const numbers of [facts(3, 2), facts(18, 0, false), facts(10, 5, false)]) {
      for (const a of NAMES) {
        for (const b of NAMES) {
          const both = widen(type(a), type(b), numbers);
          if (both === null) continue;
          for (const each of [a, b]) expect(typeName(widen(both, type(each), numbers) as ColumnType)).toBe(typeName(both));
        }
      }
    }
  });

  test("nothing but unknown widens to text, and nothing across kinds", () => {
    for (const name of NAMES.filter((each) => each !== "text" && each !== "unknown")) expect(widened(name, "text")).toBeNull();
    expect(widened("unknown", "text")).toBe("text");
    for (const [a, b] of [
      ["bool", "int64"],
      ["date", "time"],
      ["date", "timestamptz"],
      ["timestamp", "timestamptz"],
      ["int64", "date"],
      ["binary", "int64"],
    ] as const) {
      expect(widened(a, b)).toBeNull();
    }
  });

  test("dates widen to local times, micro- to nanoseconds", () => {
    expect(widened("date", "timestamp")).toBe("timestamp");
    expect(widened("date", "timestamp_ns")).toBe("timestamp_ns");
    expect(widened("timestamp", "timestamp_ns")).toBe("timestamp_ns");
    expect(widened("timestamptz", "timestamptz_ns")).toBe("timestamptz_ns");
  });

  test("integers and doubles become double only where a double holds every value, else decimal, else nothing", () => {
    expect(widened("int64", "double", facts(15, 2))).toBe("double");
    expect(widened("int64", "double", facts(19, 2, false))).toBe("decimal(38,2)");
    expect(widened("int64", "double", facts(30, 9, false))).toBeNull();
  });

  test("decimals keep all digits before and after the point, or do not widen", () => {
    expect(widened("int64", "decimal(10,2)", facts(19, 2))).toBe("decimal(38,2)");
    expect(widened("decimal(10,2)", "decimal(10,4)", facts(8, 4))).toBe("decimal(38,4)");
    expect(widened("decimal(10,2)", "decimal(38,0)", facts(36, 2))).toBe("decimal(38,2)");
    expect(widened("decimal(10,2)", "decimal(38,0)", facts(37, 2))).toBeNull();
  });

  test("what is known of numbers only grows, in whatever order it is merged", () => {
    const all = [facts(3, 0), facts(1, 4, false), facts(9, 2)];
    const merged = facts(9, 4, false);
    expect(all.reduce(mergeNumbers, NO_NUMBERS)).toEqual(merged);
    expect([...all].reverse().reduce(mergeNumbers, NO_NUMBERS)).toEqual(merged);
    expect(mergeNumbers(merged, merged)).toEqual(merged);
  });
});

test("schemas have one shape when ids, names, types and their order agree; what else is known does not matter", () => {
  const a: TableSchema = {
    columns: [
      { id: 1, name: "x", type: type("int64"), declared: false, numbers: facts(1, 0) },
      { id: 2, name: "y", type: type("text"), declared: false },
    ],
    lastId: 2,
  };
  const [x, y] = a.columns;
  if (!x || !y) throw new Error("no columns");
  expect(sameShape(a, { columns: [{ id: 1, name: "x", type: type("int64"), declared: true }, y], lastId: 9 })).toBe(true);
  expect(sameShape(a, { ...a, columns: [y, x] })).toBe(false);
  expect(sameShape(a, { ...a, columns: [x] })).toBe(false);
  expect(sameShape(a, { ...a, columns: [{ ...x, id: 3 }, y] })).toBe(false);
  expect(sameShape(a, { ...a, columns: [{ ...x, name: "z" }, y] })).toBe(false);
  expect(sameShape(a, { ...a, columns: [{ ...x, type: type("double") }, y] })).toBe(false);
});
