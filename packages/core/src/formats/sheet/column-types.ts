import type { ColumnType } from "../../domain/table-schema.ts";
import { CELL } from "./cell-block.ts";

const bit = (...kinds: number[]) => kinds.reduce((bits, kind) => bits | (1 << kind), 0);

const NOTHING = bit(CELL.none, CELL.error);

/** The types that cells have. */
export type SheetType = Extract<
  ColumnType,
  { readonly kind: "unknown" | "int64" | "double" | "bool" | "date" | "timestamp" | "time" | "text" }
>;

/** By what a column's cells may all be, the type that they have then. The first that fits counts. */
const TYPES: readonly (readonly [bits: number, type: SheetType])[] = [
  [0, { kind: "unknown" }],
  [bit(CELL.int), { kind: "int64" }],
  [bit(CELL.int, CELL.float), { kind: "double" }],
  [bit(CELL.bool), { kind: "bool" }],
  [bit(CELL.date), { kind: "date" }],
  [bit(CELL.date, CELL.datetime), { kind: "timestamp", zone: false, unit: "us" }],
  [bit(CELL.time), { kind: "time" }],
];

/** What kinds of cells each column has: bit k of `kinds[column]` stands for cell kind k. */
export class KindsSeen {
  readonly #kinds = new Uint16Array(1 << 14);
  width = 0;

  add(column: number, kind: number): void {
    this.#kinds[column] = (this.#kinds[column] ?? 0) | (1 << kind);
    if (column >= this.width) this.width = column + 1;
  }

  /** True when the column has a value, or an error in place of one. */
  has(column: number): boolean {
    return ((this.#kinds[column] ?? 0) & ~bit(CELL.none)) !== 0;
  }

  /** The narrowest type that holds every cell of the column; text where they are of different kinds. */
  typeOf(column: number): SheetType {
    const kinds = (this.#kinds[column] ?? 0) & ~NOTHING;
    return TYPES.find(([bits]) => (kinds & ~bits) === 0)?.[1] ?? { kind: "text" };
  }
}
