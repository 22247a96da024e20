import { type ColumnType, typeName } from "../domain/table-schema.ts";
import { coerceDecimals, coerceDoubles, coerceInts } from "./coerce-number.ts";
import { coerceDays, coerceTimes, coerceTimestamps } from "./coerce-time.ts";
import { allNull, type ColumnData, Validity } from "./column-data.ts";

/**
 * How strictly text is taken. `declared`: somebody asked for this type, so +5, 007, 1/0 and digits that a double rounds
 * are what they meant. Otherwise the type was found, and a value that it would change does not fit.
 */
export interface CoerceRules {
  readonly declared: boolean;
}

/** Told of every cell that does not fit; the cell is null in the result. */
export type OnBadCell = (row: number, cell: string) => void;

/** Text cells as values of a type. White space around anything but text is ignored, and nothing but white space is null. */
export function coerce(cells: readonly (string | null)[], type: ColumnType, rules: CoerceRules, onBad: OnBadCell): ColumnData {
  switch (type.kind) {
    case "text":
    case "binary":
      return coerceBytes(cells);
    case "unknown":
      cells.forEach((cell, row) => {
        if (cell !== null) onBad(row, cell);
      });
      return allNull(cells.length);
    case "bool":
      return coerceBools(cells, rules, onBad);
    case "int64":
      return coerceInts(cells, rules, onBad);
    case "double":
      return coerceDoubles(cells, rules, onBad);
    case "decimal":
      return coerceDecimals(cells, type, rules, onBad);
    case "date":
      return coerceDays(cells, onBad);
    case "time":
      return coerceTimes(cells, onBad);
    case "timestamp":
      return coerceTimestamps(cells, type, rules, onBad);
    case "nested":
      cells.forEach((cell, row) => {
        if (cell !== null) onBad(row, cell);
      });
      return allNull(cells.length);
  }
}

/** Why a cell does not fit, with the value cut so that a message stays readable. */
export function reasonOf(cell: string, type: ColumnType): string {
  const shown = JSON.stringify(cell.length > 80 ? `${cell.slice(0, 80)}…` : cell);
  if (type.kind === "unknown") return `${shown} in a column that holds only nulls`;
  const name = typeName(type);
  return `${shown} is no ${name.length > 80 ? `${name.slice(0, 80)}…` : name}`;
}

/** One join and one encoding for the whole column: several times faster than cell by cell. */
function coerceBytes(cells: readonly (string | null)[]): ColumnData {
  const rows = cells.length;
  const validity = new Validity(rows);
  const offsets = new Int32Array(rows + 1);
  const joined = cells.join("");
  const values = Buffer.from(joined, "utf8");
  const ascii = values.length === joined.length;
  let at = 0;
  for (let row = 0; row < rows; row++) {
    const cell = cells[row] ?? null;
    if (cell === null) validity.clear(row);
    else at += ascii ? cell.length : Buffer.byteLength(cell);
    offsets[row + 1] = at;
  }
  // A small Buffer lies in a shared pool; batches hand over memory of their own.
  return { ...validity.facts(rows), form: "bytes", offsets, values: new Uint8Array(values) };
}

const TRUE: ReadonlySet<string> = new Set(["true", "True", "TRUE"]);
const FALSE: ReadonlySet<string> = new Set(["false", "False", "FALSE"]);
const ALSO_TRUE: ReadonlySet<string> = new Set(["1", "t", "T", "yes", "Yes", "YES", "y", "Y"]);
const ALSO_FALSE: ReadonlySet<string> = new Set(["0", "f", "F", "no", "No", "NO", "n", "N"]);

function coerceBools(cells: readonly (string | null)[], rules: CoerceRules, onBad: OnBadCell): ColumnData {
  const rows = cells.length;
  const validity = new Validity(rows);
  const values = new Uint8Array((rows + 7) >> 3);
  for (let row = 0; row < rows; row++) {
    const cell = cells[row] ?? null;
    const text = cell?.trim() ?? "";
    if (TRUE.has(text) || (rules.declared && ALSO_TRUE.has(text))) values[row >> 3] = (values[row >> 3] ?? 0) | (1 << (row & 7));
    else if (!(FALSE.has(text) || (rules.declared && ALSO_FALSE.has(text)))) {
      validity.clear(row);
      if (cell !== null && text !== "") onBad(row, cell);
    }
  }
  return { ...validity.facts(rows), form: "bits", values };
}
