import { parseType } from "../../packages/core/src/domain/table-schema.ts";
import type { ColumnType, TableSchema } from "../../packages/core/src/domain/table-schema.ts";
import { POLICIES } from "../../packages/core/src/domain/dataset.ts";

/** Seeded random csvs and requests for them, made to meet as many rules as they can in few rows. */
export interface CsvCase {
  readonly text: string;
  readonly asked: Record<string, unknown>;
}

/** Numbers below 1 from a seed (mulberry32). */
export function seeded(seed: number): () => number {
  let a = seed;
  return () => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

type Random = () => number;

const pick = <T>(random: Random, list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
const digits = (random: Random, count: number) => Array.from({ length: count }, () => Math.floor(random() * 10)).join("");
const two = (random: Random, below: number) => String(Math.floor(random() * below)).padStart(2, "0");
const sign = (random: Random) => (random() < 0.2 ? "-" : "");
const date = (random: Random) =>
  `${pick(random, ["1969", "1970", "2024", "2026", "0001", "9999", "1900", "2263"])}-${two(random, 13)}-${two(random, 32)}`;
const clock = (random: Random) => `${two(random, 25)}:${two(random, 60)}${random() < 0.8 ? `:${two(random, 61)}` : ""}`;
const fraction = (random: Random) => (random() < 0.4 ? `.${digits(random, 1 + Math.floor(random() * 10))}` : "");
const zone = (random: Random) => pick(random, ["Z", "+02:00", "-0530", "+01", "+19:00", "+5", "z"]);

/** Cells of one kind; each column of a csv has mostly one of them. */
const KINDS: Readonly<Record<string, (random: Random) => string>> = {
  small: (random) => sign(random) + String(Math.floor(random() * 300)),
  int: (random) => sign(random) + String(Math.floor(random() * 10 ** (1 + Math.floor(random() * 15)))),
  long: (random) => sign(random) + pick(random, ["1", "9", "8", "4"]) + digits(random, 14 + Math.floor(random() * 8)),
  edge: (random) =>
    pick(random, [
      "9223372036854775807",
      "-9223372036854775808",
      "9223372036854775808",
      "-9223372036854775809",
      "9007199254740993",
      "999999999",
      "1000000000",
      "0",
      "-0",
      "4294967296",
      "-4294967296",
      "2147483648",
    ]),
  money: (random) => `${sign(random)}${Math.floor(random() * 1000)}.${digits(random, 2)}`,
  fraction: (random) =>
    `${sign(random)}${Math.floor(random() * 10 ** Math.floor(random() * 12))}.${digits(random, Math.floor(random() * 8))}`,
  double: (random) => String((random() - 0.5) * 10 ** (Math.floor(random() * 40) - 20)),
  odd: (random) =>
    pick(random, [
      "1e5",
      "1E-3",
      ".5",
      "5.",
      "+5",
      "007",
      "-01.5",
      "00",
      "1.50",
      "1e400",
      "-.25",
      "0.1000000000000000055",
      "1e",
      ".",
      "-",
      "1.2.3",
      "--1",
      "1,5",
      "0x10",
      "1_000",
      " 12 ",
      "\t7",
      "12 ",
      "\u00a03",
      "1\u2003",
    ]),
  wide: (random) => `${digits(random, 20)}.${digits(random, 18)}`,
  bool: (random) => pick(random, ["true", "false", "True", "FALSE"]),
  flag: (random) => pick(random, ["1", "0", "t", "F", "yes", "No", "Y", "n", "truE", "TRUE", " true"]),
  date,
  time: (random) => clock(random) + fraction(random),
  local: (random) => `${date(random)}${pick(random, ["T", " "])}${clock(random)}${fraction(random)}`,
  instant: (random) => `${date(random)}T${clock(random)}${fraction(random)}${zone(random)}`,
  midnight: (random) => `${date(random)} 00:00:00`,
  word: (random) =>
    pick(random, [
      "a",
      "card",
      "cash",
      "é",
      "日本",
      "😀",
      "a longer text than eight bytes",
      "nan",
      "NaN",
      "inf",
      "null",
      "NA",
      "t",
      "f",
      "x\u0000y",
    ]),
  quoted: (random) =>
    `"${pick(random, ["a,b", 'say ""hi""', "two\nlines", "cr\r\nlf", "", " ", "12", "1.5", "true", "2024-01-02", "NA", '""', "long ".repeat(30)])}"${random() < 0.1 ? " " : ""}`,
  empty: () => "",
  blank: () => " ",
};
const NAMES = Object.keys(KINDS);

const TYPES = [
  "bool",
  "int64",
  "double",
  "decimal(38,2)",
  "decimal(5,1)",
  "decimal(38,0)",
  "date",
  "time",
  "timestamp",
  "timestamptz",
  "timestamp_ns",
  "timestamptz_ns",
  "text",
  "binary",
] as const;

export function csvCase(random: Random): CsvCase {
  const width = 1 + Math.floor(random() * 4);
  const names = Array.from({ length: width }, (_, i) => `c${i}`);
  const kinds = names.map(() => pick(random, NAMES));
  const others = names.map(() => pick(random, NAMES));
  const rows = Math.floor(random() * 40);
  const strange = pick(random, [0, 0.02, 0.2]);
  const nulls = pick(random, [0, 0.1, 0.6]);
  const damage = pick(random, [0, 0, 0, 0.05]);
  const end = pick(random, ["\n", "\n", "\r\n", "\r"]);
  let text = names.join(",") + end;
  // Some disagree only far into the file.
  const turn = random() < 0.5 ? Math.floor(rows * random()) : rows;
  for (let row = 0; row < rows; row++) {
    const cells = names.map((_, c) => {
      if (random() < nulls) return "";
      const kind = row >= turn && c === turn % width ? others[c] : kinds[c];
      return (KINDS[random() < strange ? pick(random, NAMES) : (kind ?? "word")] ?? KINDS["word"]!)(random);
    });
    if (random() < damage) cells.splice(Math.floor(random() * width), random() < 0.5 ? 1 : 0, ...(random() < 0.5 ? ["x"] : []));
    text +=
      cells.join(",") +
      (random() < damage ? pick(random, ['"', '"x" y', "\n", "\r", ""]) : "") +
      (random() < damage ? pick(random, ["\n", "\r\n", "\r", "\n\n"]) : end);
  }
  if (random() < 0.2) text = text.slice(0, -end.length);
  return { text, asked: askedOf(random, names) };
}

function askedOf(random: Random, names: readonly string[]): Record<string, unknown> {
  const policy = pick(random, POLICIES);
  const schemas = random() < 0.45 ? { main: schemaOf(random, names) } : {};
  const declared = random() < 0.25 ? { column_types: { [pick(random, names)]: parseType(pick(random, TYPES), "t") } } : {};
  const nulls = random() < 0.25 ? { null_values: pick(random, [["NA"], ["", "NA"], ["0", "true"], ['say "hi"', "-"]]) } : {};
  return {
    mode: random() < 0.15 && "main" in schemas ? "remake" : "load",
    schemas,
    rules: {
      policy,
      onBadRow: pick(random, ["quarantine", "quarantine", "coerce", "strict"]),
      maxRejects: pick(random, [{ share: 1 }, { share: 0.1 }, { rows: 3 }]),
    },
    options: { header: true, delimiter: ",", quote: '"', ...declared, ...nulls, ...(random() < 0.2 ? { lineage: true } : {}) },
  };
}

function schemaOf(random: Random, names: readonly string[]): TableSchema {
  const chosen = [...names.filter(() => random() < 0.8), ...(random() < 0.2 ? ["gone"] : [])];
  // Rows of a table without columns fail the file, and how many of them were seen by then is chance.
  const columns = (chosen.length > 0 ? chosen : ["gone"]).map((name, i) => {
    const type: ColumnType = random() < 0.1 ? { kind: "unknown" } : parseType(pick(random, TYPES), "t");
    return { id: i + 1, name, type, declared: type.kind !== "unknown" && random() < 0.3 };
  });
  return { columns, lastId: columns.length };
}
