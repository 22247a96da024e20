import { Fault } from "../domain/fault.ts";
import type { Format, FormatInput, OpenedFile } from "./format.ts";
import { isMarkup, isPlainText, magicOf } from "./magic.ts";
import { chosenSheets } from "./sheet/chosen-sheets.ts";
import { openSheets } from "./sheet/sheet-table.ts";
import type { Source } from "./source.ts";
import { beginsBiff } from "./xls/biff-records.ts";
import { withPassword } from "./xls/biff-globals.ts";
import { readBiff } from "./xls/biff-workbook.ts";
import { CompoundFile, OLE2_MAGIC } from "./xls/compound-file.ts";
import { openWorkbook } from "./xlsx/open-workbook.ts";

/** An xls is read as a whole: it takes some four times its size in memory. */
const BYTES_SHARE = 1 / 4;
/** A workbook with a password, and what holds its key. */
const ENCRYPTED = ["EncryptedPackage", "EncryptionInfo"];

/**
 * Excel workbooks by either name: what a file is, its bytes tell. Office Open XML and BIFF 2 to 8 (.xls, bare or
 * in an OLE2 document) have a reader each.
 */
export const excel: Format = {
  names: ["xlsx", "xls"],
  open: async (input) => {
    const source = await input.random();
    const head = await source.read(0, 64 * 1024);
    if (OLE2_MAGIC.every((byte, at) => head[at] === byte)) return openXls(workbookStream(await whole(source, input)), input);
    if (beginsBiff(head)) return openXls(await whole(source, input), input);
    if (head[0] === 0x50 && head[1] === 0x4b) return openWorkbook(source, input);
    throw notExcel(head, input);
  },
};

function notExcel(head: Uint8Array, input: FormatInput): Fault {
  const what =
    magicOf(head)?.name ?? (isMarkup(head) ? "HTML or XML" : isPlainText(head) ? "text: name it csv or tsv" : "no Excel workbook");
  return new Fault("format_mismatch", `the file is taken for ${input.name}, but the content is ${what}`, {
    field: "format",
    value: input.name,
  });
}

async function whole(source: Source, { limits }: FormatInput): Promise<Uint8Array> {
  const most = Math.floor(limits.heldBytes * BYTES_SHARE);
  if (source.size > most) {
    throw new Fault(
      "limit_exceeded",
      `an xls is read as a whole and may have ${most} bytes, this one has ${source.size} (a quarter of limit heldBytes): save it as xlsx`,
      { field: "heldBytes", value: source.size, limit: most },
    );
  }
  return source.read(0, source.size);
}

function workbookStream(bytes: Uint8Array): Uint8Array {
  const file = new CompoundFile(bytes);
  const { names } = file;
  if (ENCRYPTED.some((name) => names.includes(name))) throw withPassword();
  const stream = file.read("Workbook") ?? file.read("Book");
  if (stream === null || !beginsBiff(stream)) {
    throw new Fault("format_mismatch", `the OLE2 document is no Excel workbook: it holds ${names.slice(0, 5).join(", ") || "nothing"}`);
  }
  return stream;
}

async function openXls(stream: Uint8Array, input: FormatInput): Promise<OpenedFile> {
  const book = readBiff(Buffer.from(stream.buffer, stream.byteOffset, stream.length));
  const { texts, date1904 } = book;
  const sheets = chosenSheets(book.sheets, input.options);
  return openSheets(
    sheets.map(({ name, cells }) => ({ name, strings: texts, small: true, blocks: () => cells.blocks(texts, date1904, input.rawSize) })),
    input,
  );
}
