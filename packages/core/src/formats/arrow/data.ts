import { Data, type DataType } from "apache-arrow";
import { bitAt } from "./bits.ts";

/** What taking rows may cost. */
export interface Taking {
  /** Throws where the rows taken together grow too large. Called ahead of each allocation. */
  spend(bytes: number): void;
  /** Whether buffers must be memory of their own, as nested columns need them; else they may be the body's. */
  readonly own: boolean;
  /** For messages. */
  readonly column: string;
}

/** Which rows of the result are null. */
export interface Facts {
  readonly rows: number;
  readonly nulls: number;
  readonly validity: Uint8Array | undefined;
}

/** An Arrow Data with offset 0; buffers are [offsets, values, validity]. */
export function dataOf(type: DataType, facts: Facts, offsets: unknown, values: unknown): Data {
  return new Data(type, 0, facts.rows, facts.nulls, [offsets, values, facts.validity] as unknown as Partial<Data["buffers"]>);
}

/** The same for a type with others within. */
export function nested(type: DataType, facts: Facts, offsets: Int32Array | undefined, children: readonly Data[]): Data {
  return new Data(
    type,
    0,
    facts.rows,
    facts.nulls,
    [offsets, undefined, facts.validity] as unknown as Partial<Data["buffers"]>,
    children as Data[],
  );
}

export function isValidAt({ validity }: Facts, row: number): boolean {
  return validity === undefined || bitAt(validity, row);
}

export function int32s(bytes: Uint8Array): Int32Array {
  return new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length >> 2);
}
