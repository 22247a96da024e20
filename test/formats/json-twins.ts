import { POLICIES } from "../../packages/core/src/domain/dataset.ts";
import { type ColumnType, parseType, type TableSchema } from "../../packages/core/src/domain/table-schema.ts";

/** A seeded random JSON file of rows and a request for it, made to meet as many rules as they can in few rows. */
export interface JsonCase {
  readonly name: string;
  readonly text: string;
  readonly asked: Record<string, unknown>;
}

type Random = () => number;

const pick = <T>(random: Random, list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
const two = (random: Random, below: number) => String(Math.floor(random() * below)).padStart(2, "0");
const date = (random: Random) => `${pick(random, ["1969", "2024", "0001", "9999", "2263"])}-${two(random, 13)}-${two(random, 31)}`;
const clock = (random: Random) =>
  `${two(random, 24)}:${two(random, 60)}:${two(random, 60)}${random() < 0.4 ? `.${Math.floor(random() * 1e7)}` : ""}`;

/** Values as they are written; each key of a file has mostly one kind. */
const KINDS: Readonly<Record<string, (random: Random) => string>> = {
  small: (random) => String(Math.floor(random() * 300) - 50),
  int: (random) => String(Math.floor((random() - 0.5) * 10 ** (1 + Math.floor(random() * 15)))),
  edge: (random) =>
    pick(random, [
      "9223372036854775807",
      "-9223372036854775808",
      "9223372036854775808",
      "9007199254740993",
      "0",
      "-0",
      "-4294967296",
      "12345678901234567890123",
    ]),
  money: (random) => `${Math.floor(random() * 1000)}.${two(random, 100)}`,
  odd: (random) =>
    pick(random, [
      "1e5",
      "1E-3",
      "1.50",
      "1e400",
      "-0.25",
      "0.1000000000000000055",
      "1.0",
      "-0.0",
      "123456789012345678901234567890123456789.5",
    ]),
  double: (random) => String((random() - 0.5) * 10 ** (Math.floor(random() * 40) - 20)),
  bool: (random) => pick(random, ["true", "false"]),
  date: (random) => `"${date(random)}"`,
  time: (random) => `"${clock(random)}"`,
  local: (random) => `"${date(random)}${pick(random, ["T", " "])}${clock(random)}"`,
  instant: (random) => `"${date(random)}T${clock(random)}${pick(random, ["Z", "+02:00", "-0530"])}"`,
  text: (random) =>
    pick(random, [
      '""',
      '" "',
      '"a"',
      '"card"',
      '"é"',
      '"日本😀"',
      '"a longer text than eight bytes"',
      '"12"',
      '"1.5"',
      '"true"',
      '"007"',
      '" 2024-01-02 "',
      '"2024-01-02x"',
      '"NA"',
    ]),
  escaped: (random) =>
    pick(random, ['"a\\"b"', '"\\u00e9"', '"\\ud83d\\ude00\\n"', '"\\ud800"', '"2024\\u002d01-02"', '"\\/\\\\"', '"\\u0000"']),
  object: (random) => pick(random, ['{"x":1}', "{}", '{"x":"t","y":[1]}', "[]", "[1,2]", '["a",null]']),
  null: () => "null",
};
const NAMES = Object.keys(KINDS);
const FLAT = NAMES.filter((name) => name !== "object");
const TYPES = [
  "bool",
  "int64",
  "double",
  "decimal(38,2)",
  "decimal(5,1)",
  "date",
  "time",
  "timestamp",
  "timestamptz",
  "timestamp_ns",
  "text",
] as const;

export function jsonCase(random: Random): JsonCase {
  const width = 1 + Math.floor(random() * 4);
  const names = Array.from({ length: width }, (_, i) => `c${i}`);
  const list = random() < 0.2 ? NAMES : FLAT;
  const kinds = names.map(() => pick(random, list));
  const others = names.map(() => pick(random, random() < 0.3 ? NAMES : FLAT));
  const rows = 1 + Math.floor(random() * 40);
  const strange = pick(random, [0, 0, 0.02, 0.2]);
  const missing = pick(random, [0, 0.1, 0.5]);
  const damage = pick(random, [0, 0, 0, 0.05]);
  // Some disagree, or have another key, only far into the file.
  const turn = random() < 0.5 ? Math.floor(rows * random()) : rows;
  const late = random() < 0.2 ? Math.floor(rows * random()) : rows;
  const lines = random() < 0.6;
  const all = Array.from({ length: rows }, (_, row) => {
    const members = names.flatMap((name, c) => {
      if (random() < missing) return [];
      const kind = row >= turn && c === turn % width ? others[c] : kinds[c];
      const value = (KINDS[random() < strange ? pick(random, NAMES) : (kind ?? "text")] ?? KINDS["text"]!)(random);
      return [`"${name}":${random() < 0.1 ? " " : ""}${value}`];
    });
    if (row === late) members.push(`"late":${KINDS[pick(random, NAMES)]!(random)}`);
    if (random() < 0.02) members.push(`"c0":1`);
    if (random() < 0.1) members.reverse();
    const text = `{${members.join(",")}}`;
    return lines && random() < damage ? pick(random, [text.slice(1), "7", "[1]", `${text} x`, '{"c0":\xff}']) : text;
  });
  const text = lines ? `${all.join("\n")}\n` : `[${all.join(",\n")}]${random() < damage ? "]" : ""}`;
  return { name: lines ? "a.ndjson" : "a.json", text, asked: askedOf(random, names) };
}

function askedOf(random: Random, names: readonly string[]): Record<string, unknown> {
  const schemas = random() < 0.45 ? { main: schemaOf(random, names) } : {};
  const declared = random() < 0.25 ? { column_types: { [pick(random, names)]: parseType(pick(random, TYPES), "t") } } : {};
  return {
    mode: random() < 0.15 && "main" in schemas ? "remake" : "load",
    schemas,
    rules: {
      policy: pick(random, POLICIES),
      onBadRow: pick(random, ["quarantine", "quarantine", "coerce", "strict"]),
      maxRejects: pick(random, [{ share: 1 }, { share: 0.1 }, { rows: 3 }]),
    },
    options: { ...declared, ...(random() < 0.2 ? { lineage: true } : {}), ...(random() < 0.1 ? { infer_dates: false } : {}) },
  };
}

function schemaOf(random: Random, names: readonly string[]): TableSchema {
  const columns = [...names.filter(() => random() < 0.8), ...(random() < 0.2 ? ["gone"] : []), ...(random() < 0.2 ? ["late"] : [])].map(
    (name, i) => {
      const type: ColumnType = random() < 0.1 ? { kind: "unknown" } : parseType(pick(random, TYPES), "t");
      return { id: i + 1, name, type, declared: type.kind !== "unknown" && random() < 0.3 };
    },
  );
  return { columns, lastId: columns.length };
}
