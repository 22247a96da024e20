import { sql } from "kysely";
import type { Scope } from "../../domain/access.ts";
import type { OrgId } from "../../domain/ids.ts";
import type { ApiKey, Directory } from "../../ports/directory.ts";
import { type Db, row, rows } from "./connection.ts";

interface KeyRow {
  id: string;
  org_id: number;
  prefix: string;
  hash: Buffer;
  name: string;
  scopes: Scope[];
  created_at: number;
  revoked_at: number | null;
}

const toKey = (found: KeyRow): ApiKey => ({
  id: found.id,
  org: found.org_id as OrgId,
  prefix: found.prefix,
  hash: new Uint8Array(found.hash),
  name: found.name,
  scopes: found.scopes,
  createdAtMs: found.created_at,
  revokedAtMs: found.revoked_at,
});

export function postgresDirectory(db: Db): Directory {
  return {
    findKey: async (prefix) => {
      const found = await row(db, sql<KeyRow>`SELECT * FROM api_keys WHERE prefix = ${prefix}`);
      return found && toKey(found);
    },
    putKey: async (key) => {
      await rows(
        db,
        sql`INSERT INTO api_keys (id, org_id, prefix, hash, name, scopes)
            VALUES (${key.id}, ${key.org}, ${key.prefix}, ${Buffer.from(key.hash)}, ${key.name}, ${[...key.scopes]})
            ON CONFLICT (prefix) DO UPDATE SET org_id = EXCLUDED.org_id, hash = EXCLUDED.hash, name = EXCLUDED.name, scopes = EXCLUDED.scopes, revoked_at = NULL`,
      );
    },
    listKeys: async () => (await rows(db, sql<KeyRow>`SELECT * FROM api_keys ORDER BY created_at, id`)).map(toKey),
    revokeKey: async (idOrPrefix) => {
      const found = await row(
        db,
        sql<{
          id: string;
        }>`UPDATE api_keys SET revoked_at = coalesce(revoked_at, now()) WHERE prefix = ${idOrPrefix} OR id::text = ${idOrPrefix} RETURNING id`,
      );
      return found !== null;
    },
    ensureOrg: async (id, name) => {
      await rows(db, sql`INSERT INTO orgs (id, name) VALUES (${id}, ${name}) ON CONFLICT DO NOTHING`);
    },
    setting: async (name, fallback) => {
      await rows(db, sql`INSERT INTO settings (name, value) VALUES (${name}, ${fallback}) ON CONFLICT DO NOTHING`);
      const found = await row(db, sql<{ value: string }>`SELECT value FROM settings WHERE name = ${name}`);
      return found?.value ?? fallback;
    },
    ping: async () => {
      await rows(db, sql`SELECT 1`);
    },
  };
}
