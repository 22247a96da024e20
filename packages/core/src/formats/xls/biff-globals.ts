import type { TextDecoder } from "node:util";
import { Fault } from "../../domain/fault.ts";
import { SHOWN, type Shown, shownByCode, shownByNumber } from "../sheet/number-format.ts";
import { readU16, readU8, RECORD } from "./biff-records.ts";
import { decoderOf, readShortText, readText } from "./biff-text.ts";
import { Texts } from "./sheet-cells.ts";

/** What the cells of a sheet need to know of their workbook. */
export interface Globals {
  readonly version: number;
  /** Null in BIFF 8, whose texts are Unicode. */
  decoder: TextDecoder | null;
  date1904: boolean;
  readonly texts: Texts;
  /** How many texts of `texts` are shared. */
  shared: number;
  /** How numbers are shown, by the number of a format and by that of a cell's style. */
  readonly formats: Map<number, Shown>;
  readonly styles: Shown[];
  readonly sheets: { readonly name: string; readonly hidden: boolean; readonly at: number }[];
}

/** Of a workbook, or of a sheet that has styles of its own within one. */
export function newGlobals(version: number, of?: Globals): Globals {
  return {
    version,
    decoder: version === 8 ? null : (of?.decoder ?? decoderOf(1252)),
    date1904: of?.date1904 ?? false,
    texts: of?.texts ?? new Texts(),
    shared: 0,
    formats: new Map(),
    styles: [],
    sheets: [],
  };
}

/** Records that stand in the workbook's part from BIFF 5 on, and in the sheet before. */
export function readShared(type: number, data: Buffer, globals: Globals): void {
  const { version, formats, styles } = globals;
  switch (type) {
    case RECORD.filepass:
      throw withPassword();
    case RECORD.codePage:
      if (version < 8) globals.decoder = decoderOf(readU16(data, 0));
      break;
    case RECORD.date1904:
      globals.date1904 = readU16(data, 0) === 1;
      break;
    case RECORD.format2:
      formats.set(formats.size, shownByCode(readShortText(data, 0, globals.decoder)));
      break;
    case RECORD.format: {
      const code = version === 8 ? readText(data, 4, readU16(data, 2), null) : readShortText(data, 2, globals.decoder);
      formats.set(version < 5 ? formats.size : readU16(data, 0), shownByCode(code));
      break;
    }
    case RECORD.xf2:
      styles.push(shownOf(readU8(data, 2) & 0x3f, globals));
      break;
    case RECORD.xf3:
    case RECORD.xf4:
      styles.push(shownOf(readU8(data, 1), globals));
      break;
    case RECORD.xf:
      styles.push(shownOf(readU16(data, 2), globals));
      break;
  }
}

/** How a format shows numbers, by its number. */
export function shownOf(format: number, { formats, version }: Globals): Shown {
  return formats.get(format) ?? (version < 5 ? SHOWN.number : shownByNumber(format));
}

export function withPassword(): Fault {
  return new Fault("unreadable", "the workbook is encrypted with a password: save it without one", { field: "encryption" });
}
