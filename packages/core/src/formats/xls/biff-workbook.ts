import { Fault } from "../../domain/fault.ts";
import { isBof, readU16, readU32, readU8, RECORD, recordsFrom, SUBSTREAM, versionOf, withContinued } from "./biff-records.ts";
import { type Globals, newGlobals, readShared } from "./biff-globals.ts";
import { ContinuedTexts, readShortText } from "./biff-text.ts";
import { readCells } from "./biff-cells.ts";
import type { SheetCells, Texts } from "./sheet-cells.ts";

/** A sheet of cells of a workbook. */
export interface BiffSheet {
  readonly name: string;
  readonly hidden: boolean;
  readonly cells: SheetCells;
}

export interface BiffWorkbook {
  readonly date1904: boolean;
  readonly texts: Texts;
  readonly sheets: readonly BiffSheet[];
}

/**
 * Reads a workbook stream of BIFF 2 to 8 ([MS-XLS] 2.1.7): the part that its sheets share, then each sheet. Only what cells hold is
 * looked at. Throws `unreadable` for a damaged one and for one with a password.
 */
export function readBiff(stream: Buffer): BiffWorkbook {
  const [first] = recordsFrom(stream, 0);
  if (first === undefined) throw new Fault("unreadable", "the workbook is empty");
  const globals = newGlobals(versionOf(first.type, first.data));
  const kind = readU16(first.data, 2);
  const isAlone = kind === SUBSTREAM.sheet || (globals.version < 5 && kind !== SUBSTREAM.workspace);
  if (isAlone) globals.sheets.push({ name: "Sheet1", hidden: false, at: 0 });
  else readGlobals(stream, globals);
  const sheets = readSheets(stream, globals, isAlone);
  return { date1904: globals.date1904, texts: globals.texts, sheets };
}

/** In the order in which they lie in the stream, none within another, so that no byte is read twice; given in the workbook's order. */
function readSheets(stream: Buffer, globals: Globals, isAlone: boolean): BiffSheet[] {
  const cells = new Map<number, SheetCells>();
  let end = 0;
  for (const { name, at } of globals.sheets.toSorted((a, b) => a.at - b.at)) {
    const [begin] = recordsFrom(stream, at);
    if (at < end || begin === undefined || !isBof(begin.type)) {
      throw new Fault("unreadable", `the workbook is damaged: sheet ${JSON.stringify(name)} is not where it should be`);
    }
    if (!isAlone && readU16(begin.data, 2) !== SUBSTREAM.sheet) continue;
    // Sheets of a BIFF 4 workspace have formats of their own.
    const read = readCells(stream, at, globals.version < 5 && !isAlone ? newGlobals(globals.version, globals) : globals);
    cells.set(at, read.cells);
    end = read.end;
  }
  return globals.sheets.flatMap(({ name, hidden, at }) => {
    const found = cells.get(at);
    return found === undefined ? [] : [{ name, hidden, cells: found }];
  });
}

function readGlobals(stream: Buffer, globals: Globals): void {
  let name = "";
  for (const { type, data, at } of recordsFrom(stream, 0)) {
    if (at > 0 && isBof(type)) {
      // A workspace of BIFF 4 has its sheets within, each behind its name.
      if (globals.version >= 5) return;
      globals.sheets.push({ name: name || `Sheet${globals.sheets.length + 1}`, hidden: false, at });
    } else if (type === RECORD.eof && globals.version >= 5) return;
    else if (type === RECORD.sheetHeader4) name = readShortText(data, 4, globals.decoder);
    else if (type === RECORD.boundSheet) addSheet(data, globals);
    else if (type === RECORD.sst) addShared(stream, at, globals);
    else readShared(type, data, globals);
  }
}

function addSheet(data: Buffer, globals: Globals): void {
  const at = readU32(data, 0);
  const hidden = (readU8(data, 4) & 3) !== 0;
  // 0: cells; 1: macros, 2: a chart, 6: a module.
  if (readU8(data, 5) === 0) globals.sheets.push({ name: readShortText(data, 6, globals.decoder), hidden, at });
}

function addShared(stream: Buffer, at: number, globals: Globals): void {
  const parts = withContinued(stream, at);
  const count = readU32(parts[0] ?? Buffer.alloc(0), 4);
  const shared = new ContinuedTexts(parts, 8);
  for (let i = 0; i < count; i++) {
    const text = shared.next();
    if (text === null) throw new Fault("unreadable", `the workbook is damaged: it has ${i} shared strings and claims ${count}`);
    globals.texts.add(text);
  }
  globals.shared = globals.texts.count;
}
