import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";

/** A Parquet file of what a query gives, made by DuckDB. */
export async function parquetOf(sql: string): Promise<Buffer> {
  const folder = mkdtempSync(join(tmpdir(), "sluice-parquet-"));
  try {
    const instance = await DuckDBInstance.create(":memory:");
    const connection = await instance.connect();
    await connection.run(`copy (${sql}) to '${folder}/a.parquet' (format parquet, row_group_size 2048)`);
    connection.closeSync();
    instance.closeSync();
    return readFileSync(join(folder, "a.parquet"));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
