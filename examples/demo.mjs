// What `npm run demo` runs: the three DataInsider calls, then the rows back from Parquet. Read it as a client's example.
import { readdirSync } from "node:fs";
import { openAsBlob } from "node:fs";
import { join } from "node:path";
import { asyncBufferFromUrl, parquetReadObjects } from "hyparquet";
import { compressors } from "hyparquet-compressors";

const url = process.env.SLUICE_URL ?? "http://127.0.0.1:8080";
const key = process.env.SLUICE_API_KEY ?? "";
const here = import.meta.dirname;
const path = `/demo/${Date.now().toString(36)}/orders`;
const SHOWN = 12;

async function call(method, route, body, headers = {}) {
  const response = await fetch(`${url}${route}`, { method, body, headers: { "x-api-key": key, ...headers } });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${route} answered ${response.status}: ${text}`);
  return text === "" ? null : JSON.parse(text);
}
const post = (route, body) => call("POST", route, JSON.stringify(body), { "content-type": "application/json" });

/** Start, upload every file of a folder, end; then watch until the sync is done. */
async function sync(type, folder) {
  const { sync_id: id } = await post("/api/ingestion/file/sync/start", { name: `demo ${type}`, path, api_key: key, sync_type: type });
  console.log(`\n${type} ${id} into ${path}`);
  for (const name of readdirSync(join(here, folder)).sort()) {
    const form = new FormData();
    form.append("file", await openAsBlob(join(here, folder, name)), name);
    await call("POST", `/api/lake/file/upload?sync_id=${id}`, form);
    console.log(`  sent      ${name}`);
  }
  await post("/api/ingestion/file/sync/end", { sync_id: id, api_key: key });
  for (;;) {
    const files = await call("GET", `/api/ingestion/file/sync/history?sync_id=${id}&size=100`);
    const [status] = await call("GET", `/api/ingestion/file/sync/list?sync_id=${id}`);
    const done = files.filter((file) => file.sync_status !== "Syncing").length;
    console.log(`  ${status.sync_status.padEnd(9)} ${done} of ${files.length} files done`);
    if (status.sync_status !== "Syncing") {
      for (const file of files) console.log(`            ${file.file_name}: ${file.sync_status} ${file.message}`);
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
}

await sync("FullSync", "orders");
await sync("IncrementalSync", "late");

const { items } = await call("GET", `/api/v1/datasets?path=${encodeURIComponent(path)}`);
const dataset = items[0];
const parts = await call("GET", `/api/v1/datasets/${dataset.id}/parts?limit=100`);
const rows = [];
for (const part of parts.items) {
  const file = await asyncBufferFromUrl({ url: new URL(part.url, url).href });
  rows.push(...(await parquetReadObjects({ file, compressors })));
}
console.log(`\n${rows.length} rows in ${parts.items.length} Parquet parts; the first ${SHOWN}:`);
rows.sort((a, b) => (a.order_id < b.order_id ? -1 : 1));
console.table(
  rows.slice(0, SHOWN).map((row) => ({
    order_id: `${row.order_id}`,
    placed_at: row.placed_at?.toISOString(),
    customer: row.customer,
    quantity: row.quantity === null ? null : Number(row.quantity),
    unit_price: row.unit_price,
    paid: row.paid,
    channel: row.channel ?? null,
  })),
);
