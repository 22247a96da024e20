import type { Bounds } from "./bound.ts";
import type { PageBytes } from "./page-memory.ts";

/** Encoding of parquet.thrift. */
export const ENCODING = { plain: 0, rle: 3, delta: 5, dictionary: 8 } as const;
export type Encoding = (typeof ENCODING)[keyof typeof ENCODING];

/** One page before it is compressed. `rows` counts nulls too; a dictionary page has values in their place. */
export interface RawPage {
  readonly raw: PageBytes;
  readonly dictionary: boolean;
  readonly encoding: Encoding;
  readonly rows: number;
  readonly nulls: number;
  /** Extremes of its values; null where there are none. */
  readonly bounds: Bounds | null;
}

/** A column chunk as pages. */
export interface EncodedChunk {
  readonly pages: readonly RawPage[];
  /** False where a value (NaN) has no place in the order: then nothing is said of any value. */
  readonly ordered: boolean;
}
