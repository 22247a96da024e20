import { readFileSync } from "node:fs";
import { join } from "node:path";
import { constants, deflateRawSync, gzipSync, zstdCompressSync } from "node:zlib";
import type { ConvertOutcome } from "@sluice/core/ports/converter";
import type { ChildPool } from "../../apps/worker/src/child-pool.ts";
import { convertInSandbox, type MadeFile } from "./sandbox-kit.ts";
import { zipOf } from "./zip-writer.ts";

const MIB = 2 ** 20;
const fixture = (name: string) => readFileSync(join(import.meta.dirname, "../fixtures/bombs", name));
const times = (bytes: Buffer, n: number) => Buffer.concat(Array<Buffer>(n).fill(bytes));

/** A file that is small, or lies, and would take all memory or hours if it were believed. */
export interface Bomb {
  readonly what: string;
  readonly name: string;
  file(): MadeFile;
  /** The limit that its fault names. */
  readonly limit: RegExp;
}

export const BOMBS: readonly Bomb[] = [
  {
    what: "gzip, 1,030:1, 1 GiB",
    name: "a.csv.gz",
    file: () => times(gzipSync(Buffer.alloc(64 * MIB, "\n"), { level: 9 }), 16),
    limit: /^ratio$/,
  },
  {
    what: "zstd, 32,000:1, 4 GiB",
    name: "a.csv.zst",
    file: () => times(zstdCompressSync(Buffer.alloc(256 * MIB, "\n")), 16),
    limit: /^ratio$/,
  },
  { what: "bzip2, 1,000,000:1, 4 GiB", name: "a.csv.bz2", file: () => times(fixture("newlines-44-mib.bz2"), 100), limit: /^ratio$/ },
  { what: "xz, 6,800:1, 1 GiB", name: "a.csv.xz", file: () => times(fixture("newlines-32-mib.xz"), 32), limit: /^ratio$/ },
  { what: "a csv of 1 GiB in a zip", name: "a.csv.zip", file: () => zipOf([deflatedBomb("a.csv", 1_024)]), limit: /^ratio$/ },
  {
    what: "gzip within a zip, 1,000,000:1",
    name: "a.zip",
    file: () => zipOf([{ name: "a.csv.gz", content: times(gzipSync(Buffer.alloc(32 * MIB, "\n"), { level: 9 }), 32) }]),
    limit: /^ratio$/,
  },
  {
    what: "a zip that claims 100 GB",
    name: "a.zip",
    file: () => zipOf([{ name: "a.csv", content: "a\n1\n", bytes: 100e9, zip64: true }]),
    limit: /^decodedBytes$/,
  },
  { what: "a Parquet of one text of 200 MB", name: "a.parquet", file: () => fixture("one-text-of-200-mb.parquet"), limit: /^ratio$/ },
  { what: "an Arrow stream of 2^31-1 rows", name: "a.arrow", file: () => fixture("rows-2147483647.arrows"), limit: /^ratio$/ },
  { what: "an xlsx of 1 MB with 1 GB of sheet", name: "a.xlsx", file: workbookBomb, limit: /^ratio$/ },
  { what: "a quote of 600 MB that is never closed", name: "a.csv", file: () => openQuote(600e6), limit: /^recordBytes$/ },
];

export interface Judged {
  /** Null where the bomb was refused by the limit that it must be refused by. */
  readonly wrong: string | null;
  readonly ms: number;
  readonly cpuMs: number;
  readonly grownBytes: number;
}

/** Lets a sandbox have the bomb, after a small file that warms it up. */
export async function judgeBomb(bomb: Bomb, pool: ChildPool): Promise<Judged> {
  await convertInSandbox(pool, "small.csv", Buffer.from("a\n1\n"));
  const { outcome, death, ms, cpuMs, grownBytes } = await convertInSandbox(pool, bomb.name, bomb.file());
  return { wrong: wrongWith(bomb, outcome, death), ms, cpuMs, grownBytes };
}

function wrongWith(bomb: Bomb, outcome: ConvertOutcome | null, death: string | null): string | null {
  if (outcome === null) return `it killed the sandbox: ${death}`;
  if (outcome.kind !== "failed") return `it was ${outcome.kind}`;
  const { code, field, message } = outcome.fault;
  if (code !== "limit_exceeded") return `${code}: ${message}`;
  return bomb.limit.test(field ?? "") && message.includes(`limit ${field}`) ? null : `limit ${field}: ${message}`;
}

/** A member of so many MiB of rows whose packed form is one MiB's, again and again: deflate blocks end on bytes when flushed. */
function deflatedBomb(name: string, mib: number, head = "a,b\n", row = "1,2\n", tail = "") {
  const rows = Buffer.alloc(MIB, row);
  const flushed = (text: string | Buffer) => deflateRawSync(text, { level: 9, finishFlush: constants.Z_FULL_FLUSH });
  const packed = Buffer.concat([flushed(head), times(flushed(rows), mib), deflateRawSync(tail)]);
  return { name, method: 8, packed, bytes: head.length + mib * MIB + tail.length, crc: 1 };
}

function workbookBomb(): Buffer {
  const xml = (text: string) => `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>${text}`;
  const main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
  const office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
  const packages = "http://schemas.openxmlformats.org/package/2006";
  const type = "application/vnd.openxmlformats-officedocument.spreadsheetml";
  return zipOf([
    {
      name: "[Content_Types].xml",
      content: xml(
        `<Types xmlns="${packages}/content-types"><Override PartName="/xl/workbook.xml" ContentType="${type}.sheet.main+xml"/><Override PartName="/xl/worksheets/sheet1.xml" ContentType="${type}.worksheet+xml"/></Types>`,
      ),
    },
    {
      name: "_rels/.rels",
      content: xml(
        `<Relationships xmlns="${packages}/relationships"><Relationship Id="r1" Type="${office}/officeDocument" Target="xl/workbook.xml"/></Relationships>`,
      ),
    },
    {
      name: "xl/workbook.xml",
      content: xml(`<workbook xmlns="${main}" xmlns:r="${office}"><sheets><sheet name="S" sheetId="1" r:id="r1"/></sheets></workbook>`),
    },
    {
      name: "xl/_rels/workbook.xml.rels",
      content: xml(
        `<Relationships xmlns="${packages}/relationships"><Relationship Id="r1" Type="${office}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>`,
      ),
    },
    deflatedBomb(
      "xl/worksheets/sheet1.xml",
      1_024,
      xml(`<worksheet xmlns="${main}"><sheetData>`),
      "<row><c><v>1</v></c></row>      ",
      "</sheetData></worksheet>",
    ),
  ]);
}

/** Made as it is read: no test should hold 600 MB. */
function openQuote(length: number): MadeFile {
  const head = Buffer.from('a,b\n1,"');
  const text = Buffer.alloc(MIB, "lorem ipsum, dolor\n");
  return {
    length,
    subarray: (from, to) => {
      const end = Math.min(to, length);
      if (from < head.length) return Buffer.concat([head.subarray(from), text]).subarray(0, end - from);
      return text.subarray(0, Math.min(MIB, end - from));
    },
  };
}
