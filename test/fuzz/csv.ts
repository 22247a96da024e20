import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { randomOf } from "../../bench/csv.ts";
import type { FileOptions } from "../../packages/core/src/domain/options.ts";
import type { ConvertOutcome } from "../../packages/core/src/ports/converter.ts";
import { convertBytes } from "../formats/convert-kit.ts";

const FIXTURES = join(import.meta.dirname, "../fixtures/csv");
const TOKENS = [
  '"',
  "'",
  ",",
  ";",
  "\t",
  "|",
  " ",
  ", ",
  "\n",
  "\r",
  "\r\n",
  "\\",
  "#",
  "\0",
  "1,5",
  "2024-02-30",
  "\xff",
  "\xc3",
  "\xfe\xff",
  "\ufeff",
  '""',
  "=",
  "__proto__",
];

/** Each option with some values that it may have. */
const OPTIONS: readonly (readonly FileOptions[])[] = [
  [{ delimiter: ";" }, { delimiter: ", " }, { delimiter: "\\s+" }, { delimiter: "||" }],
  [{ quote: false }, { quote: "'" }],
  [{ escape: "\\" }, { escape: '"' }, { double_quote: false }],
  [{ comment: "#" }, { comment: "//" }],
  [{ line_terminator: ";" }, { line_terminator: "\r\n" }],
  [{ strip: true }, { skip_initial_space: true }],
  [{ skip_blank_lines: false }, { newlines_in_values: false }],
  [{ header: false }, { header: true, header_row: 1 }, { header: true, header_rows: 2 }],
  [{ skip_rows: 1 }, { skip_rows: 1000 }, { skip_row_numbers: [1, 3] }],
  [{ skip_footer: 1 }, { max_rows: 1 }, { max_rows: 0 }, { skip_rows_after_header: 1 }],
  [{ column_names: ["a", "__proto__", "c"] }, { generated_names: "0" }, { include_columns: [0] }],
  [{ null_values: ["NA"], keep_default_nulls: true }, { strings_can_be_null: false }, { quoted_strings_can_be_null: false }],
  [{ decimal: "," }, { thousands: "," }, { decimal: ",", thousands: "." }],
  [{ day_first: true }, { timestamp_formats: ["%d.%m.%Y", "ISO8601"] }, { infer_dates: false }],
  [{ encoding: "windows-1252" }, { encoding: "utf-16le" }, { encoding: "shift_jis" }, { encoding: "utf-8" }],
  [{ ragged: "fill" }, { ragged: "fail" }],
  [{ lineage: true }, { rescued: true }],
];

/**
 * Converts seeded mutations of the fixtures under random options, twice: as a whole and in small reads. Each must be loaded or
 * refused by a content fault, both times alike, with an account that holds; anything else is told as wrong.
 */
export async function fuzz(seed: number, rounds: number): Promise<{ read: number; refused: number; wrong: string[] }> {
  const files = readdirSync(FIXTURES)
    .filter((name) => !/\.(json|mjs)$/.test(name))
    .map((name) => readFileSync(join(FIXTURES, name)));
  const counts = { read: 0, refused: 0, wrong: [] as string[] };
  for (let round = 0; round < rounds; round++) {
    const random = randomOf(seed * 1_000_003 + round);
    const below = (n: number) => Math.floor(random() * n);
    const bytes = mutated(files[below(files.length)] ?? Buffer.alloc(0), below);
    const options: FileOptions = Object.assign(
      {},
      ...OPTIONS.map((list) => (below(6) === 0 ? list[below(list.length)] : {})),
    ) as FileOptions;
    const rules = { maxRejects: { share: 1 }, onBadRow: below(4) === 0 ? ("coerce" as const) : ("quarantine" as const) };
    try {
      const whole = (await convertBytes("a.csv", bytes, { options, rules })).outcome;
      const small = (await convertBytes("a.csv", bytes, { options, rules, readBytes: 1 + below(40) })).outcome;
      const problem = problemOf(whole) ?? (factsOf(whole) === factsOf(small) ? null : `not alike: ${factsOf(whole)} and ${factsOf(small)}`);
      if (problem !== null) counts.wrong.push(`round ${round}: ${problem}: ${where(options, bytes)}`);
      else if (whole.kind === "tables") counts.read++;
      else counts.refused++;
    } catch (error) {
      counts.wrong.push(
        `round ${round}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}: ${where(options, bytes)}`,
      );
    }
  }
  return counts;
}

function where(options: FileOptions, bytes: Buffer): string {
  return `${JSON.stringify(options)} ${JSON.stringify(bytes.toString("latin1"))}`;
}

function factsOf(outcome: ConvertOutcome): string {
  if (outcome.kind === "tables") return JSON.stringify([outcome.detected, outcome.counts, outcome.tables, outcome.rejects]);
  return outcome.kind === "failed" ? JSON.stringify([outcome.fault, outcome.counts]) : outcome.kind;
}

function problemOf(outcome: ConvertOutcome): string | null {
  if (outcome.kind !== "tables") return null;
  const { read, loaded, rejected, skipped } = outcome.counts;
  const rows = outcome.parts.reduce((sum, part) => sum + part.rows, 0);
  return read === loaded + rejected + skipped && rows === loaded ? null : `the account does not hold: ${JSON.stringify(outcome.counts)}`;
}

function mutated(file: Buffer, below: (n: number) => number): Buffer {
  let bytes = Buffer.from(file);
  for (let times = below(4); times > 0; times--) {
    const at = below(bytes.length + 1);
    const text = TOKENS[below(TOKENS.length)] ?? "";
    const token = Buffer.from(text, /[\u0100-\uffff]/.test(text) ? "utf8" : "latin1");
    switch (below(4)) {
      case 0:
        if (bytes.length > 0) bytes[at % bytes.length] = below(256);
        break;
      case 1:
        bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + below(12))]);
        break;
      default:
        bytes = Buffer.concat([bytes.subarray(0, at), token, bytes.subarray(at)]);
    }
  }
  return bytes;
}
