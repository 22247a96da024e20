import type { Clock } from "../../domain/ids.ts";
import type { Catalog, CurrentFiles, Trash } from "../../ports/catalog.ts";
import type { Directory } from "../../ports/directory.ts";
import type { History } from "../../ports/history.ts";
import type { Idempotency } from "../../ports/idempotency.ts";
import type { Inspections } from "../../ports/inspections.ts";
import type { Leases } from "../../ports/leases.ts";
import type { Publication } from "../../ports/publication.ts";
import type { SchemaChanges } from "../../ports/schema-changes.ts";
import type { Syncs } from "../../ports/syncs.ts";
import type { Uploads } from "../../ports/uploads.ts";
import type { Work } from "../../ports/work.ts";
import { postgresCatalog } from "./catalog.ts";
import { openDb, openPool } from "./connection.ts";
import { postgresCurrentFiles } from "./current-files.ts";
import { postgresDirectory } from "./directory.ts";
import { postgresHistory } from "./history.ts";
import { postgresIdempotency } from "./idempotency.ts";
import { postgresInspections } from "./inspections.ts";
import { postgresLeases } from "./leases.ts";
import { migrate } from "./migrate.ts";
import { postgresPublication } from "./publication.ts";
import { postgresSchemaChanges } from "./schema-changes.ts";
import { postgresSyncs } from "./syncs.ts";
import { postgresTrash } from "./trash.ts";
import { postgresUploads } from "./uploads.ts";
import { postgresWork } from "./work.ts";

/** All the record ports over one database. */
export interface Records {
  readonly directory: Directory;
  readonly idempotency: Idempotency;
  readonly uploads: Uploads;
  readonly work: Work;
  readonly publication: Publication;
  readonly syncs: Syncs;
  readonly catalog: Catalog;
  readonly current: CurrentFiles;
  readonly trash: Trash;
  readonly history: History;
  readonly leases: Leases;
  readonly inspections: Inspections;
  readonly schemaChanges: SchemaChanges;
  close(): Promise<void>;
}

export interface OpenRecords {
  readonly databaseUrl: string;
  /** Connections for durable work; about a third more serve notes that may be lost. */
  readonly poolSize: number;
  readonly clock: Clock;
  readonly log: { info(detail: object, message: string): void; warn(detail: object, message: string): void };
}

/** Connects, runs pending migrations and hands out the ports. Throws `records_unavailable` when the server cannot be reached. */
export async function openRecords(options: OpenRecords): Promise<Records> {
  const { databaseUrl, log, clock } = options;
  const pool = openPool({ databaseUrl, max: options.poolSize, durable: true, log });
  const relaxedPool = openPool({ databaseUrl, max: Math.max(2, Math.ceil(options.poolSize / 3)), durable: false, log });
  try {
    const migrations = await migrate(pool);
    if (migrations.length > 0) log.info({ migrations }, "migrated the records");
  } catch (error) {
    await Promise.all([pool.end(), relaxedPool.end()]);
    throw error;
  }
  const db = openDb(pool);
  const relaxed = openDb(relaxedPool);
  return {
    directory: postgresDirectory(db),
    idempotency: postgresIdempotency(db),
    uploads: postgresUploads(db, relaxed),
    work: postgresWork(db, relaxed),
    publication: postgresPublication(db),
    syncs: postgresSyncs(db, clock),
    catalog: postgresCatalog(db, clock),
    current: postgresCurrentFiles(pool, db),
    trash: postgresTrash(db, clock),
    history: postgresHistory(db),
    leases: postgresLeases(relaxed),
    inspections: postgresInspections(relaxed),
    schemaChanges: postgresSchemaChanges(db, clock),
    close: async () => {
      await Promise.all([db.destroy(), relaxed.destroy()]);
    },
  };
}
