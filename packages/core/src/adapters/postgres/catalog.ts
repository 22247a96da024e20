import { sql } from "kysely";
import { type MaxRejects, type OnBadRow, parentPaths, type SchemaPolicy } from "../../domain/dataset.ts";
import { Fault } from "../../domain/fault.ts";
import { type Clock, type DatasetId, type GenerationId, newId, type OrgId, type PartId } from "../../domain/ids.ts";
import type { TableSchemas } from "../../domain/table-schema.ts";
import type { Catalog, Dataset, LivePart } from "../../ports/catalog.ts";
import { type Db, json, lock, row, rows, transact } from "./connection.ts";

interface DatasetRow {
  id: DatasetId;
  org_id: OrgId;
  path: string;
  policy: SchemaPolicy;
  on_bad_row: OnBadRow;
  max_rejects: MaxRejects;
  version: number;
  written_version: number;
  created_at: number;
  generation: GenerationId;
  number: number;
  schemas: TableSchemas;
  schema_version: number;
}

const DATASETS = sql`SELECT d.id, d.org_id, d.path, d.policy, d.on_bad_row, d.max_rejects, d.version, d.written_version, d.created_at,
  g.id AS generation, g.number, g.schemas, g.schema_version FROM datasets d JOIN generations g ON g.id = d.live_generation_id`;

const toDataset = (found: DatasetRow): Dataset => ({
  id: found.id,
  org: found.org_id,
  path: found.path,
  rules: { policy: found.policy, onBadRow: found.on_bad_row, maxRejects: found.max_rejects },
  generation: found.generation,
  generationNumber: found.number,
  schemas: found.schemas,
  schemaVersion: found.schema_version,
  version: found.version,
  writtenVersion: found.written_version,
  createdAtMs: found.created_at,
});

/** The dataset as it is now, within the caller's transaction. */
export async function readDataset(db: Db, id: DatasetId): Promise<Dataset | null> {
  const found = await row(db, sql<DatasetRow>`${DATASETS} WHERE d.id = ${id}`);
  return found && toDataset(found);
}

export function postgresCatalog(db: Db, clock: Clock): Catalog {
  const byPath = async (org: OrgId, path: string) => {
    const found = await row(db, sql<DatasetRow>`${DATASETS} WHERE d.org_id = ${org} AND d.path = ${path}`);
    return found && toDataset(found);
  };
  return {
    open: async (org, path, fresh) => {
      const found = await byPath(org, path);
      if (found) return { dataset: found, created: false };
      const created = await create(db, clock, org, path, fresh);
      const dataset = await byPath(org, path);
      if (!dataset) throw new Error(`the dataset at ${path} vanished while it was made`);
      return { dataset, created };
    },
    byId: async (org, id) => {
      const found = await row(db, sql<DatasetRow>`${DATASETS} WHERE d.org_id = ${org} AND d.id = ${id}`);
      return found && toDataset(found);
    },
    byPath,
    list: async (org, page) =>
      (
        await rows(
          db,
          sql<DatasetRow>`${DATASETS} WHERE d.org_id = ${org} AND (${page.after}::uuid IS NULL OR d.id > ${page.after}::uuid) ORDER BY d.id LIMIT ${page.limit}`,
        )
      ).map(toDataset),
    totals: async (id) => {
      const found = await row(
        db,
        sql<{ parts: number; rows: number; bytes: number; opaque: number }>`
          SELECT count(*) FILTER (WHERE kind = 'part') AS parts, coalesce(sum(p.rows), 0)::bigint AS rows, coalesce(sum(p.bytes), 0)::bigint AS bytes, count(*) FILTER (WHERE kind = 'opaque') AS opaque
          FROM parts p JOIN datasets d ON d.live_generation_id = p.generation_id WHERE d.id = ${id} AND p.until_version IS NULL`,
      );
      return { parts: found?.parts ?? 0, rows: found?.rows ?? 0, bytes: found?.bytes ?? 0, opaqueFiles: found?.opaque ?? 0 };
    },
    setRules: async (org, id, rules) => {
      const changed = await row(
        db,
        sql`UPDATE datasets SET policy = coalesce(${rules.policy ?? null}, policy), on_bad_row = coalesce(${rules.onBadRow ?? null}, on_bad_row),
              max_rejects = coalesce(${rules.maxRejects ? json(rules.maxRejects) : null}, max_rejects)
            WHERE org_id = ${org} AND id = ${id} RETURNING id`,
      );
      if (!changed) throw new Fault("not_found", `there is no dataset ${id}`, { value: id });
    },
    parts: (id, at) => partsAt(db, id, at),
  };
}

/** Makes a dataset with its first, empty generation. Paths are checked under the org's lock: none lies inside another. False: another request made it first. */
async function create(db: Db, clock: Clock, org: OrgId, path: string, fresh: Parameters<Catalog["open"]>[2]): Promise<boolean> {
  const id = newId<DatasetId>(clock);
  const generation = newId<GenerationId>(clock);
  return transact(db, async (tx) => {
    await lock(tx, "paths", org);
    const near = await row(
      tx,
      sql<{
        path: string;
      }>`SELECT path FROM datasets WHERE org_id = ${org} AND (path = ${path} OR path = ANY(${parentPaths(path)}) OR starts_with(path, ${`${path}/`})) ORDER BY path = ${path} DESC LIMIT 1`,
    );
    if (near?.path === path) return false;
    if (near) {
      throw new Fault("path_conflict", `path: ${path} and the dataset at ${near.path} would lie inside one another`, {
        field: "path",
        value: path,
        limit: near.path,
      });
    }
    const { rules, declared } = fresh;
    await rows(
      tx,
      sql`INSERT INTO datasets (id, org_id, path, policy, on_bad_row, max_rejects, declared, live_generation_id)
          VALUES (${id}, ${org}, ${path}, ${rules.policy}, ${rules.onBadRow}, ${json(rules.maxRejects)}, ${json(declared)}, ${generation})`,
    );
    await rows(
      tx,
      sql`INSERT INTO generations (id, dataset_id, number, state, schemas, since_version) VALUES (${generation}, ${id}, 1, 'live', ${json(declared)}, 0)`,
    );
    return true;
  });
}

interface PartRow {
  id: PartId;
  kind: "part" | "opaque";
  table_name: string | null;
  name: string;
  object_key: string;
  rows: number;
  bytes: number;
  sha256: string;
  files: string[];
}

const toPart = (found: PartRow): LivePart => ({
  id: found.id,
  kind: found.kind,
  table: found.table_name,
  name: found.name,
  key: found.object_key,
  rows: found.rows,
  bytes: found.bytes,
  sha256: found.sha256,
  files: found.files,
});

/** Parts of the generation that was live at the version, as far as they were visible then. */
export async function partsAt(db: Db, id: DatasetId, at: Parameters<Catalog["parts"]>[1]): Promise<readonly LivePart[] | null> {
  const generation = await row(
    db,
    sql<{ id: GenerationId }>`
      SELECT g.id FROM generations g JOIN datasets d ON d.id = g.dataset_id
      WHERE g.dataset_id = ${id} AND g.state IN ('live', 'trashed') AND g.since_version <= ${at.version} AND coalesce(g.until_version > ${at.version}, true)
        AND d.collected_version <= ${at.version} AND d.version >= ${at.version}`,
  );
  if (!generation) return null;
  const found = await rows(
    db,
    sql<PartRow>`
      SELECT p.id, p.kind, p.table_name, p.name, p.object_key, p.rows, p.bytes, p.sha256, ARRAY(SELECT file_id::text FROM part_files WHERE part_id = p.id) AS files
      FROM parts p WHERE p.generation_id = ${generation.id} AND p.since_version <= ${at.version} AND coalesce(p.until_version > ${at.version}, true)
        AND (${at.after}::uuid IS NULL OR p.id > ${at.after}::uuid)
        AND (${at.kind ?? null}::text IS NULL OR p.kind = ${at.kind ?? null}::text)
      ORDER BY p.id LIMIT ${at.limit}`,
  );
  return found.map(toPart);
}
