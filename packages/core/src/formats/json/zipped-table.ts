import { Fault } from "../../domain/fault.ts";
import type { ColumnType } from "../../domain/table-schema.ts";
import type { DecodedChunk } from "../decompress.ts";
import type { FormatInput, OpenedTable, SourceBatch } from "../format.ts";
import { firstRows } from "../max-rows.ts";
import type { Member } from "./members.ts";
import { nestedDuplicates } from "./nested-place.ts";
import { askedType } from "./record-table.ts";
import type { Cells } from "./row-cells.ts";
import { RowTable } from "./row-table.ts";
import { KIND, scanNumber, scan } from "./scan-value.ts";
import { textOf } from "./text.ts";
import { ValueCursor } from "./value-cursor.ts";

const MAX_ROWS = 8_192;
const MAX_CELLS = 1 << 19;
/** Of all columns together: bytes of a batch, and bytes that are read ahead. */
const BATCH_BYTES = 8 * 2 ** 20;
const AHEAD_BYTES = 4 * 2 ** 20;

/** Columns beside each other, each an array, or an object of values by row label. */
export interface Columns {
  readonly table: string;
  readonly members: readonly Member[];
  /** Members left out, keys that came twice: each is a counted warning. */
  readonly left: number;
  /** The bytes of a member from the start, in chunks of about so many. */
  chunks(member: Member, chunkBytes: number): AsyncIterable<DecodedChunk>;
}

/**
 * A table whose columns stand one behind the other in the file. They are read side by side, each by a cursor of its own, so
 * that only some rows of all of them are in memory. Where rows have labels, all columns must have the same ones in the same
 * order; labels that are more than the rows' positions become a column `index`. Throws `unreadable` for columns of unlike length.
 */
export async function zippedTable(input: FormatInput, columns: Columns): Promise<OpenedTable> {
  const { members } = columns;
  const count = Math.max(0, ...members.map((member) => member.count));
  const short = members.find((member) => member.count !== count);
  if (short && input.ragged !== "fill") {
    const longest = members.find((member) => member.count === count);
    throw new Fault(
      "unreadable",
      `column ${JSON.stringify(short.name)} has ${short.count} values, ${JSON.stringify(longest?.name)} has ${count}`,
      {
        field: short.name,
        value: short.count,
        limit: count,
      },
    );
  }
  const rows = new RowTable(input.options);
  const zip = new Zip(columns, count);
  for (let i = 0; i <= members.length; i++) rows.look(i, EMPTY);
  for await (const batch of zip.batches()) batch.cells.forEach((cells, i) => rows.look(i, cells));
  const names = ["index", ...members.map(({ name }) => name)];
  const found = rows.columns(names, askedType(input.options), zip.labelsArePositions ? 0 : null);
  const { max_rows: most } = input.options;
  return {
    table: columns.table,
    columns: found,
    looked: count,
    batches: (feeds) => firstRows(batches(input, zip, rows, columns, feeds), most),
  };
}

async function* batches(
  input: FormatInput,
  zip: Zip,
  rows: RowTable,
  { members, left }: Columns,
  feeds?: readonly (ColumnType | null)[],
): AsyncGenerator<SourceBatch> {
  let before = 0;
  for await (const { cells, count, filled, replaced } of zip.batches()) {
    nestedDuplicates.count = 0;
    const data = rows.read((i) => cells[i] ?? EMPTY, feeds);
    const first = before;
    before += count;
    yield {
      rows: count,
      columns: data,
      misfits: [],
      filled,
      cut: replaced + nestedDuplicates.count + (first === 0 ? left : 0),
      rowNumbers: Array.from({ length: count }, (_, i) => first + i + 1),
      place: (i) => ({ row: first + i + 1, byteOffset: null, line: null, raw: recordOf(members, cells, i) }),
      rawBytes: Math.floor((input.rawSize * before) / Math.max(zip.count, 1)),
    };
  }
}

const EMPTY: Cells = {
  bytes: new Uint8Array(1),
  starts: new Int32Array(0),
  ends: new Int32Array(0),
  kinds: new Uint8Array(0),
  first: 0,
  step: 1,
  count: 0,
};

/** A row written as an object: nowhere in the file does it stand as such. */
function recordOf(members: readonly Member[], columns: readonly Cells[], row: number): string {
  const values = members.map(({ name }, i) => {
    const { bytes, starts, ends, kinds } = columns[i + 1] ?? EMPTY;
    const quote = kinds[row] === KIND.plain || kinds[row] === KIND.escaped ? '"' : "";
    const value = kinds[row] === KIND.absent ? "null" : textOf(bytes, starts[row] ?? 0, ends[row] ?? 0, false);
    return `${JSON.stringify(name)}:${quote}${value}${quote}`;
  });
  return `{${values.join(",")}}`;
}

interface ZipBatch {
  /** The labels of the rows, or nothing, and then by member. */
  readonly cells: readonly Cells[];
  readonly count: number;
  /** Rows that a short column was filled up for. */
  readonly filled: number;
  /** Halves of surrogate pairs that stand alone. */
  readonly replaced: number;
}

class Zip {
  readonly count: number;
  labelsArePositions = true;
  readonly #columns: Columns;

  constructor(columns: Columns, count: number) {
    this.#columns = columns;
    this.count = count;
  }

  async *batches(): AsyncGenerator<ZipBatch> {
    const { members } = this.#columns;
    const bytes = members.reduce((sum, { from, to }) => sum + to - from.offset, 0);
    const most = Math.min(MAX_ROWS, Math.floor(MAX_CELLS / members.length), Math.floor((BATCH_BYTES * this.count) / bytes));
    const ahead = Math.min(256 * 1024, Math.max(4096, Math.floor(AHEAD_BYTES / members.length)));
    const cursors = members.map((member) => new ValueCursor(this.#columns.chunks(member, ahead)));
    try {
      for (let done = 0; done < this.count;) {
        const count = Math.min(Math.max(most, 1), this.count - done);
        const taken: Cells[] = [];
        const { lone } = scan;
        for (const cursor of cursors) taken.push(await cursor.take(count));
        const replaced = scan.lone - lone;
        const labels = this.#labels(cursors, taken, done);
        const filled = Math.max(...taken.map((cells) => count - cells.count));
        yield { cells: [labels, ...taken].map((cells) => padded(cells, count)), count, filled, replaced };
        done += count;
      }
    } finally {
      for (const cursor of cursors) await cursor.close();
    }
  }

  /** The labels of the rows, as a column of their own; all columns that have labels must agree. */
  #labels(cursors: readonly ValueCursor[], taken: readonly Cells[], before: number): Cells {
    const { members } = this.#columns;
    const lead = members.findIndex(({ kind }) => kind === KIND.object);
    const [cursor, cells] = [cursors[lead], taken[lead]];
    if (!cursor || !cells) return EMPTY;
    const kinds = new Uint8Array(cells.count);
    for (let i = 0; i < cells.count; i++) {
      const [from, to] = [cursor.keyStarts[i] ?? 0, cursor.keyEnds[i] ?? 0];
      const text = textOf(cells.bytes, from, to, true);
      const numeric = /^[-\d]/.test(text) && scanNumber(cells.bytes, from, to) === to;
      kinds[i] = numeric ? scan.kind : KIND.escaped;
      if (text !== String(before + i)) this.labelsArePositions = false;
      members.forEach((member, m) => {
        const other = cursors[m];
        const theirs = taken[m];
        if (m <= lead || member.kind !== KIND.object || !other || !theirs || i >= theirs.count) return;
        const label = textOf(theirs.bytes, other.keyStarts[i] ?? 0, other.keyEnds[i] ?? 0, true);
        if (label !== text) throw unlike(member, members[lead], before + i, label, text);
      });
    }
    return { bytes: cells.bytes, starts: cursor.keyStarts, ends: cursor.keyEnds, kinds, first: 0, step: 1, count: cells.count };
  }
}

function padded(cells: Cells, count: number): Cells {
  if (cells.count === count) return cells;
  const kinds = new Uint8Array(count);
  kinds.set(cells.kinds.subarray(0, cells.count));
  return { ...cells, kinds, count };
}

function unlike(member: Member, lead: Member | undefined, row: number, label: string, other: string): Fault {
  const names = [member.name, lead?.name ?? ""].map((name) => JSON.stringify(name));
  return new Fault(
    "unreadable",
    `row ${row + 1} is labelled ${JSON.stringify(label)} in column ${names[0]}, ${JSON.stringify(other)} in ${names[1]}`,
    {
      field: member.name,
      value: label,
    },
  );
}
