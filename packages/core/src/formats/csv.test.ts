import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { DEFAULT_LIMITS } from "../domain/convert-limits.ts";
import { csv } from "./csv.ts";
import { decode, randomAccess, type StreamCompression } from "./decompress.ts";
import type { FormatInput, Place } from "./format.ts";
import { ReadSource } from "./source.ts";

async function read(
  bytes: Uint8Array,
  chunkBytes: number,
  more: Partial<Omit<FormatInput, "decoded">> & { compression?: StreamCompression } = {},
) {
  const source = new ReadSource(
    bytes.length,
    async (offset, length) => bytes.subarray(offset, offset + length),
    new AbortController().signal,
  );
  const limits = { ...DEFAULT_LIMITS, recordBytes: 1e6, columns: 100, chunkBytes };
  const { compression = "none", ...rest } = more;
  const file = await csv.open({
    name: "csv",
    decoded: () => decode(source, compression, limits),
    random: () => randomAccess(source, compression, limits),
    rawSize: source.size,
    options: {},
    limits,
    ragged: "misfit",
    ...rest,
  });
  const rows: (string | null)[][] = [];
  const places: Place[] = [];
  const misfits: Place[] = [];
  for (const table of file.tables) {
    for await (const batch of table.batches()) {
      for (let i = 0; i < batch.rows; i++) {
        rows.push(batch.columns.map((cells) => ("text" in cells ? (cells.text[i] ?? null) : null)));
        places.push(batch.place(i));
      }
      misfits.push(...batch.misfits);
    }
  }
  return { columns: file.tables[0]?.columns.map((column) => column.name), dialect: file.dialect, rows, places, misfits };
}

const TEXT = '\ufeffid;"na\nme";ž\r\n1;"x\r\ny";é\r\r\n2;"say ""hi""";€𝒳\n3;short\n"";;\r\n4;"q"z;1\n5;a;"b"';

test("a csv reads the same at every chunk size: rows, places and misfits", async () => {
  const bytes = Buffer.from(TEXT);
  const whole = await read(bytes, bytes.length);
  expect(whole.columns).toEqual(["id", "na me", "ž"]);
  expect(whole.rows).toEqual([
    ["1", "x\r\ny", "é"],
    ["2", 'say "hi"', "€𝒳"],
    ["", null, null],
    ["5", "a", "b"],
  ]);
  expect(whole.misfits).toMatchObject([
    { row: 3, line: 7, raw: "3;short", reason: "expected 3 cells, found 2" },
    { row: 5, line: 9, raw: '4;"q"z;1' },
  ]);
  for (const place of [...whole.places, ...whole.misfits]) {
    const raw = place.raw ?? "";
    const at = place.byteOffset ?? 0;
    expect(bytes.subarray(at, at + Buffer.byteLength(raw)).toString("utf8")).toBe(raw);
  }
  for (let chunk = 1; chunk < bytes.length; chunk++) {
    // The delimiter is told from the first chunk, which is always larger than this in use.
    const { dialect: _dialect, ...same } = await read(bytes, chunk, { options: { delimiter: ";" } });
    const { dialect: _other, ...expected } = whole;
    expect(same).toEqual(expected);
  }
});

test("a gzip reads the same at every chunk size", async () => {
  const bytes = gzipSync(TEXT);
  const whole = await read(Buffer.from(TEXT), 1000);
  for (let chunk = 1; chunk < bytes.length; chunk += 3) {
    const zipped = await read(bytes, chunk, { compression: "gzip", options: { delimiter: ";" } });
    expect(zipped.rows).toEqual(whole.rows);
    expect(zipped.places).toEqual(whole.places);
  }
});
