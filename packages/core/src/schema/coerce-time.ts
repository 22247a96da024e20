import type { ColumnType } from "../domain/table-schema.ts";
import type { CoerceRules, OnBadCell } from "./coerce.ts";
import { setWord } from "./coerce-number.ts";
import { type ColumnData, Validity } from "./column-data.ts";
import { bigMicrosSinceEpoch, isNear, microsSinceEpoch, moment, nanosReach, scanTime } from "./scan-time.ts";

type Cells = readonly (string | null)[];

/** Dates, and timestamps at midnight, as days since 1970. */
export function coerceDays(cells: Cells, onBad: OnBadCell): ColumnData {
  const rows = cells.length;
  const validity = new Validity(rows);
  const values = new Int32Array(rows);
  for (let row = 0; row < rows; row++) {
    const text = cells[row]?.trim() ?? "";
    const kind = scanTime(text, 0, text.length);
    if (kind === "date" || (kind === "timestamp" && !moment.zoned && moment.micros === 0 && moment.nanos === 0)) values[row] = moment.days;
    else refuse(validity, row, text, cells, onBad);
  }
  return { ...validity.facts(rows), form: "days", values };
}

export function coerceTimes(cells: Cells, onBad: OnBadCell): ColumnData {
  const rows = cells.length;
  const validity = new Validity(rows);
  const values = new BigInt64Array(rows);
  const halves = new Int32Array(values.buffer);
  for (let row = 0; row < rows; row++) {
    const text = cells[row]?.trim() ?? "";
    if (scanTime(text, 0, text.length) === "time" && moment.nanos === 0) setWord(halves, row, moment.micros);
    else refuse(validity, row, text, cells, onBad);
  }
  return { ...validity.facts(rows), form: "words", values };
}

/**
 * Timestamps, and dates as their midnight. An instant needs Z or an offset and a local time has none; where the type was
 * declared, a local time is taken as UTC and an instant by its UTC clock.
 */
export function coerceTimestamps(cells: Cells, type: ColumnType & { kind: "timestamp" }, rules: CoerceRules, onBad: OnBadCell): ColumnData {
  const rows = cells.length;
  const validity = new Validity(rows);
  const values = new BigInt64Array(rows);
  const halves = new Int32Array(values.buffer);
  for (let row = 0; row < rows; row++) {
    const text = cells[row]?.trim() ?? "";
    const kind = scanTime(text, 0, text.length);
    const shape = kind === "timestamp" || kind === "date";
    const zoneFits = rules.declared || moment.zoned === type.zone;
    if (shape && zoneFits && type.unit === "us" && moment.nanos === 0) {
      if (isNear()) setWord(halves, row, microsSinceEpoch());
      else values[row] = bigMicrosSinceEpoch();
    } else if (shape && zoneFits && type.unit === "ns" && nanosReach(moment.year)) {
      values[row] = bigMicrosSinceEpoch() * 1000n + BigInt(moment.nanos);
    } else refuse(validity, row, text, cells, onBad);
  }
  return { ...validity.facts(rows), form: "words", values };
}

function refuse(validity: Validity, row: number, text: string, cells: Cells, onBad: OnBadCell): void {
  validity.clear(row);
  const cell = cells[row] ?? null;
  if (cell !== null && text !== "") onBad(row, cell);
}
