import { expect, test } from "vitest";
import { isFault } from "../../domain/fault.ts";
import { RecordReader, STEP } from "../csv-records.ts";
import { BlockReader, type CellShape } from "./block-reader.ts";
import { textOf } from "./cell-block.ts";
import type { Marks } from "./cut-record.ts";
import { newTokeniser, PlainTokeniser } from "./tokeniser.ts";

/** What a reader made of a csv: rows and misfits in the file's order, or how it failed. */
type Found = readonly [row: number, line: number | null, at: number | null, raw: string | null, cells: readonly (string | null)[] | string];
type Read = readonly Found[] | string;

async function read(bytes: Uint8Array, chunk: number, asked: Partial<CellShape> = {}, make = newTokeniser): Promise<Read> {
  const shape: CellShape = {
    delimiter: 44,
    quote: 34,
    width: 2,
    start: { byteOffset: 0, line: 1 },
    ragged: "misfit",
    recordBytes: 1e6,
    ...asked,
  };
  const reader = new BlockReader(chunksOf(bytes, chunk), shape, make);
  const found: Found[] = [];
  try {
    for (let block = await reader.next(); block !== null; block = await reader.next()) {
      const rows: Found[] = block.misfits.map((misfit) => [misfit.row, misfit.line, misfit.byteOffset, misfit.raw, misfit.reason]);
      for (let row = 0; row < block.rows; row++) {
        const cells: (string | null)[] = [];
        for (let c = 0; c < shape.width; c++) {
          const from = c === 0 ? (block.starts[row] ?? 0) : (block.ends[row * shape.width + c - 1] ?? 0) + 1;
          cells.push(cellText(block.bytes, from, block.ends[row * shape.width + c] ?? 0, shape.quote));
        }
        const place = block.place(row);
        rows.push([place.row, place.line, place.byteOffset, place.raw, cells]);
      }
      found.push(...rows.sort((a, b) => a[0] - b[0]));
    }
  } catch (error) {
    if (!isFault(error)) throw error;
    return error.message;
  } finally {
    await reader.close();
  }
  return found;
}

function cellText(bytes: Uint8Array, from: number, to: number, quote: number): string | null {
  const text = textOf(bytes, from, to);
  if (text === "") return null;
  if (bytes[from] !== quote) return text;
  const mark = String.fromCharCode(quote);
  return text.slice(1, text.lastIndexOf(mark)).replaceAll(mark + mark, mark);
}

async function* chunksOf(bytes: Uint8Array, size: number) {
  for (let at = 0; at < bytes.length; at += size) yield { bytes: bytes.subarray(at, at + size), rawBytes: at };
}

/** The same by the reader of records from text, whole. */
function expected(bytes: Uint8Array, width: number, quote: string, fill: boolean): Read {
  const text = Buffer.from(bytes).toString("utf8");
  const reader = new RecordReader(",", quote);
  reader.load(text, true);
  const found: Found[] = [];
  let counted = 0;
  let offset = 0;
  for (let row = 0; ;) {
    const step = reader.next();
    if (step === STEP.end) return found;
    if (step === STEP.blank) continue;
    if (step === STEP.unclosed) return `line ${reader.quoteLine}: a quote opens here and is never closed`;
    row++;
    const { start, end, startLine, count } = reader;
    const cells = Array.from({ length: width }, (_, i) => (i < count ? (reader.cells[i] ?? null) : null));
    const what = step === STEP.broken ? reader.problem : count === width || fill ? cells : `expected ${width} cells, found ${count}`;
    offset += Buffer.byteLength(text.slice(counted, start));
    counted = start;
    found.push([row, startLine, offset, text.slice(start, end), what]);
  }
}

const PIECES = [
  "a",
  "b",
  ",",
  ",",
  '"',
  '""',
  "\n",
  "\n",
  "\r\n",
  "\r",
  " ",
  "\t",
  "\0",
  "é",
  "€",
  "😀",
  "1",
  "-2.5",
  '"x"',
  '"y,z"',
  ",\n",
  "\n\n",
  ";",
];

/** Deterministic numbers below 1 (mulberry32). */
export function seeded(seed: number): () => number {
  let a = seed;
  return () => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

function randomCsv(random: () => number, width: number, regular: number): Uint8Array {
  let text = "";
  const size = Math.floor(random() * 200);
  while (text.length < size) {
    if (random() < regular)
      text += `${Array.from({ length: width }, () => (random() < 0.3 ? '"q ""u"", \n"' : String(Math.floor(random() * 1e6)))).join(",")}\n`;
    else text += PIECES[Math.floor(random() * PIECES.length)] ?? "";
  }
  return Buffer.from(text);
}

const plain = (marks: Marks, bytes: number, ends: number) => new PlainTokeniser(marks, bytes, ends);

test("the block reader finds the rows, misfits and faults that the record reader finds, at every chunk size, with SIMD and without", async () => {
  const random = seeded(1);
  for (let i = 0; i < 800; i++) {
    const width = 1 + Math.floor(random() * 4);
    const bytes = randomCsv(random, width, i % 3 === 0 ? 0.9 : i % 3 === 1 ? 0.5 : 0);
    const quote = random() < 0.9 ? '"' : "";
    const fill = random() < 0.3;
    const wanted = expected(bytes, width, quote, fill);
    const asked = { width, quote: quote === "" ? 255 : 34, ragged: fill ? "fill" : "misfit" } as const;
    for (const chunk of [1 + Math.floor(random() * 10), 64, 1_000]) {
      const make = chunk === 64 ? plain : newTokeniser;
      const what = `${JSON.stringify(Buffer.from(bytes).toString())} width ${width} by ${chunk}`;
      expect(await read(bytes, chunk, asked, make), what).toEqual(wanted);
    }
  }
});

test("a split at any byte changes nothing", async () => {
  const bytes = Buffer.from('a,"b ""1"", é"\r\n"x\r\ny" ,€😀\r\r\n\n"",\n1,2,3\n"q"z,1\r,\nlast,"one"');
  const wanted = expected(bytes, 2, '"', false);
  for (let chunk = 1; chunk <= bytes.length; chunk++) {
    for (const make of [newTokeniser, plain]) expect(await read(bytes, chunk, {}, make), `by ${chunk}`).toEqual(wanted);
  }
});

test("files of many blocks, rows wider than a block and records longer than its memory are cut as whole ones are", async () => {
  const random = seeded(2);
  const rows = (count: number, width: number, cell: () => string) =>
    Buffer.from(Array.from({ length: count }, () => Array.from({ length: width }, cell).join(",")).join("\n"));
  const short = () => (random() < 0.01 ? '"a\n""b"' : random() < 0.001 ? "x,y" : String(Math.floor(random() * 1e5)));
  const long = () => (random() < 0.2 ? `"${"long, ".repeat(Math.floor(random() * 60_000))}"` : "1");
  for (const [width, bytes] of [
    [2, rows(40_000, 2, short)],
    [1, rows(70_000, 1, short)],
    [3, rows(40, 3, long)],
    [50_000, rows(3, 50_000, () => "1")],
  ] as const) {
    const found = await read(bytes, 100_000, { width });
    const wanted = expected(bytes, width, '"', false);
    expect(found.length).toBe(wanted.length);
    // Deep equality of so many rows takes longer than reading them.
    expect(JSON.stringify(found) === JSON.stringify(wanted)).toBe(true);
  }
});

test("a record longer than allowed is refused by the line on which it begins, closed or not", async () => {
  const limits = { recordBytes: 1_000 };
  const long = `a,b\n\n"x\n",${"y".repeat(1_200)}\n1,2\n`;
  expect(await read(Buffer.from(long), 300, limits)).toBe("a record that begins on line 3 is longer than 1000 bytes (limit recordBytes)");
  expect(await read(Buffer.from(long), 9_000, limits)).toBe("a record that begins on line 3 is longer than 1000 bytes (limit recordBytes)");
  const open = `a,b\n1,"${"y\n".repeat(2_000)}`;
  expect(await read(Buffer.from(open), 300, limits)).toBe(
    "a record that begins on line 2 (a quote that opens on line 2 is not closed) is longer than 1000 bytes (limit recordBytes)",
  );
});
