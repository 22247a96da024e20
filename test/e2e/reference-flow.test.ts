import { execFile, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { audit } from "../harness/audit.ts";
import { clientOf, type HistoryRow, type SyncRow } from "../harness/client.ts";
import { duck, livePartFiles, query, readCurrent, readObject } from "../harness/lake.ts";
import { readRows } from "../harness/read-parquet.ts";
import { type Service, type ServiceOptions, unreachable, withService } from "../harness/service.ts";
import { until } from "../harness/until.ts";

const CI = process.env["CI"] === "true";
const HAS_CURL = spawnSync("curl", ["--version"], { stdio: "ignore" }).status === 0;
const PLACES: readonly (ServiceOptions & { readonly title: string })[] = [
  { title: "the queue on PostgreSQL, objects on disk", queue: "postgres", storage: "disk" },
  { title: "the queue on Redis, objects on disk", queue: "redis", storage: "disk" },
  { title: "the queue on Redis, objects on S3", queue: "redis", storage: "s3" },
];

/** The curl lines of the reference, as printed there; `[client].datainsider.co`, the ids, the key and the file are the reader's to fill in. */
const START = `curl --request POST \\
  --url http://[client].datainsider.co/api/ingestion/file/sync/start \\
  --header 'Content-Type: application/json' \\
  --data '{
  "name" : "transactions incremental sync 06/12/21",
  "path" : "/data/db/transactions",
  "api_key" : "cccccccc-14a1-4eb1-8964-000000000000",
  "sync_type" : "IncrementalSync"
}'`;
const UPLOAD = `curl --request POST \\
  --url 'https://[client].datainsider.co/api/lake/file/upload?sync_id=8' \\
    --header 'Content-Type: multipart/form-data; boundary=---011000010111000001101001' \\
  --form file=@/data/example/sales_transaction.parquet`;
const END = `curl --request POST \\
  --url https://[client].datainsider.co/api/ingestion/file/sync/end \\
  --header 'Content-Type: application/json' \\
  --data '{
  "sync_id" : 8,
  "api_key" : "cccccccc-14a1-4eb1-8964-000000000000"
}
'`;
const LIST = `curl --request GET \\
  --url 'https://[client].datainsider.co/api/ingestion/file/sync/list?from=0&size=10' \\
  --header 'Content-Type: application/json'`;
const HISTORY = `curl --request GET \\
  --url 'https://[client].datainsider.co/api/ingestion/file/sync/history?from=0&size=10' \\
  --header 'Content-Type: application/json'`;

const JPG = new Uint8Array([0xff, 0xd8, 0xff, 0xe0, 0, 16, 0x4a, 0x46, 0x49, 0x46, 0, 1, 2, 3, 4, 5, 6, 7]);
/** Every type a csv can hold, a quoted newline, an empty and a missing value. */
const CSV = `id,amount,sold_at,day,paid,code,note
1,10.5,2026-11-19T08:30:00Z,2026-11-19,true,007,"two
lines"
2,-3.25,2026-11-19T09:00:00.123Z,2026-11-20,false,042,
3,0,2026-11-20T00:00:00Z,2026-11-21,true,100,"say ""hi"", Zoë"
`;

for (const place of PLACES) {
  describe.skipIf(missing(place))(`with ${place.title}`, () => {
    it(
      "the reference's own curl lines load a dataset that other readers read back as it was sent",
      () => withService({ ...place, workers: 1 }, referenceFlow),
      60_000,
    );

    it(
      "a dataset of many files is read whole by DuckDB through current.json",
      () => withService({ ...place, workers: 2 }, manyFiles),
      60_000,
    );
  });
}

function missing(place: ServiceOptions & { readonly title: string }): boolean {
  const why = unreachable(place) ?? (HAS_CURL ? null : "there is no curl on the PATH: the reference's lines were NOT run");
  if (why === null) return false;
  console.warn(`\n!!! ${why} (${place.title}) !!!\n`);
  it.skipIf(!CI)(why, () => expect.fail(why));
  return true;
}

/** Runs one of the lines above with the reader's values filled in; resolves to the JSON that it printed. */
async function curl(service: Service, line: string, values: { sync?: number; file?: string } = {}): Promise<unknown> {
  let filled = line
    .replace(/https?:\/\/\[client\]\.datainsider\.co/, service.url)
    .replace("cccccccc-14a1-4eb1-8964-000000000000", service.key);
  if (values.sync !== undefined)
    filled = filled.replace("sync_id=8", `sync_id=${values.sync}`).replace('"sync_id" : 8', `"sync_id" : ${values.sync}`);
  if (values.file !== undefined) filled = filled.replace("/data/example/sales_transaction.parquet", values.file);
  const { stdout } = await promisify(execFile)("bash", ["-c", filled]);
  return JSON.parse(stdout);
}

async function referenceFlow(service: Service): Promise<void> {
  const at = (name: string) => join(service.scratch, name);
  await query(
    `COPY (SELECT i::BIGINT AS id, (i * 1.5)::DOUBLE AS amount, TIMESTAMPTZ '2026-11-19 00:00:00Z' + i * INTERVAL 1 hour AS sold_at, DATE '2026-11-19' + (i % 9)::INT AS day,
       i % 2 = 0 AS paid, lpad(i::VARCHAR, 5, '0') AS code, CASE WHEN i % 7 = 0 THEN NULL ELSE 'note ' || i END AS note FROM range(10, 1010) t(i)) TO '${at("sales_transaction.parquet")}' (FORMAT parquet)`,
  );
  await writeFile(at("more.csv"), CSV);
  await writeFile(at("full_vn_map.jpg"), JPG);
  await writeFile(at("late.csv"), CSV.replace(/^1,/m, "4,").replace(/^2,/m, "5,").replace(/^3,/m, "6,"));
  await writeFile(at("page.csv"), "<html><body>Not found</body></html>");

  const startedAtMs = Date.now();
  const started = await curl(service, START);
  expect(started).toEqual({ sync_id: expect.any(Number) });
  const sync = (started as { sync_id: number }).sync_id;
  const accepted = { code: 0, msg: null };
  expect(await curl(service, UPLOAD, { sync, file: at("sales_transaction.parquet") })).toEqual(accepted);
  expect(await curl(service, UPLOAD, { sync, file: at("more.csv") })).toEqual(accepted);
  expect(await curl(service, UPLOAD, { sync, file: at("full_vn_map.jpg") })).toEqual(accepted);
  const several = `${UPLOAD} --form file=@${at("page.csv")}`;
  expect(await curl(service, several, { sync, file: at("late.csv") })).toEqual(accepted);

  expect(await curl(service, END, { sync })).toEqual({ success: true });
  const listed = await until("the sync is closed", 30_000, async () => {
    const [row] = (await curl(service, LIST)) as SyncRow[];
    return row?.sync_status === "Syncing" ? null : row;
  });
  expect(listed).toEqual({
    org_id: 0,
    sync_id: sync,
    name: "transactions incremental sync 06/12/21",
    path: "/data/db/transactions",
    sync_type: "IncrementalSync",
    sync_status: "Finished",
    start_time: expect.any(Number),
    end_time: expect.any(Number),
    total_files: 5,
    num_failed: 1,
  });
  expect(Object.keys(listed)).toEqual([
    "org_id",
    "sync_id",
    "name",
    "path",
    "sync_type",
    "sync_status",
    "start_time",
    "end_time",
    "total_files",
    "num_failed",
  ]);
  expect(listed.start_time).toBeGreaterThanOrEqual(startedAtMs - 1_000);
  expect(listed.end_time).toBeGreaterThanOrEqual(listed.start_time);

  const history = (await curl(service, HISTORY)) as HistoryRow[];
  expect(history.map((row) => [row.file_name, row.sync_status])).toEqual([
    ["sales_transaction.parquet", "Finished"],
    ["more.csv", "Finished"],
    ["full_vn_map.jpg", "Finished"],
    ["late.csv", "Finished"],
    ["page.csv", "Failed"],
  ]);
  expect(history.map((row) => row.history_id)).toEqual(history.map((row) => row.history_id).toSorted((a, b) => a - b));
  for (const row of history) {
    expect(Object.keys(row)).toEqual(["org_id", "history_id", "sync_id", "file_name", "start_time", "end_time", "sync_status", "message"]);
    expect(row).toMatchObject({ org_id: 0, sync_id: sync });
    expect(row.end_time).toBeGreaterThanOrEqual(row.start_time);
    expect(row.message === "").toBe(row.sync_status === "Finished");
  }
  await readBack(service, at);
  expect(await audit(service)).toEqual([]);
}

const COLUMNS = "id, amount, sold_at, day, paid, code, note";

async function readBack(service: Service, at: (name: string) => string): Promise<void> {
  const path = "/data/db/transactions";
  const current = await readCurrent(service, path);
  expect(current?.rows).toBe(1_006);
  // The opaque file is what was sent, byte for byte.
  expect(current?.files).toMatchObject([
    { name: "full_vn_map.jpg", bytes: JPG.length, sha256: createHash("sha256").update(JPG).digest("hex") },
  ]);
  expect(await readObject(service, current?.files[0]?.key ?? "")).toEqual(Buffer.from(JPG));

  // DuckDB: the Parquet rows as in their source, values and types.
  const source = await query(`FROM read_parquet('${at("sales_transaction.parquet")}') SELECT ${COLUMNS} ORDER BY id`);
  expect(await duck(service, path, `SELECT ${COLUMNS} FROM lake WHERE id >= 10 ORDER BY id`)).toEqual(source);
  const types = (rows: Record<string, unknown>[]) => rows.map((row) => [row["column_name"], row["column_type"]]);
  const [file = ""] = await livePartFiles(service, path);
  expect(types(await query(`DESCRIBE SELECT ${COLUMNS} FROM read_parquet('${file}')`))).toEqual([
    ["id", "BIGINT"],
    ["amount", "DOUBLE"],
    ["sold_at", "TIMESTAMP WITH TIME ZONE"],
    ["day", "DATE"],
    ["paid", "BOOLEAN"],
    ["code", "VARCHAR"],
    ["note", "VARCHAR"],
  ]);
  // The csv rows as DuckDB itself would read them under those types.
  const csv = await query(
    `FROM read_csv('${at("more.csv")}', header = true, columns = {id: 'BIGINT', amount: 'DOUBLE', sold_at: 'TIMESTAMPTZ', day: 'DATE', paid: 'BOOLEAN', code: 'VARCHAR', note: 'VARCHAR'}) ORDER BY id`,
  );
  expect(await duck(service, path, `SELECT ${COLUMNS} FROM lake WHERE id < 4 ORDER BY id`)).toEqual(csv);

  // hyparquet, every part.
  const rows = (await Promise.all((await livePartFiles(service, path)).map(readRows))).flat();
  const byId = new Map(rows.map((row) => [row["id"], row]));
  expect(rows).toHaveLength(1_006);
  expect(byId.get(1)).toMatchObject({
    amount: 10.5,
    sold_at: new Date("2026-11-19T08:30:00Z"),
    day: new Date("2026-11-19"),
    paid: true,
    code: "007",
    note: "two\nlines",
  });
  expect(byId.get(3)).toMatchObject({ amount: 0, note: 'say "hi", Zoë' });
  expect(byId.get(1_000)).toMatchObject({ amount: 1_500, paid: true, code: "01000" });
}

const FILES = 60;
const ROWS = 50;

async function manyFiles(service: Service): Promise<void> {
  const client = clientOf(service);
  const sync = await client.start("/many/files", "FullSync");
  const csv = (file: number) =>
    `file,row,value\n${Array.from({ length: ROWS }, (_, row) => `${file},${row},${(file * ROWS + row) / 8}`).join("\n")}\n`;
  for (let first = 0; first < FILES; first += 10) {
    await Promise.all(Array.from({ length: 10 }, (_, at) => client.upload(sync, { [`${first + at}.csv`]: csv(first + at) })));
  }
  await client.end(sync);
  expect(await client.closed(sync)).toMatchObject({ sync_status: "Finished", total_files: FILES, num_failed: 0 });
  const found = await duck(
    service,
    "/many/files",
    "SELECT file, count(*) AS rows, count(DISTINCT row) AS kinds, sum(value) AS value FROM lake GROUP BY file ORDER BY file",
  );
  const sum = (file: number) => Array.from({ length: ROWS }, (_, row) => (file * ROWS + row) / 8).reduce((a, b) => a + b, 0);
  expect(found).toEqual(Array.from({ length: FILES }, (_, file) => ({ file, rows: ROWS, kinds: ROWS, value: sum(file) })));
  expect(await audit(service)).toEqual([]);
}
