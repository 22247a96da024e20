import { Fault, isFault } from "../../domain/fault.ts";
import type { ColumnData } from "../../schema/column-data.ts";
import type { FormatLimits } from "../format.ts";
import { BatchTally, BatchTooLarge, type ColumnReader } from "./column-reader.ts";
import { ColumnReaders } from "./column-readers.ts";
import type { StripeInfo } from "./footer.ts";
import { allPresent, PresentReader } from "./presence.ts";
import type { LeafTypes, OrcField, OrcType } from "./schema.ts";
import { type OrcFile, Stripe } from "./stripe.ts";
import { Zones } from "./zones.ts";

const BATCH_ROWS = 8_192;
/** Rows of a batch are chosen so that it takes about this much memory. */
const BATCH_BYTES = 8 * 2 ** 20;
/** Nothing is known of the first rows' width: few of them are read. */
const FIRST_ROWS = 1_024;

export interface OrcTable {
  readonly file: OrcFile;
  readonly root: OrcType;
  readonly fields: readonly OrcField[];
  readonly leaves: LeafTypes;
  readonly stripes: readonly StripeInfo[];
}

export interface OrcBatch {
  readonly rows: number;
  readonly columns: readonly ColumnData[];
  readonly cut: number;
  /** How much of the file has been read, 0 to 1. */
  readonly share: number;
}

/** All rows of the file. Throws `unreadable` where a stripe's streams hold fewer than it says, and `limit_exceeded`. */
export async function* readBatches(table: OrcTable, limits: Pick<FormatLimits, "recordBytes">): AsyncGenerator<OrcBatch> {
  const total = table.stripes.reduce((sum, { rows }) => sum + rows, 0);
  const zones = new Zones();
  const size = new BatchSize(table.fields.length);
  const compression = table.file.compression.again();
  const pass = { ...table, file: { ...table.file, compression } };
  let before = 0;
  for (const info of table.stripes) {
    for await (const batch of stripeBatches(pass, info, zones, { size, tally: new BatchTally(limits.recordBytes) })) {
      compression.countRows(batch.bytes);
      before += batch.rows;
      yield { rows: batch.rows, columns: batch.columns, cut: batch.cut, share: before / total };
    }
  }
}

/** How many rows the next batch has: from what the last one took. */
class BatchSize {
  #rows: number;
  #most = BATCH_ROWS;

  constructor(columns: number) {
    this.#rows = Math.max(1, Math.min(FIRST_ROWS, Math.floor(BATCH_BYTES / (columns * 16))));
  }

  get rows(): number {
    return this.#rows;
  }

  learn(rows: number, bytes: number): void {
    const fitting = Math.floor(BATCH_BYTES / Math.max(bytes / rows, 1));
    this.#rows = Math.max(1, Math.min(fitting, this.#rows * 8, this.#most));
  }

  /** A batch was too large: until the stripe ends none is as large again. */
  shrink(): void {
    this.#rows = this.#most = Math.max(1, this.#rows >> 3);
  }

  forget(): void {
    this.#most = BATCH_ROWS;
  }
}

interface StripeBatch {
  readonly rows: number;
  readonly columns: readonly ColumnData[];
  readonly cut: number;
  readonly bytes: number;
}

async function* stripeBatches(
  table: OrcTable,
  info: StripeInfo,
  zones: Zones,
  { size, tally }: { readonly size: BatchSize; readonly tally: BatchTally },
): AsyncGenerator<StripeBatch> {
  let reader = await StripeRows.open(table, info, zones, tally);
  for (let done = 0; done < info.rows;) {
    const rows = Math.min(size.rows, info.rows - done);
    try {
      if (reader.done < done) {
        // Begun anew because a batch was too large: what was given out is read again and left.
        await reader.read(Math.min(size.rows, done - reader.done));
        continue;
      }
      const columns = await reader.read(rows);
      done += rows;
      size.learn(rows, tally.bytes);
      yield { rows, columns, cut: tally.cut, bytes: tally.bytes };
    } catch (error) {
      if (!(error instanceof BatchTooLarge)) throw error;
      size.shrink();
      reader = await StripeRows.open(table, info, zones, tally);
    }
  }
  size.forget();
}

interface NamedReader {
  readonly name: string;
  readonly reader: ColumnReader;
}

/** What is wrong with a column's bytes names the column. */
function rethrow(error: unknown, column: string): never {
  if (!isFault(error) || error.code !== "unreadable") throw error;
  throw new Fault("unreadable", `${error.message}, in column ${JSON.stringify(column)}`, { ...error.detail, field: column });
}

/** The rows of a stripe in pieces of any size. */
class StripeRows {
  done = 0;
  readonly #present: PresentReader;
  readonly #columns: readonly NamedReader[];
  readonly #tally: BatchTally;

  private constructor(present: PresentReader, columns: readonly NamedReader[], tally: BatchTally) {
    this.#present = present;
    this.#columns = columns;
    this.#tally = tally;
  }

  static async open({ file, root, fields, leaves }: OrcTable, info: StripeInfo, zones: Zones, tally: BatchTally): Promise<StripeRows> {
    const stripe = await Stripe.open(file, info);
    const readers = new ColumnReaders(stripe, leaves, zones, tally);
    // The struct that is the row has a presence of its own; where it has no value, none of its fields has.
    const present = root.kind === "struct" ? stripe.present(root) : new PresentReader(null);
    return new StripeRows(
      present,
      fields.map(({ name, type }) => ({ name, reader: readers.of(type) })),
      tally,
    );
  }

  async read(rows: number): Promise<ColumnData[]> {
    this.#tally.begin(rows);
    const presence = await this.#present.read(allPresent(rows));
    const columns: ColumnData[] = [];
    for (const { name, reader } of this.#columns) {
      columns.push(await reader.read(presence).catch((error: unknown) => rethrow(error, name)));
    }
    this.done += rows;
    return columns;
  }
}
