import { sql } from "kysely";
import type { FileId, GenerationId, OrgId } from "../../domain/ids.ts";
import { DEFAULT_RULES, type LoadRules } from "../../domain/options.ts";
import { parseFileOptions } from "../../domain/parse-options.ts";
import { pinned, type ToldDialect } from "../../domain/pin-options.ts";
import type { RemakeSource } from "../../ports/publication.ts";
import { type Db, rows } from "./connection.ts";
import { RULES } from "./work.ts";

interface SourceRow {
  id: FileId;
  org_id: OrgId;
  name: string;
  raw_key: string;
  raw_removed: boolean;
  bytes: number;
  options: unknown;
  detected: ToldDialect | null;
  rules: Partial<LoadRules>;
}

/** The files of live parts with these lists of columns. */
export async function remakeSources(
  db: Db,
  generation: GenerationId,
  hashes: readonly string[],
  table: string,
): Promise<readonly RemakeSource[]> {
  if (hashes.length === 0) return [];
  const found = await rows(
    db,
    sql<SourceRow>`
      SELECT f.id, f.org_id, f.name, f.raw_key, f.raw_removed_at IS NOT NULL AS raw_removed, f.bytes, f.options, f.detected, ${RULES} AS rules
      FROM files f JOIN syncs s ON s.id = f.sync_id JOIN datasets d ON d.id = f.dataset_id
      WHERE f.id IN (SELECT pf.file_id FROM parts p JOIN part_files pf ON pf.part_id = p.id
                     WHERE p.generation_id = ${generation} AND p.table_name = ${table} AND p.until_version IS NULL AND p.schema_hash = ANY(${[...hashes]}))
      ORDER BY f.history_no`,
  );
  return found.map((file) => ({
    file: file.id,
    org: file.org_id,
    name: file.name,
    rawKey: file.raw_key,
    rawRemoved: file.raw_removed,
    bytes: file.bytes,
    options: pinned(parseFileOptions(file.options), file.detected),
    rules: { ...DEFAULT_RULES, ...file.rules },
  }));
}
