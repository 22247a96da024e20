import { createHash } from "node:crypto";
import { isFault } from "../../../packages/core/src/domain/fault.ts";
import type { OpenedFile } from "../../../packages/core/src/formats/format.ts";
import { valuesOf } from "./column-values.ts";
import type { Value } from "./golden-json.ts";

/** What pyarrow read of a file: rows, and for each column its name and the SHA-256 of its values (`canonical_text.py`). */
export interface Facts {
  readonly rows: number;
  readonly columns: readonly (readonly [string, string])[];
}

/** How the only table of a file differs from what is expected of it; null where it does not. */
export async function difference({ tables }: OpenedFile, expected: Facts): Promise<string | null> {
  const table = tables[0];
  if (!table) return "no table";
  const hashes = table.columns.map(() => createHash("sha256"));
  let rows = 0;
  try {
    for await (const batch of table.batches()) {
      rows += batch.rows;
      batch.columns.forEach((cells, i) => {
        if (!("data" in cells)) throw new Error("no typed cells");
        for (const value of valuesOf(cells.data, table.columns[i]?.type ?? null)) hashes[i]?.update(`${canonicalText(value)}\n`);
      });
    }
  } catch (error) {
    if (isFault(error)) return error.message;
    throw error;
  }
  if (rows !== expected.rows) return `${rows} rows, not ${expected.rows}`;
  if (hashes.length !== expected.columns.length) return `${hashes.length} columns, not ${expected.columns.length}`;
  const different = hashes.findIndex((hash, i) => hash.digest("hex") !== expected.columns[i]?.[1]);
  return different < 0 ? null : `column ${expected.columns[different]?.[0]} has other values`;
}

/** A value as `canonical_text.py` writes it, so that no two different ones are written alike. */
export function canonicalText(value: Value): string {
  if (value === null) return "n";
  if (typeof value === "boolean") return value ? "t" : "f";
  if (typeof value === "bigint") return `i${value}`;
  if (typeof value === "string") return `s${Buffer.from(value).toString("hex")}`;
  if (typeof value !== "number") return `[${value.map(canonicalText).join(",")}]`;
  if (Number.isNaN(value)) return "NaN";
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleBE(value);
  return `d${bytes.toString("hex")}`;
}
