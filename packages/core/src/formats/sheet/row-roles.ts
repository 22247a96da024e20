import type { FileOptions } from "../../domain/options.ts";

/** What a row of a sheet is: left out before the table, part of its header, left out of the table, or a row of it. */
export const ROLE = { before: 0, header: 1, skipped: 2, row: 3 } as const;
export type Role = (typeof ROLE)[keyof typeof ROLE];

/** Rows of the header that the options ask for; by default the first row is one. */
export function headerRowsOf({ header, header_rows: rows, column_names: names }: FileOptions): number {
  return (header ?? (rows !== undefined || names === undefined)) ? (rows ?? 1) : 0;
}

/** Tells each row's role in one pass over a sheet; rows are asked for once and in order, rows without cells not at all. */
export class RowRoles {
  readonly #skip: number;
  readonly #leftOut: ReadonlySet<number>;
  readonly #skipAfter: number;
  readonly #most: number;
  #before: number;
  #headers: number;
  #headerEnd: number;
  #rows = 0;

  /** `most` rows are taken, whatever `max_rows` says beyond it. */
  constructor(options: FileOptions, most: number) {
    this.#skip = options.skip_rows ?? 0;
    this.#leftOut = new Set(options.skip_row_numbers);
    this.#skipAfter = options.skip_rows_after_header ?? 0;
    this.#most = Math.min(options.max_rows ?? Number.POSITIVE_INFINITY, most);
    this.#headers = headerRowsOf(options);
    this.#before = this.#headers > 0 ? (options.header_row ?? 0) : 0;
    this.#headerEnd = this.#skip;
  }

  /** `number`: the row's number in the sheet, from 1. */
  next(number: number): Role {
    if (number <= this.#skip) return ROLE.before;
    if (this.#leftOut.has(number - 1)) return this.#headers > 0 ? ROLE.before : ROLE.skipped;
    if (this.#before > 0) {
      this.#before--;
      return ROLE.before;
    }
    if (this.#headers > 0) {
      this.#headers--;
      this.#headerEnd = number;
      return ROLE.header;
    }
    if (number <= this.#headerEnd + this.#skipAfter || this.#rows >= this.#most) return ROLE.skipped;
    this.#rows++;
    return ROLE.row;
  }
}
