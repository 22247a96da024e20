import { createHash } from "node:crypto";
import { sql } from "kysely";
import { checkAccount } from "../../domain/file.ts";
import type { FileId, GenerationId } from "../../domain/ids.ts";
import { tableOf, type TableSchema, typeName } from "../../domain/table-schema.ts";
import type { Findings, NewPart, Remade } from "../../ports/publication.ts";
import { json, row, rows, type Tx } from "./connection.ts";

/** A part's columns as they are compared: `[id, name, type]` each. */
export type PartColumns = readonly (readonly [number, string, string])[];

export function partColumns(schema: TableSchema): PartColumns {
  return schema.columns.map((column) => [column.id, column.name, typeName(column.type)]);
}

/** True when a part with these columns may stay under the schema: readers see missing columns as null, but never another type. */
export function fitsUnder(part: PartColumns, schema: PartColumns): boolean {
  const known = new Set(schema.map((column) => JSON.stringify(column)));
  return part.every((column) => known.has(JSON.stringify(column)));
}

/** One more change of what readers see. Locks the dataset's row until the transaction ends, so versions ascend in commit order. */
export async function bumpVersion(tx: Tx, dataset: string): Promise<number> {
  const found = await row(tx, sql<{ version: number }>`UPDATE datasets SET version = version + 1 WHERE id = ${dataset} RETURNING version`);
  if (!found) throw new Error(`there is no dataset ${dataset}`);
  return found.version;
}

export interface PartsOf {
  readonly org: number;
  readonly dataset: string;
  readonly generation: GenerationId;
  readonly file: FileId;
  readonly name: string;
  readonly schemas: Readonly<Record<string, TableSchema>>;
  readonly loadedVersion: number;
  readonly sinceVersion: number;
}

/** Inserts the parts of one file, each distinct list of columns once. */
export async function insertParts(tx: Tx, of: PartsOf, parts: readonly NewPart[]): Promise<void> {
  if (parts.length === 0) return;
  const { lists, data } = partRecords(of.schemas, parts);
  await rows(
    tx,
    sql`WITH noted AS (${noteLists(lists)}),
        new AS (
          INSERT INTO parts (id, org_id, dataset_id, generation_id, kind, table_name, name, object_key, rows, bytes, sha256, schema_hash, loaded_version, since_version)
          SELECT p.id, ${of.org}, ${of.dataset}, ${of.generation}, 'part', p."table", ${of.name}, p.key, p.rows, p.bytes, p.sha256, p.hash, ${of.loadedVersion}, ${of.sinceVersion}
          FROM jsonb_to_recordset(${json(data)}) AS p(id uuid, "table" text, key text, rows bigint, bytes bigint, sha256 text, hash text)
          RETURNING id, rows)
        INSERT INTO part_files (part_id, file_id, rows) SELECT id, ${of.file}, rows FROM new`,
  );
}

interface ColumnList {
  readonly hash: string;
  readonly columns: PartColumns;
}

/** Parts as their table takes them, and the lists of columns that they name by hash. */
export function partRecords(
  schemas: PartsOf["schemas"],
  parts: readonly NewPart[],
): { readonly lists: readonly ColumnList[]; readonly data: readonly (NewPart & { readonly hash: string | undefined })[] } {
  const lists = new Map([...new Set(parts.map((part) => part.table))].map((table) => [table, columnList(schemas, table)]));
  return { lists: [...lists.values()], data: parts.map((part) => ({ ...part, hash: lists.get(part.table)?.hash })) };
}

/** Each distinct list once. */
export function noteLists(lists: readonly ColumnList[]) {
  return sql`INSERT INTO part_schemas (hash, columns) SELECT DISTINCT ON (hash) hash, columns FROM jsonb_to_recordset(${json(lists)}) AS l(hash text, columns jsonb)
    ON CONFLICT DO NOTHING`;
}

function columnList(schemas: PartsOf["schemas"], table: string): ColumnList {
  const schema = tableOf(schemas, table);
  if (!schema) throw new Error(`a part of table ${table} came without its schema`);
  const columns = partColumns(schema);
  return { hash: createHash("sha256").update(JSON.stringify(columns)).digest("hex"), columns };
}

/** Writes what an attempt found out to the file's record: the account, the rejects, what was detected. */
export async function recordFindings(tx: Tx, file: FileId, findings: Findings): Promise<void> {
  const counts = checkAccount(findings.counts);
  await rows(
    tx,
    sql`UPDATE files SET rows_read = ${counts.read}, rows_loaded = CASE WHEN state = 'failed' THEN 0 ELSE ${counts.loaded}::bigint END, rows_rejected = ${counts.rejected},
          rows_skipped = ${counts.skipped}, warnings = ${counts.warnings}, rejects_key = ${findings.rejectsKey}, detected = ${json(findings.detected)}
        WHERE id = ${file}`,
  );
  await insertRejects(tx, file, findings.rejects);
}

/** Puts these rejects in the place of an earlier attempt's. */
export async function insertRejects(tx: Tx, file: FileId, rejects: Findings["rejects"]): Promise<void> {
  await rows(tx, sql`DELETE FROM rejects WHERE file_id = ${file}`);
  if (rejects.length === 0) return;
  await rows(
    tx,
    sql`INSERT INTO rejects (file_id, ordinal, table_name, row_no, byte_offset, column_name, raw, reason)
        SELECT ${file}, r.ordinal, r."table", r.row, r."byteOffset", r."column", r.raw, r.reason
        FROM jsonb_to_recordset(${json(rejects.map((reject, ordinal) => ({ ...reject, ordinal })))})
          AS r(ordinal int, "table" text, row bigint, "byteOffset" bigint, "column" text, raw text, reason text)`,
  );
}

/**
 * Puts remade parts in the place of a file's old ones within one generation. False when the file's epoch moved on meanwhile.
 * `sinceVersion` is 0 in a generation that no reader sees yet.
 */
export async function replaceParts(
  tx: Tx,
  generation: GenerationId,
  sinceVersion: number,
  schemas: PartsOf["schemas"],
  remade: Remade,
  firstLoaded = sinceVersion,
): Promise<boolean> {
  const file = await row(
    tx,
    sql<{
      org_id: number;
      dataset_id: string;
      name: string;
    }>`SELECT org_id, dataset_id, name FROM files WHERE id = ${remade.file} AND epoch = ${remade.epoch} AND state = 'loaded' FOR UPDATE`,
  );
  if (!file) return false;
  const old = await rows(
    tx,
    sql<{ loaded_version: number }>`UPDATE parts SET until_version = ${sinceVersion}, dead_at = clock_timestamp()
        WHERE generation_id = ${generation} AND until_version IS NULL AND kind = 'part' AND id IN (SELECT part_id FROM part_files WHERE file_id = ${remade.file})
        RETURNING loaded_version`,
  );
  const loadedVersion = old.length === 0 ? firstLoaded : Math.min(...old.map((part) => part.loaded_version));
  await insertParts(
    tx,
    { org: file.org_id, dataset: file.dataset_id, generation, file: remade.file, name: file.name, schemas, loadedVersion, sinceVersion },
    remade.parts,
  );
  await recordFindings(tx, remade.file, remade.findings);
  return true;
}

/** Live parts of a table whose columns do not fit under the schema (`exactly`: or are fewer), by distinct list of columns. */
export async function misfits(
  tx: Tx,
  generation: GenerationId,
  table: string,
  schema: TableSchema,
  exactly = false,
): Promise<readonly string[]> {
  const lists = await rows(
    tx,
    sql<{ hash: string; columns: PartColumns }>`SELECT hash, columns FROM part_schemas WHERE hash IN
        (SELECT DISTINCT schema_hash FROM parts WHERE generation_id = ${generation} AND table_name = ${table} AND until_version IS NULL)`,
  );
  const wanted = partColumns(schema);
  const fits = (columns: PartColumns) => fitsUnder(columns, wanted) && !(exactly && columns.length < wanted.length);
  return lists.filter((list) => !fits(list.columns)).map((list) => list.hash);
}
