import { randomUUID } from "node:crypto";
import { sql } from "kysely";
import { Fault } from "../../domain/fault.ts";
import type { Idempotency, RememberedAnswer } from "../../ports/idempotency.ts";
import type { OrgId } from "../../domain/ids.ts";
import { type Db, json, row, rows } from "./connection.ts";

const LEASE = sql.lit("5 seconds");
const KEPT = sql.lit("24 hours");

interface Found {
  token: string;
  fingerprint: string | null;
  status: number | null;
  answer: unknown;
}

const running = (key: string) =>
  new Fault("idempotency_running", "Idempotency-Key: a request with this key is still running", { field: "Idempotency-Key", value: key });

export function postgresIdempotency(db: Db): Idempotency {
  return {
    begin: async (org, key) => {
      const token = randomUUID();
      const taken = await row(
        db,
        sql<Found>`
          INSERT INTO idempotency_keys (org_id, key, token, lease_until) VALUES (${org}, ${key}, ${token}, clock_timestamp() + ${LEASE}::interval)
          ON CONFLICT (org_id, key) DO UPDATE SET token = EXCLUDED.token, lease_until = EXCLUDED.lease_until, created_at = clock_timestamp(),
              fingerprint = NULL, status = NULL, answer = NULL
            WHERE (idempotency_keys.status IS NULL AND idempotency_keys.lease_until < clock_timestamp())
               OR idempotency_keys.created_at < clock_timestamp() - ${KEPT}::interval
          RETURNING token, fingerprint, status, answer`,
      );
      if (taken) return { token };
      const found = await row(
        db,
        sql<Found>`SELECT token, fingerprint, status, answer FROM idempotency_keys WHERE org_id = ${org} AND key = ${key}`,
      );
      if (found?.status === null || found?.status === undefined) throw running(key);
      return { answer: { fingerprint: found.fingerprint ?? "", status: found.status, body: found.answer } };
    },
    renew: async (org, key, token) => {
      const found = await row(
        db,
        sql<Found>`UPDATE idempotency_keys SET lease_until = clock_timestamp() + ${LEASE}::interval
                   WHERE org_id = ${org} AND key = ${key} AND token = ${token} AND status IS NULL RETURNING token`,
      );
      return found !== null;
    },
    finish: (org, key, token, answer) => remember(db, org, key, token, answer),
    release: async (org, key, token) => {
      await rows(db, sql`DELETE FROM idempotency_keys WHERE org_id = ${org} AND key = ${key} AND token = ${token} AND status IS NULL`);
    },
    purge: async () => {
      await rows(db, sql`DELETE FROM idempotency_keys WHERE created_at < clock_timestamp() - ${KEPT}::interval`);
    },
  };
}

/** Notes the answer of a running key, in the caller's transaction where it has one. Throws `idempotency_running` when the lease was lost. */
export async function remember(db: Db, org: OrgId, key: string, token: string, answer: RememberedAnswer): Promise<void> {
  const found = await row(
    db,
    sql<Found>`UPDATE idempotency_keys SET fingerprint = ${answer.fingerprint}, status = ${answer.status}, answer = ${json(answer.body)}
               WHERE org_id = ${org} AND key = ${key} AND token = ${token} AND status IS NULL RETURNING token`,
  );
  if (!found) throw running(key);
}
