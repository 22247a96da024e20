import type { ParsingOptions, WorkBook } from "@e965/xlsx";
import { Fault, isFault } from "../domain/fault.ts";
import type { Format, FormatInput, OpenedFile } from "./format.ts";
import { isMarkup, isPlainText, magicOf } from "./magic.ts";
import { chosenSheets } from "./sheet/chosen-sheets.ts";
import { openSheets } from "./sheet/sheet-table.ts";
import type { Source } from "./source.ts";
import { beginsBiff, walkBiff } from "./xls/biff-records.ts";
import { CompoundFile, OLE2_MAGIC } from "./xls/compound-file.ts";
import { sheetOf, sheetsOf } from "./xls/xls-sheets.ts";
import { openWorkbook } from "./xlsx/open-workbook.ts";

/** An xls is read as a whole: it takes some four times its size in memory, and about this much for each cell. */
const BYTES_SHARE = 1 / 4;
const CELL_BYTES = 128;
/** A workbook with a password, and what holds its key. */
const ENCRYPTED = ["EncryptedPackage", "EncryptionInfo"];

/**
 * Excel workbooks by either name: what a file is, its bytes tell. Office Open XML is read by our own reader, BIFF 2 to 8
 * (.xls, bare or in an OLE2 document) by SheetJS.
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

function withPassword(): Fault {
  return new Fault("unreadable", "the workbook is encrypted with a password: save it without one", { field: "encryption" });
}

async function openXls(stream: Uint8Array, input: FormatInput): Promise<OpenedFile> {
  const { cells, encrypted, unicode } = walkBiff(stream);
  if (encrypted) throw withPassword();
  const most = Math.floor(input.limits.heldBytes / CELL_BYTES);
  if (cells > most) {
    throw new Fault(
      "limit_exceeded",
      `the workbook has ${cells} cells, which are held in memory; ${most} may be (${CELL_BYTES} bytes for each of limit heldBytes): save it as xlsx`,
      { field: "heldBytes", value: cells, limit: most },
    );
  }
  const book = await parse(stream, unicode);
  const date1904 = book.Workbook?.WBProps?.date1904 ?? false;
  const sheets = chosenSheets(sheetsOf(book), input.options);
  return openSheets(
    sheets.map((sheet) => sheetOf(sheet, date1904, input.rawSize)),
    input,
  );
}

const PARSING: ParsingOptions = { type: "buffer", dense: true, cellNF: true, cellFormula: false, cellHTML: false, cellText: false };

/** SheetJS's errors are of any kind: on bytes that are no workbook, every one of them says so. */
async function parse(stream: Uint8Array, unicode: boolean): Promise<WorkBook> {
  const { read, set_cptable: setCodePages } = await import("@e965/xlsx");
  if (!unicode) setCodePages(await import("@e965/xlsx/dist/cpexcel"));
  try {
    return read(Buffer.from(stream), PARSING);
  } catch (error) {
    if (isFault(error)) throw error;
    throw new Fault("unreadable", `the workbook cannot be read: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    });
  }
}
