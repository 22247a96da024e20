import type { TableSchema } from "../domain/table-schema.ts";
import type { ColumnData } from "../schema/column-data.ts";
import { type ChunkBuilder, chunkBuilder } from "./chunk-builder.ts";
import type { ColumnChunk } from "./column-chunk.ts";

/** DuckDB's size of a row group, which its readers spread over threads. */
export const ROW_GROUP_ROWS = 122_880;
/**
 * Wide rows close a row group earlier: it is held in memory until then. Values that stand in no dictionary count twice, as they
 * are held twice. Less would cost size: 200 columns of small dictionaries need the whole of it for 122,880 rows.
 */
export const ROW_GROUP_BYTES = 48 * 2 ** 20;

/** Batches of columns -> row groups of chunks. */
export class RowGroupBuilder {
  rows = 0;
  readonly #builders: readonly ChunkBuilder[];

  constructor(schema: TableSchema) {
    this.#builders = schema.columns.map((column) => chunkBuilder(column.type));
  }

  /** Whether the row group has grown to its size. */
  get full(): boolean {
    return this.rows >= ROW_GROUP_ROWS || this.bytes >= ROW_GROUP_BYTES;
  }

  get bytes(): number {
    let bytes = 0;
    for (const builder of this.#builders) bytes += builder.bytes;
    return bytes;
  }

  /** Takes a batch, its columns in the schema's order. Throws when a column's form is not its type's: a bug. */
  append(columns: readonly ColumnData[], rows: number): void {
    this.#builders.forEach((builder, i) => {
      const column = columns[i];
      if (column?.rows !== rows) throw new Error(`column ${i} has ${column?.rows} rows of ${rows}`);
      builder.append(column);
    });
    this.rows += rows;
  }

  /** The row group so far; valid until the next `append`. */
  chunks(): readonly ColumnChunk[] {
    return this.#builders.map((builder) => builder.chunk());
  }

  clear(): void {
    for (const builder of this.#builders) builder.clear();
    this.rows = 0;
  }
}
