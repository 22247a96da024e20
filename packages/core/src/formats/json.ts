import { MAIN_TABLE } from "../domain/dataset.ts";
import { Fault } from "../domain/fault.ts";
import type { DecodedChunk } from "./decompress.ts";
import type { Format, FormatInput, OpenedFile, OpenedTable } from "./format.ts";
import { Blocks } from "./json/blocks.ts";
import { openDocument } from "./json/document.ts";
import { recordTable } from "./json/record-table.ts";
import type { Layout } from "./json/records.ts";
import { utf8Input } from "./json/utf8-input.ts";
import { limitDepth, MORE, OPEN_ARRAY, OPEN_OBJECT, scanValue, skipSpace } from "./json/scan-value.ts";

/**
 * JSON (RFC 8259): rows in an array, one a line, or one behind the other; rows as arrays; and objects that hold columns, tables or rows
 * in any of pandas' orients. Which of them is told from the bytes where no option says it.
 */
export const json: Format = {
  names: ["json", "ndjson"],

  async open(raw: FormatInput): Promise<OpenedFile> {
    limitDepth(raw.limits.jsonDepth);
    const { encoding, input } = await utf8Input(raw);
    const decoded = () => input.decoded();
    const layout = await findLayout(input, decoded);
    return { dialect: { encoding }, tables: await tablesOf(input, layout, decoded) };
  },
};

async function tablesOf(
  input: FormatInput,
  layout: Layout | "document",
  decoded: () => AsyncIterable<DecodedChunk>,
): Promise<readonly OpenedTable[]> {
  if (layout === "document") return await openDocument(input, decoded, () => input.random());
  const { orient } = input.options;
  if (orient !== undefined && orient !== "records" && orient !== "values") {
    throw new Fault("unreadable", `no readable JSON of orient ${orient}: it is no object`, { field: "orient", value: orient });
  }
  const table = await recordTable(input, { table: MAIN_TABLE, layout, chunks: decoded }, canGuess(input));
  return table === null ? [] : [table];
}

/** By the first value, and by what follows it: nothing, or more values. */
async function findLayout(input: FormatInput, decoded: () => AsyncIterable<DecodedChunk>): Promise<Layout | "document"> {
  const { lines, orient } = input.options;
  if (lines === true) return "lines";
  const blocks = new Blocks(decoded(), input.limits.recordBytes);
  for await (const { bytes, from, to, final } of blocks) {
    const at = skipSpace(bytes, from, to);
    const more = !final && to - at <= input.limits.recordBytes;
    if (at < to) {
      const first = bytes[at];
      if (first === OPEN_ARRAY && input.name === "json") return "array";
      if (first === OPEN_ARRAY && bytes[skipSpace(bytes, at + 1, to)] === OPEN_OBJECT) return "array";
      if (first !== OPEN_OBJECT || input.name === "ndjson") return input.name === "ndjson" ? "lines" : notRows(at);
      if (lines === false || (orient !== undefined && orient !== "records" && orient !== "values")) return "document";
      const end = scanValue(bytes, at, to);
      // What is longer than a row may be is no row.
      if (end < 0 && !(end === MORE && more)) return end === MORE && !final ? "document" : "sequence";
      const next = end < 0 ? to : skipSpace(bytes, end, to);
      if (next < to) return bytes.subarray(at, end).includes(10) || !bytes.subarray(end, next).includes(10) ? "sequence" : "lines";
      if (end >= 0 && final) return "document";
    }
    if (!final) blocks.keep(at);
  }
  throw new Fault("unreadable", "no readable JSON: there is nothing in it but white space");
}

function notRows(at: number): never {
  throw new Fault("unreadable", `no readable JSON: byte ${at}: an array or an object must begin here`, { field: "byte", value: at });
}

/** Whether the head of the rows may stand for them: a short pass neither counts rows nor leaves dates alone. */
function canGuess({ options }: FormatInput): boolean {
  return options.max_rows === undefined && options.infer_dates !== false;
}
