import { parse } from "csv-parse/sync";
import { expect, test } from "vitest";
import type { CsvCutter } from "./csv-cutter.ts";
import { type CsvDialect, DialectReader } from "./csv-dialect-reader.ts";
import { RecordReader, STEP } from "./csv-records.ts";
import { PLAIN } from "./sniff.ts";

interface Read {
  readonly records: (string | null)[][];
  readonly lines: number[];
  readonly ends: [number, number][];
  readonly unclosed: boolean;
}

/** All records of a text that arrives in pieces of `size` characters. */
function read(reader: CsvCutter, text: string, size: number): Read {
  const found: Read = { records: [], lines: [], ends: [], unclosed: false };
  let rest = "";
  for (let at = 0; at <= text.length; at += size) {
    const final = at + size > text.length;
    const now = rest + text.slice(at, at + size);
    const before = at - rest.length;
    reader.load(now, final);
    for (;;) {
      const step = reader.next();
      if (step === STEP.unclosed && final) return { ...found, unclosed: true };
      if (step === STEP.more || step === STEP.end || step === STEP.unclosed) break;
      if (step === STEP.blank || step === STEP.comment) continue;
      found.records.push(step === STEP.broken ? ["broken"] : reader.cells.slice(0, reader.count));
      found.lines.push(reader.startLine);
      found.ends.push([before + reader.start, before + reader.end]);
    }
    rest = now.slice(reader.pos);
  }
  return found;
}

function seeded(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return (state >>> 16) % below;
  };
}

test("ten thousand random texts, broken ones too, are cut as the quick reader cuts them", () => {
  const random = seeded(7);
  const pieces = ["a", "bc", ",", ",", '"', '"', '""', "\n", "\r\n", "\r", " ", "\t", "é", "1.5"];
  for (let round = 0; round < 10_000; round++) {
    const text = Array.from({ length: random(24) }, () => pieces[random(pieces.length)]).join("");
    const size = 1 + random(text.length + 1);
    expect(read(new DialectReader(PLAIN), text, size), JSON.stringify(text)).toEqual(read(new RecordReader(",", '"'), text, size));
  }
});

const DIALECTS: readonly (readonly [Partial<CsvDialect>, object])[] = [
  [{ delimiter: "||" }, { delimiter: "||" }],
  [{ delimiter: ", " }, { delimiter: ", " }],
  [{ quote: "'" }, { quote: "'", escape: "'" }],
  [{ quote: "" }, { quote: null }],
  [{ escape: "\\", doubleQuote: false }, { escape: "\\" }],
  [{ comment: "#" }, { comment: "#" }],
  [{ comment: "//" }, { comment: "//" }],
  [{ lineEnd: "$" }, { record_delimiter: "$" }],
  [{ lineEnd: "<>" }, { record_delimiter: "<>" }],
  [{ delimiter: "\u00a7" }, { delimiter: "\u00a7" }],
];

test.each(DIALECTS)("dialect %j: a thousand random texts are cut as csv-parse cuts them, wherever they are split", (ours, theirs) => {
  const random = seeded(11);
  const dialect = { ...PLAIN, ...ours };
  const { delimiter, quote, escape, comment, lineEnd } = dialect;
  const inside = ["a", "bc d", "1.5", "é", "", delimiter.slice(0, 1)];
  const quotable = [...inside, delimiter, lineEnd || "\n", comment || "x", escape === "" ? quote + quote : escape + quote];
  const cell = () => {
    if (quote === "" || random(3) > 0) return Array.from({ length: 1 + random(2) }, () => inside[random(3)]).join("");
    return quote + Array.from({ length: random(3) }, () => quotable[random(quotable.length)]).join("") + quote;
  };
  for (let round = 0; round < 1_000; round++) {
    let text = "";
    for (let row = random(4); row >= 0; row--) {
      text += Array.from({ length: 1 + random(4) }, cell).join(delimiter);
      if (comment !== "" && random(4) === 0) text += `${comment} said`;
      if (row > 0 || random(2) === 0) text += lineEnd || ["\n", "\r\n", "\r"][random(3)];
    }
    const found = read(new DialectReader(dialect), text, 1 + random(text.length + 1)).records;
    const expected = parse(text, {
      record_delimiter: ["\r\n", "\n", "\r"],
      relax_column_count: true,
      skip_empty_lines: true,
      ...theirs,
    }) as unknown as string[][];
    expect(
      found.map((record) => record.map((value) => value ?? "")),
      JSON.stringify(text),
    ).toEqual(expected);
  }
});

test("blanks are one delimiter however many they are, at a line's ends they are none", () => {
  const text = ' a  b\t"c d" \n\n  1 2\t\t3\n \t \nx y z';
  const dialect = { ...PLAIN, delimiter: "\\s+" };
  for (let size = 1; size <= text.length + 1; size++) {
    const { records, lines } = read(new DialectReader(dialect), text, size);
    expect(records).toEqual([
      ["a", "b", "c d"],
      ["1", "2", "3"],
      ["x", "y", "z"],
    ]);
    expect(lines).toEqual([1, 3, 5]);
  }
});

test("spaces beside cells are left out where that is asked, within quotes they stay", () => {
  const text = 'a ,  b, " c "\n 1 ,"",  \n';
  const strip = read(new DialectReader({ ...PLAIN, strip: true }), text, 3).records;
  expect(strip).toEqual([
    ["a", "b", " c "],
    ["1", "", null],
  ]);
  const initial = read(new DialectReader({ ...PLAIN, skipSpace: true }), text, 3).records;
  expect(initial).toEqual([
    ["a ", "b", " c "],
    ["1 ", "", null],
  ]);
});
