import { sql } from "kysely";
import type { MaxRejects } from "../../domain/dataset.ts";
import { Fault, type FaultRecord } from "../../domain/fault.ts";
import { type Clock, type DatasetId, newId, type OrgId } from "../../domain/ids.ts";
import { parseType, typeName } from "../../domain/table-schema.ts";
import type { PendingChange, SchemaChange, SchemaChanges } from "../../ports/schema-changes.ts";
import { type Db, json, lock, row, rows, transact } from "./connection.ts";

interface ChangeRow {
  id: string;
  org_id: OrgId;
  dataset_id: DatasetId;
  table_name: string;
  columns: { name: string; type: string }[];
  dropped: string[];
  max_rejects: MaxRejects | null;
  state: SchemaChange["state"];
  fault: FaultRecord | null;
}

const toPending = (found: ChangeRow): PendingChange => ({
  id: found.id,
  org: found.org_id,
  dataset: found.dataset_id,
  table: found.table_name,
  wanted: {
    columns: found.columns.map((column) => ({ name: column.name, type: parseType(column.type, column.name) })),
    drop: found.dropped,
    maxRejects: found.max_rejects,
  },
});

export function postgresSchemaChanges(db: Db, clock: Clock): SchemaChanges {
  return {
    request: (org, dataset, table, wanted) =>
      transact(db, async (tx) => {
        await lock(tx, "dataset", dataset);
        const known = await row(tx, sql`SELECT 1 FROM datasets WHERE id = ${dataset} AND org_id = ${org}`);
        if (!known) throw new Fault("not_found", `there is no dataset ${dataset}`, { value: dataset });
        const pending = await row(
          tx,
          sql<{ id: string }>`SELECT id FROM schema_changes WHERE dataset_id = ${dataset} AND table_name = ${table} AND state = 'pending'`,
        );
        if (pending)
          throw new Fault("wrong_state", `the schema change ${pending.id} of table ${table} is still pending`, { value: pending.id });
        const id = newId(clock);
        const named = wanted.columns.map((column) => ({ name: column.name, type: typeName(column.type) }));
        await rows(
          tx,
          sql`INSERT INTO schema_changes (id, org_id, dataset_id, table_name, columns, dropped, max_rejects)
              VALUES (${id}, ${org}, ${dataset}, ${table}, ${json(named)}, ${json(wanted.drop)}, ${wanted.maxRejects === null ? null : json(wanted.maxRejects)})`,
        );
        return { id };
      }),
    get: async (org, id) => {
      const found = await row(db, sql<ChangeRow>`SELECT * FROM schema_changes WHERE id = ${id} AND org_id = ${org}`);
      return found && { id: found.id, dataset: found.dataset_id, table: found.table_name, state: found.state, fault: found.fault };
    },
    take: async (leaseMs) => {
      const found = await row(
        db,
        sql<ChangeRow>`
          UPDATE schema_changes SET lease_until = clock_timestamp() + ${leaseMs} * interval '1 ms'
          WHERE id = (SELECT id FROM schema_changes WHERE state = 'pending' AND coalesce(lease_until < clock_timestamp(), true) ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED)
          RETURNING *`,
      );
      return found && toPending(found);
    },
    finish: async (id, fault) => {
      await rows(
        db,
        sql`UPDATE schema_changes SET state = ${fault ? "failed" : "done"}, fault = ${fault ? json(fault) : null}, ended_at = clock_timestamp() WHERE id = ${id} AND state = 'pending'`,
      );
    },
  };
}
