import type { ColumnType } from "../domain/table-schema.ts";
import { type ColumnData, formOf } from "../schema/column-data.ts";
import { BoolBuilder } from "./bool-builder.ts";
import { BytesBuilder } from "./bytes-builder.ts";
import type { ColumnChunk } from "./column-chunk.ts";
import { WordsBuilder } from "./words-builder.ts";

/** One column of the row group that is being filled: batches in, one chunk out, then the next. */
export interface ChunkBuilder {
  /** Memory that its ids, dictionary and values take so far. Values count twice: they are copied into pages, ids are packed. */
  readonly bytes: number;
  /** Takes a batch's column, which must have the type's form or be all null. */
  append(data: ColumnData): void;
  /** What was taken since the last `clear`; valid until the next `append`. */
  chunk(): ColumnChunk;
  clear(): void;
}

/** Throws for nested columns: they have no chunk. */
export function chunkBuilder(type: ColumnType): ChunkBuilder {
  const form = formOf(type);
  switch (form) {
    case "words":
    case "doubles":
    case "days":
    case "pairs":
      return new WordsBuilder(type, form);
    case "bits":
      return new BoolBuilder(type);
    case "bytes":
    case "nulls":
      return new BytesBuilder(type);
    case "nested":
      throw new Error("a nested column has no chunk");
  }
}
