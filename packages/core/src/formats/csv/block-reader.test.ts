import { expect, test } from "vitest";
import { isFault } from "../../domain/fault.ts";
import { RecordReader, STEP } from "../csv-records.ts";
import { BlockReader, type CellShape } from "./block-reader.ts";
import { textOf } from "./cell-block.ts";

/** What a reader made of a csv: rows and misfits in the file's order, or how it failed. */
type Found = readonly [row: number, line: number | null, at: number | null, raw: string | null, cells: readonly (string | null)[] | string];
type Read = readonly Found[] | string;

async function read(bytes: Uint8Array, chunk: number, asked: Partial<CellShape> = {}): Promise<Read> {
  const shape: CellShape = {
    delimiter: 44,
    quote: 34,
    width: 2,
    start: { byteOffset: 0, line: 1 },
    ragged: "misfit",
    recordBytes: 1e6,
    ...asked,
  };
  const reader = new BlockReader(chunksOf(bytes, chunk), shape);
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
  for (let row = 0; ;) {
    const step = reader.next();
    if (step === STEP.end) return found;
    if (step === STEP.blank) continue;
    if (step === STEP.unclosed) return `line ${reader.quoteLine}: a quote opens here and is never closed`;
    row++;
    const { start, end, startLine, count } = reader;
    const cells = Array.from({ length: width }, (_, i) => (i < count ? (reader.cells[i] ?? null) : null));
    const what = step === STEP.broken ? reader.problem : count === width || fill ? cells : `expected ${width} cells, found ${count}`;
    found.push([row, startLine, Buffer.byteLength(text.slice(0, start)), text.slice(start, end), what]);
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

test("the block reader finds the rows, misfits and faults that the record reader finds, at every chunk size", async () => {
  const random = seeded(1);
  for (let i = 0; i < 3_000; i++) {
    const width = 1 + Math.floor(random() * 4);
    const bytes = randomCsv(random, width, i % 3 === 0 ? 0.9 : i % 3 === 1 ? 0.5 : 0);
    const quote = random() < 0.9 ? '"' : "";
    const fill = random() < 0.3;
    const wanted = expected(bytes, width, quote, fill);
    const asked = { width, quote: quote === "" ? 255 : 34, ragged: fill ? "fill" : "misfit" } as const;
    for (const chunk of [1 + Math.floor(random() * 10), 64, 1_000]) {
      expect(await read(bytes, chunk, asked), `${JSON.stringify(Buffer.from(bytes).toString())} width ${width} by ${chunk}`).toEqual(
        wanted,
      );
    }
  }
});
