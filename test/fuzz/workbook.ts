import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { randomOf } from "../../bench/csv.ts";
import { isFault } from "../../packages/core/src/domain/fault.ts";
import type { FileOptions } from "../../packages/core/src/domain/options.ts";
import { excel } from "../../packages/core/src/formats/excel.ts";
import { CompoundFile, OLE2_MAGIC } from "../../packages/core/src/formats/xls/compound-file.ts";
import { ZipReader } from "../../packages/core/src/formats/zip-reader.ts";
import { workbookInput } from "../formats/workbook-kit.ts";
import { zipOf } from "../formats/zip-kit.ts";

const FIXTURES = join(import.meta.dirname, "../fixtures");
const MOST_MS = 10_000;
const TOKENS = [
  "<", ">", "/", '"', "'", "=", "&", "&#x110000;", "&#0;", "<!--", "<![CDATA[", "]]>", "<!DOCTYPE x>", "<?", "\0", "\xff", "\xc3",
  '<c r="A1"><v>1</v></c>', '<c r="XFD1" t="s"><v>99999</v></c>', '<row r="4294967295">', "</row>", "<row>", "</c>", "<v>1e999</v>",
  "</sheetData>", "<is><t>", "<rPh>", ' t="d"', ' t="e"', ' s="9999999"', ' r="AAAAAAA1"', "_xD800_", "9".repeat(40), "-", "<x:c>",
] as const; // prettier-ignore
const OPTIONS: readonly FileOptions[] = [
  {},
  {},
  { header: false },
  { skip_rows: 1, max_rows: 2 },
  { header_rows: 2, skip_footer: 1, null_values: ["1", "ann"] },
  { column_names: ["a", "b"], skip_row_numbers: [1, 3] },
  { sheets: [0], tables: "first" },
];

/** What became of mutated workbooks. */
export interface FuzzCounts {
  readonly read: number;
  readonly refused: number;
}

/**
 * Reads seeded mutations of the xlsx or xls fixtures: of their bytes, and for xlsx of one part beneath its compression. Each must
 * be read, or refused by a fault of blame content, within ten seconds; anything else is thrown, with the seed and the round.
 */
export async function fuzz(seed: number, rounds: number, format: "xlsx" | "xls" = "xlsx"): Promise<FuzzCounts> {
  const names = readdirSync(join(FIXTURES, format)).filter((name) => name.endsWith(`.${format}`));
  const files = names.map((name) => readFileSync(join(FIXTURES, format, name)));
  const counts = { read: 0, refused: 0 };
  for (let round = 0; round < rounds; round++) {
    const random = randomOf(seed * 1_000_003 + round);
    const below = (n: number) => Math.floor(random() * n);
    const file = files[below(files.length)] ?? Buffer.alloc(0);
    const bytes =
      below(4) === 0 ? mutated(file, below) : format === "xlsx" ? await withMutatedPart(file, below) : mutated(bare(file), below);
    const options = OPTIONS[below(OPTIONS.length)] ?? {};
    const started = performance.now();
    try {
      await readAll(bytes, options, format);
      counts.read++;
    } catch (error) {
      if (!isFault(error) || error.blame !== "content") throw new Error(`${format}, seed ${seed}, round ${round}`, { cause: error });
      counts.refused++;
    }
    const ms = performance.now() - started;
    if (ms > MOST_MS) throw new Error(`${format}, seed ${seed}, round ${round}: took ${Math.round(ms)} ms`);
  }
  return counts;
}

async function readAll(bytes: Buffer, options: FileOptions, format: "xlsx" | "xls"): Promise<void> {
  const { tables } = await excel.open({ ...workbookInput(bytes, options, format), ragged: bytes.length % 2 === 0 ? "fill" : "misfit" });
  for (const table of tables) {
    for await (const batch of table.batches()) {
      if (batch.columns.length !== table.columns.length) throw new Error("a batch of another width");
      for (const column of batch.columns)
        if ("data" in column && column.data.rows !== batch.rows) throw new Error("a column of another length");
      for (let i = 0; i < batch.rows; i++) batch.place(i);
    }
  }
}

/** The records of an xls without the document around them, so that mutations reach them. */
function bare(file: Buffer): Buffer {
  if (file[0] !== OLE2_MAGIC[0]) return file;
  const document = new CompoundFile(file);
  return Buffer.from(document.read("Workbook") ?? document.read("Book") ?? file);
}

/** The workbook with one of its parts mutated, and what its directory says of it put right. */
async function withMutatedPart(file: Buffer, below: (n: number) => number): Promise<Buffer> {
  const input = workbookInput(file);
  const zip = await ZipReader.open(await input.random(), input.limits);
  const parts: Record<string, Buffer> = {};
  for (const entry of zip.entries) {
    const chunks: Uint8Array[] = [];
    for await (const { bytes } of zip.read(entry)) chunks.push(bytes);
    parts[entry.name] = Buffer.concat(chunks);
  }
  const names = Object.keys(parts).filter((name) => /sheet|workbook|sharedStrings|styles/.test(name));
  const name = names[below(names.length)] ?? "";
  return zipOf({ ...parts, [name]: mutated(parts[name] ?? Buffer.alloc(0), below) });
}

function mutated(file: Buffer, below: (n: number) => number): Buffer {
  let bytes = Buffer.from(file);
  for (let times = 1 + below(4); times > 0; times--) {
    const at = below(bytes.length + 1);
    const to = Math.min(at + below(24), bytes.length);
    const token = Buffer.from(TOKENS[below(TOKENS.length)] ?? "", "latin1");
    switch (below(7)) {
      case 0:
        if (bytes.length > 0) bytes[at % bytes.length] = below(256);
        break;
      case 1:
        bytes = Buffer.concat([bytes.subarray(0, at), token, bytes.subarray(at)]);
        break;
      case 2:
        bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(to)]);
        break;
      case 3:
        bytes = Buffer.concat([bytes.subarray(0, to), bytes.subarray(at)]);
        break;
      case 4:
        bytes.fill(below(2) * 255, at, to);
        break;
      case 5:
        if (bytes.length >= 4) bytes.writeUInt32LE(below(2 ** 32), at % (bytes.length - 3));
        break;
      default:
        if (below(4) === 0) bytes = bytes.subarray(0, at);
    }
  }
  return bytes;
}
