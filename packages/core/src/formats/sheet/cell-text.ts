import { CELL, type CellBlock } from "./cell-block.ts";
import { serialToMs, timeMs } from "./serial-date.ts";

/** Texts of a workbook, each once, as UTF-8: text i is bytes [offsets[i], offsets[i + 1]). */
export interface StringTable {
  readonly count: number;
  readonly bytes: Uint8Array;
  readonly offsets: Uint32Array;
}

export const NO_STRINGS: StringTable = { count: 0, bytes: new Uint8Array(0), offsets: new Uint32Array(1) };

/** A cell as text: numbers in the shortest form that reads back, dates and times in ISO 8601; null where it has no value. */
export function cellText(block: CellBlock, at: number, strings: StringTable): string | null {
  const kind = block.kinds[at] ?? 0;
  const value = block.values[at] ?? 0;
  if (kind === CELL.text) return utf8(block.text.bytes, block.textOffsets, value);
  if (kind === CELL.shared) return utf8(strings.bytes, strings.offsets, value);
  return kind === CELL.none || kind === CELL.error ? null : valueText(kind, value);
}

/** A number, boolean, date or time as text. */
export function valueText(kind: number, value: number): string {
  switch (kind) {
    case CELL.bool:
      return value === 1 ? "TRUE" : "FALSE";
    case CELL.date:
      return new Date(serialToMs(value)).toISOString().slice(0, 10);
    case CELL.datetime:
      return new Date(serialToMs(value)).toISOString().replace(/(\.000)?Z$/, "");
    case CELL.time:
      return new Date(timeMs(value))
        .toISOString()
        .slice(11)
        .replace(/(\.000)?Z$/, "");
    default:
      return String(value === 0 ? 0 : value);
  }
}

function utf8(bytes: Uint8Array, offsets: Uint32Array, index: number): string {
  const from = offsets[index] ?? 0;
  const to = offsets[index + 1] ?? 0;
  return Buffer.from(bytes.buffer, bytes.byteOffset + from, to - from).toString("utf8");
}
