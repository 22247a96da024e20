import { sql } from "kysely";
import type { FaultRecord } from "../../domain/fault.ts";
import type { DatasetId, InspectionId, OrgId } from "../../domain/ids.ts";
import { fileOptionsToJson, parseFileOptions } from "../../domain/parse-options.ts";
import type { LoadRules } from "../../domain/options.ts";
import type { Inspection } from "../../ports/converter.ts";
import type { InspectionRow, Inspections, InspectionState } from "../../ports/inspections.ts";
import { type Db, json, row, rows } from "./connection.ts";

interface Found {
  id: InspectionId;
  org_id: OrgId;
  dataset_id: DatasetId | null;
  name: string;
  raw_key: string;
  bytes: number;
  options: unknown;
  rules: Partial<LoadRules>;
  state: InspectionState;
  attempts: number;
  report: Inspection | null;
  fault: FaultRecord | null;
  created: number;
  expires: number;
}

const COLUMNS = sql`id, org_id, dataset_id, name, raw_key, bytes, options, rules, state, attempts, report, fault,
  (extract(epoch FROM created_at) * 1000)::bigint AS created, (extract(epoch FROM expires_at) * 1000)::bigint AS expires`;

const toRow = (found: Found): InspectionRow => ({
  id: found.id,
  org: found.org_id,
  dataset: found.dataset_id,
  name: found.name,
  rawKey: found.raw_key,
  bytes: found.bytes,
  options: parseFileOptions(found.options),
  rules: found.rules,
  state: found.state,
  attempts: found.attempts,
  report: found.report,
  fault: found.fault,
  createdAtMs: found.created,
  expiresAtMs: found.expires,
});

/** Nothing here need survive a crash: a dry run that is lost is asked again. */
export function postgresInspections(relaxed: Db): Inspections {
  return {
    begin: async ({ id, org, dataset, name, rawKey, bytes, options, rules }) => {
      await rows(
        relaxed,
        sql`INSERT INTO inspections (id, org_id, dataset_id, name, raw_key, bytes, options, rules)
            VALUES (${id}, ${org}, ${dataset}, ${name}, ${rawKey}, ${bytes}, ${json(fileOptionsToJson(options))}, ${json(rules)})`,
      );
    },
    get: async (org, id) => {
      const found = await row(
        relaxed,
        sql<Found>`SELECT ${COLUMNS} FROM inspections WHERE id = ${id} AND org_id = ${org} AND expires_at > clock_timestamp()`,
      );
      return found && toRow(found);
    },
    claim: async (id, leaseMs) => {
      const found = await row(
        relaxed,
        sql<Found>`
          UPDATE inspections SET state = 'running', attempts = attempts + 1, lease_until = clock_timestamp() + ${leaseMs} * interval '1 ms'
          WHERE id = ${id} AND expires_at > clock_timestamp() AND (state = 'waiting' OR (state = 'running' AND lease_until < clock_timestamp()))
          RETURNING ${COLUMNS}`,
      );
      return found && toRow(found);
    },
    finish: async (id, found) => {
      const state: InspectionState = "report" in found ? "done" : "failed";
      await rows(
        relaxed,
        sql`UPDATE inspections SET state = ${state}, report = ${"report" in found ? json(found.report) : null}, fault = ${"fault" in found ? json(found.fault) : null}
            WHERE id = ${id} AND state = 'running'`,
      );
    },
    expire: async () => {
      const gone = await rows(
        relaxed,
        sql<{ raw_key: string }>`DELETE FROM inspections WHERE expires_at <= clock_timestamp() RETURNING raw_key`,
      );
      return gone.map((found) => found.raw_key);
    },
  };
}
