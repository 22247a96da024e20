import { sql } from "kysely";
import type { Leases } from "../../ports/leases.ts";
import { type Db, row, rows } from "./connection.ts";

export function postgresLeases(db: Db): Leases {
  return {
    take: async (name, holder, leaseMs) => {
      const found = await row(
        db,
        sql<{ holder: string }>`
          INSERT INTO leases (name, holder, until) VALUES (${name}, ${holder}, clock_timestamp() + ${leaseMs} * interval '1 ms')
          ON CONFLICT (name) DO UPDATE SET holder = EXCLUDED.holder, until = EXCLUDED.until
            WHERE leases.holder = EXCLUDED.holder OR leases.until < clock_timestamp()
          RETURNING holder`,
      );
      return found !== null;
    },
    release: async (name, holder) => {
      await rows(db, sql`DELETE FROM leases WHERE name = ${name} AND holder = ${holder}`);
    },
  };
}
