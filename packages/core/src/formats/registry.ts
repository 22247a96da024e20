import type { FormatName } from "../domain/options.ts";
import { arrow } from "./arrow.ts";
import { csv } from "./csv.ts";
import { excel } from "./excel.ts";
import { json } from "./json.ts";
import { orc } from "./orc.ts";
import { parquet } from "./parquet.ts";
import type { Format } from "./format.ts";

const FORMATS_HERE: readonly Format[] = [arrow, csv, json, orc, parquet, excel];

/** The format that reads files of this name, or null where none does yet. */
export function formatFor(name: FormatName): Format | null {
  return FORMATS_HERE.find((format) => format.names.includes(name)) ?? null;
}
