import { readdir, readFile } from "node:fs/promises";
import type pg from "pg";
import { LOCKS, rethrow } from "./connection.ts";

const FOLDER = new URL("./migrations/", import.meta.url);

/**
 * Runs the SQL migrations that the database has not seen, each in a transaction of its own, under an advisory lock:
 * processes that start together wait for one another. A database from a newer version is refused.
 */
export async function migrate(pool: pg.Pool): Promise<readonly string[]> {
  const files = (await readdir(FOLDER)).filter((name) => name.endsWith(".sql")).sort();
  const client = await pool.connect().catch(rethrow);
  try {
    await client.query("SELECT pg_advisory_lock($1, 0)", [LOCKS.migrate]);
    await client.query("CREATE SCHEMA IF NOT EXISTS sluice");
    await client.query("CREATE TABLE IF NOT EXISTS sluice.migrations (name text PRIMARY KEY, run_at timestamptz NOT NULL DEFAULT now())");
    const done = new Set((await client.query<{ name: string }>("SELECT name FROM sluice.migrations")).rows.map((row) => row.name));
    const unknown = [...done].filter((name) => !files.includes(name));
    if (unknown.length > 0) throw new Error(`the database was written by a newer version: it knows the migrations ${unknown.join(", ")}`);
    const fresh = files.filter((name) => !done.has(name));
    for (const name of fresh) await runOne(client, name);
    return fresh;
  } catch (error) {
    return rethrow(error);
  } finally {
    await client.query("SELECT pg_advisory_unlock($1, 0)", [LOCKS.migrate]).catch(() => undefined);
    client.release();
  }
}

async function runOne(client: pg.PoolClient, name: string): Promise<void> {
  const text = await readFile(new URL(name, FOLDER), "utf8");
  await client.query("BEGIN");
  try {
    await client.query(text);
    await client.query("INSERT INTO sluice.migrations (name) VALUES ($1)", [name]);
    await client.query("COMMIT");
  } catch (error) {
    await client.query("ROLLBACK");
    throw error;
  }
}
