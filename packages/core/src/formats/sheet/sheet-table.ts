import { Fault } from "../../domain/fault.ts";
import { textRules } from "../../schema/text-rules.ts";
import type { Dialect, FormatInput, OpenedFile, OpenedTable, SourceBatch } from "../format.ts";
import { headerNames, joinHeader } from "../header-names.ts";
import { BatchBuilder } from "./batch-builder.ts";
import type { CellBlock } from "./cell-block.ts";
import { cellText, type StringTable } from "./cell-text.ts";
import { KindsSeen, type SheetType } from "./column-types.ts";
import { NullCells } from "./null-cells.ts";
import { preambleOf } from "./preamble.ts";
import { headerRowsOf, ROLE, RowRoles } from "./row-roles.ts";
import { SheetBatch } from "./sheet-batch.ts";
import { Unfolded } from "./unfolded.ts";

/** A sheet as its reader gives it: its rows in blocks, from the start as often as it is asked. */
export interface Sheet {
  readonly name: string;
  readonly strings: StringTable;
  /** Its cells are kept after a first pass: another one costs next to nothing. */
  readonly small: boolean;
  blocks(): AsyncIterable<SheetBlock>;
}

export interface SheetBlock {
  readonly block: CellBlock;
  /** Raw bytes of the file consumed so far. */
  readonly rawBytes: number;
}

/** A column of the table: where it stands in the sheet, and what it is. */
interface TableColumn {
  readonly at: number;
  readonly name: string;
  readonly type: SheetType;
}

type Options = Pick<FormatInput, "options" | "ragged" | "limits" | "rawSize">;

/** Cells of a batch, so that a wide table has fewer rows in one. */
const BATCH_CELLS = 1 << 19;
const BATCH_ROWS = 8_192;
const BATCH_TEXT = 8 * 2 ** 20;

/** The tables of a workbook's sheets; sheets without rows are none. Throws `unreadable` where no table is left. */
export async function openSheets(sheets: readonly Sheet[], input: Options): Promise<OpenedFile> {
  const tables: OpenedTable[] = [];
  let dialect: Dialect = {};
  for (const sheet of sheets) {
    const opened = await openSheet(sheet, input);
    if (opened === null) continue;
    tables.push(opened.table);
    dialect = opened.dialect;
    if (input.options.tables === "first") break;
  }
  if (tables.length === 0) {
    const read = sheets.map(({ name }) => JSON.stringify(name)).slice(0, 10);
    throw new Fault("unreadable", `the workbook holds no rows in the sheets that are read (${read.join(", ") || "none"})`, {
      field: "sheets",
    });
  }
  return { dialect: tables.length === 1 ? dialect : {}, tables };
}

/**
 * Looks at every cell of a sheet and makes a table of it: the first row names the columns, a column's type holds all of its
 * cells. Rows of a title before it are found. Null for a sheet without rows. Throws what reading throws, and `limit_exceeded`.
 */
async function openSheet(sheet: Sheet, given: Options): Promise<{ readonly table: OpenedTable; readonly dialect: Dialect } | null> {
  const preamble = await preambleOf(sheet, given.options);
  const input = preamble === 0 ? given : { ...given, options: { ...given.options, header_row: preamble } };
  const most = input.options.skip_footer ? (await countRows(sheet, input)) - input.options.skip_footer : Number.POSITIVE_INFINITY;
  const found = await survey(sheet, input, most);
  if (found.rows === 0 && found.header.length === 0) return null;
  const columns = columnsOf(found, input);
  if (columns.length > input.limits.columns) {
    throw new Fault(
      "limit_exceeded",
      `sheet ${JSON.stringify(sheet.name)} has ${columns.length} columns, at most ${input.limits.columns} are allowed (limit columns)`,
      {
        field: "columns",
        value: columns.length,
        limit: input.limits.columns,
      },
    );
  }
  const rules = textRules(input.options, false);
  const rows = headerRowsOf(input.options);
  return {
    table: {
      table: sheet.name,
      columns: columns.map(({ name, type }) => ({ name, type })),
      ...(rules === null ? {} : { rules }),
      batches: () => batches(sheet, input, most, found.width, columns),
    },
    dialect: { header: rows > 0, ...(rows > 1 ? { headerRows: rows } : {}), ...(preamble > 0 ? { preambleRows: preamble } : {}) },
  };
}

interface Survey {
  /** The texts of the header's rows, by column. */
  readonly header: readonly (readonly (string | null)[])[];
  readonly kinds: KindsSeen;
  readonly rows: number;
  /** Cells that a row may have. */
  readonly width: number;
}

async function survey(sheet: Sheet, input: Options, most: number): Promise<Survey> {
  const roles = new RowRoles(input.options, most);
  const nulls = NullCells.of(input.options, sheet.strings);
  const names = input.options.column_names;
  const header: (string | null)[][] = [];
  const kinds = new KindsSeen();
  let rows = 0;
  let width = names?.length ?? Number.POSITIVE_INFINITY;
  for await (const { block } of sheet.blocks()) {
    for (let row = 0; row < block.rows; row++) {
      const role = roles.next(block.rowNumbers[row] ?? 0);
      if (role === ROLE.header) {
        header.push(textsOf(block, row, sheet.strings));
        if (names === undefined && header.length === headerRowsOf(input.options)) width = Math.max(...header.map((texts) => texts.length));
      }
      if (role !== ROLE.row) continue;
      rows++;
      nulls?.mark(block, row);
      if (endColumn(block, row) > width && input.ragged !== "fill") continue;
      const to = block.rowEnds[row] ?? 0;
      for (let at = block.rowStart(row); at < to; at++) kinds.add(block.columns[at] ?? 0, block.kinds[at] ?? 0);
    }
  }
  return { header, kinds, rows, width: Math.min(width, header.length > 0 || names ? width : kinds.width) };
}

function tooWide(sheet: string, row: number, width: number, found: number): Fault {
  const where = `sheet ${JSON.stringify(sheet)}, row ${row}`;
  return new Fault("bad_row", `${where}: expected ${width} cells, found ${found} (ragged is fail)`, { field: "ragged", value: found });
}

async function countRows(sheet: Sheet, input: Options): Promise<number> {
  const roles = new RowRoles({ ...input.options, max_rows: Number.MAX_SAFE_INTEGER }, Number.POSITIVE_INFINITY);
  let rows = 0;
  for await (const { block } of sheet.blocks()) {
    for (let row = 0; row < block.rows; row++) if (roles.next(block.rowNumbers[row] ?? 0) === ROLE.row) rows++;
  }
  return rows;
}

/** Behind the last cell of a row. */
function endColumn(block: CellBlock, row: number): number {
  const end = block.rowEnds[row] ?? 0;
  return end === block.rowStart(row) ? 0 : (block.columns[end - 1] ?? 0) + 1;
}

function textsOf(block: CellBlock, row: number, strings: StringTable): (string | null)[] {
  const texts = Array<string | null>(endColumn(block, row)).fill(null);
  for (let at = block.rowStart(row); at < (block.rowEnds[row] ?? 0); at++) texts[block.columns[at] ?? 0] = cellText(block, at, strings);
  while (texts.length > 0 && !texts.at(-1)?.trim()) texts.pop();
  return texts;
}

/** A column that has neither a name nor a value is none: tables do not all begin in column A. */
function columnsOf({ header, kinds, width }: Survey, { options }: Options): TableColumn[] {
  const given = options.column_names;
  const joined = header.length === 0 ? [] : joinHeader(header);
  const written = Array.from({ length: width }, (_, at) => given?.[at] ?? joined[at] ?? null);
  return headerNames(written, options.generated_names)
    .map((name, at) => ({ at, name, type: kinds.typeOf(at) }))
    .filter(({ at }) => given !== undefined || written[at]?.trim() || kinds.has(at));
}

async function* batches(
  sheet: Sheet,
  input: Options,
  most: number,
  width: number,
  columns: readonly TableColumn[],
): AsyncGenerator<SourceBatch> {
  const roles = new RowRoles(input.options, most);
  const nulls = NullCells.of(input.options, sheet.strings);
  const types = columns.map(({ type }) => type);
  const slots = new Int32Array(1 << 14).fill(-1);
  columns.forEach(({ at }, slot) => {
    slots[at] = slot;
  });
  const capacity = Math.min(BATCH_ROWS, Math.max(Math.floor(BATCH_CELLS / Math.max(columns.length, 1)), 32));
  const unfolded = new Unfolded(input);
  let record = 0;
  for await (const { block, rawBytes } of sheet.blocks()) {
    const open = () =>
      new SheetBatch(block, sheet.strings, new BatchBuilder(types, slots, sheet.strings, Math.min(capacity, block.rows)), rawBytes);
    let batch = open();
    for (let row = 0; row < block.rows; row++) {
      const role = roles.next(block.rowNumbers[row] ?? 0);
      if (role === ROLE.before || role === ROLE.header) continue;
      record++;
      if (role === ROLE.skipped) batch.skip();
      else {
        nulls?.mark(block, row);
        const end = endColumn(block, row);
        if (end <= width) batch.add(row, record, false);
        else if (input.ragged === "fill") batch.add(row, record, true);
        else if (input.ragged === "misfit") batch.addMisfit(row, record, `expected ${width} cells, found ${end}`);
        else throw tooWide(sheet.name, block.rowNumbers[row] ?? 0, width, end);
      }
      if (batch.rows < capacity && batch.textBytes < BATCH_TEXT) continue;
      unfolded.add(batch.rows * columns.length + batch.textBytes);
      yield batch.finish();
      batch = open();
    }
    unfolded.add(batch.rows * columns.length + batch.textBytes);
    if (!batch.empty) yield batch.finish();
  }
}
