import pg from "pg";

/** What was seeded: one dataset with one open incremental sync that holds all files, each loaded with one part. */
export interface Seeded {
  readonly sync: number;
  readonly dataset: string;
  readonly lastHistoryNo: number;
  readonly count: number;
}

/**
 * Fills the records as if so many files had been loaded into the sync, and so many syncs had come and gone. Rows are made in the server,
 * which is COPY's speed without the wire; the secondary indexes are made afterwards, as a restore does.
 */
export async function seed(
  databaseUrl: string,
  at: { readonly sync: number; readonly dataset: string; readonly count: number; readonly parts: boolean },
): Promise<Seeded> {
  const client = new pg.Client({ connectionString: databaseUrl, options: "-c search_path=sluice -c maintenance_work_mem=512MB" });
  await client.connect();
  try {
    const indexes = await client.query<{ indexname: string; indexdef: string }>(
      `SELECT indexname, indexdef FROM pg_indexes i WHERE schemaname = 'sluice' AND tablename IN ('files', 'syncs', 'parts', 'part_files')
         AND NOT EXISTS (SELECT 1 FROM pg_constraint c WHERE c.conname = i.indexname)`,
    );
    const apart = at.count > 10_000;
    await client.query("BEGIN");
    if (apart) for (const { indexname } of indexes.rows) await client.query(`DROP INDEX ${indexname}`);
    await insert(client, at);
    if (apart) for (const { indexdef } of indexes.rows) await client.query(indexdef);
    const { rows } = await client.query<{ last: string }>("SELECT max(history_no) AS last FROM files");
    await client.query("COMMIT");
    await client.query("VACUUM ANALYZE");
    await client.query("CHECKPOINT");
    return { sync: at.sync, dataset: at.dataset, count: at.count, lastHistoryNo: Number(rows[0]?.last ?? 0) };
  } finally {
    await client.end();
  }
}

async function insert(client: pg.Client, at: Parameters<typeof seed>[1]): Promise<void> {
  const { count, dataset, sync } = at;
  // The ids ascend as uuidv7 do; their hex is the row's number.
  const id = (kind: string) => `('01900000-0000-7000-8${kind}00-' || lpad(to_hex(n), 12, '0'))::uuid`;
  await client.query(
    `INSERT INTO files (id, org_id, dataset_id, sync_id, history_no, name, state, epoch, attempts, raw_key, bytes, sha256, content_type, detected, rows_read, rows_loaded,
       progress_rows, progress_bytes, received_at, staged_at, claimed_at, finished_at)
     SELECT ${id("0")}, 0, $1, $2, nextval('history_numbers'), 'orders-' || n || '.csv', 'loaded', 1, 1, 'raw/0/2026-01-01/' || ${id("0")}, 10000,
       encode(sha256(int8send(n)), 'hex'), 'text/csv', '{"format":"csv","compression":"none","delimiter":",","quote":"\\"","header":true,"encoding":"utf-8","by":"extension"}',
       100, 100, 100, 10000, t, t + interval '5 ms', t + interval '20 ms', t + interval '60 ms'
     FROM (SELECT n, clock_timestamp() - interval '30 days' + n * interval '1 s' AS t FROM generate_series(1::bigint, $3) n) s`,
    [dataset, sync, count],
  );
  await client.query("INSERT INTO sync_counts (sync_id, shard, total, loaded) VALUES ($1, 0, $2, $2)", [sync, count]);
  await client.query(
    `WITH made AS (
       INSERT INTO syncs (id, org_id, dataset_id, name, path, type, state, start_version, outcome, outcome_version, started_at, ending_at, ended_at)
       SELECT nextval('sync_ids'), 0, $1, 'seeded ' || n, '/bench/seeded', 'incremental', 'finished', 0, 'finished', 0, now() - interval '1 day', now(), now()
       FROM generate_series(2, $2::bigint) n RETURNING id)
     INSERT INTO sync_counts (sync_id, shard) SELECT id, 0 FROM made`,
    [dataset, count],
  );
  if (!at.parts) return;
  const { rows } = await client.query<{ generation: string; hash: string; version: string }>(
    `SELECT d.live_generation_id AS generation, d.version, (SELECT schema_hash FROM parts WHERE dataset_id = d.id LIMIT 1) AS hash FROM datasets d WHERE d.id = $1`,
    [dataset],
  );
  const of = rows[0];
  if (!of) throw new Error(`there is no dataset ${dataset}`);
  await client.query(
    `INSERT INTO parts (id, org_id, dataset_id, generation_id, kind, table_name, name, object_key, rows, bytes, sha256, schema_hash, loaded_version, since_version)
     SELECT ${id("1")}, 0, $1, $2, 'part', 'main', 'orders-' || n || '.csv', 'lake/0/bench/seeded/gen-1/main/' || ${id("0")} || '.1.0.parquet', 100, 9000,
       encode(sha256(int8send(n)), 'hex'), $3, $4::bigint + n, $4::bigint + n FROM generate_series(1::bigint, $5) n`,
    [dataset, of.generation, of.hash, of.version, count],
  );
  await client.query(
    `INSERT INTO part_files (part_id, file_id, rows) SELECT ${id("1")}, ${id("0")}, 100 FROM generate_series(1::bigint, $1) n`,
    [count],
  );
  await client.query("UPDATE datasets SET version = version + $2 WHERE id = $1", [dataset, count]);
}
