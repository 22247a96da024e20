import type { ColumnType } from "../domain/table-schema.ts";
import { BoolColumn } from "./bool-column.ts";
import type { ColumnChunk } from "./column-chunk.ts";
import type { Scratch } from "./scratch.ts";
import { TextColumn } from "./text-column.ts";
import { WordColumn } from "./word-column.ts";

/** One column of the row group that is being filled. Its memory is used again for the next row group. */
export interface ColumnBuilder {
  readonly rows: number;
  /** About how much memory its values take. */
  readonly bytes: number;
  /** Stores a block of values. */
  append(values: Scratch): void;
  appendNulls(rows: number): void;
  /** Remembers how much it holds; `rewind` takes away what came after. */
  mark(): void;
  rewind(): void;
  /** What it holds; valid until the next `append` or `reset`. */
  chunk(): ColumnChunk;
  /** Begins a row group. */
  reset(): void;
  /** The codes of the values so far mean others from now on. */
  forgetCodes(): void;
  /** Lets another file have its memory: nothing of it is used after this. */
  release(): void;
}

/** A builder for a type. Throws for nested types, which have no column of this kind. */
export function columnBuilder(type: ColumnType): ColumnBuilder {
  switch (type.kind) {
    case "int64":
    case "time":
    case "timestamp":
    case "double":
    case "date":
    case "decimal":
      return new WordColumn(type);
    case "bool":
      return new BoolColumn(type);
    case "text":
    case "binary":
    case "unknown":
      return new TextColumn(type);
    case "nested":
      throw new Error("nested columns are not built from cells");
  }
}
