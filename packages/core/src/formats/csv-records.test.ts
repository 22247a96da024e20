import { parse } from "csv-parse/sync";
import { expect, test } from "vitest";
import { RecordReader, STEP } from "./csv-records.ts";

/** All records of a text that arrives in pieces of `size` characters, and whether it ends inside quotes. */
function read(
  text: string,
  size: number,
  delimiter = ",",
  quote = '"',
): { records: (string | null)[][]; unclosed: boolean; lines: number[] } {
  const reader = new RecordReader(delimiter, quote);
  const records: (string | null)[][] = [];
  const lines: number[] = [];
  let rest = "";
  for (let at = 0; at <= text.length; at += size) {
    const final = at + size > text.length;
    reader.load(rest + text.slice(at, at + size), final);
    for (;;) {
      const step = reader.next();
      if (step === STEP.unclosed && final) return { records, unclosed: true, lines };
      if (step === STEP.more || step === STEP.end || step === STEP.unclosed) break;
      if (step === STEP.blank) continue;
      records.push(step === STEP.broken ? ["broken"] : reader.cells.slice(0, reader.count));
      lines.push(reader.startLine);
    }
    rest = reader.text.slice(reader.pos);
  }
  return { records, unclosed: false, lines };
}

test("an empty cell is null and an empty quoted one is the empty text", () => {
  expect(read('a,,""\n"",\n', 100).records).toEqual([
    ["a", null, ""],
    ["", null],
  ]);
});

test("every boundary between two pieces of text gives the same records and lines", () => {
  const text = 'a,b\r\n1,"x\r\ny"\r\r\n2,"say ""hi"""\n"",\r3,"a""b" ,c\n"q"x,1\nlast,"é"';
  const whole = read(text, text.length + 1);
  expect(whole.lines).toEqual([1, 2, 5, 6, 7, 8, 9]);
  expect(whole.records.at(-1)).toEqual(["last", "é"]);
  for (let size = 1; size <= text.length; size++) expect(read(text, size)).toEqual(whole);
});

test("a text that ends inside quotes says so, wherever it is cut", () => {
  const text = 'a,b\n1,"x\n2,y\n';
  for (let size = 1; size <= text.length; size++) expect(read(text, size)).toMatchObject({ records: [["a", "b"]], unclosed: true });
});

test("ten thousand random texts are cut as csv-parse cuts them", () => {
  let seed = 42;
  const random = (below: number) => {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
    return (seed >>> 16) % below;
  };
  const cells = ["", "a", "bc d", '""', '"x"', '"x,y"', '"a""b"', '"l\nm"', '"c\r\nd"', "é", '"ž,;"', "1.5", " s "];
  const ends = ["\n", "\r\n", "\r"];
  for (let round = 0; round < 10_000; round++) {
    let text = "";
    for (let row = random(5); row >= 0; row--) {
      const width = 1 + random(4);
      text += Array.from({ length: width }, () => cells[random(cells.length)]).join(",");
      if (row > 0 || random(2) === 0) text += ends[random(3)];
    }
    const theirs = parse(text, { record_delimiter: ["\r\n", "\n", "\r"], relax_column_count: true, skip_empty_lines: true, bom: false });
    const ours = read(text, 1 + random(text.length + 1)).records.map((record) => record.map((cell) => cell ?? ""));
    expect(ours, JSON.stringify(text)).toEqual(theirs);
  }
});
