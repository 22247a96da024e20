import { afterAll, beforeAll, expect, test } from "vitest";
import { ADMIN_KEY, type ApiProcess, startApi } from "./api-process.ts";
import { BOUNDARY, filePart, form, FORM_TYPE, rawHttp } from "./raw-http.ts";

const KEY = ["X-Api-Key", ADMIN_KEY] as const;
let api: ApiProcess;

beforeAll(async () => {
  api = await startApi({ SLUICE_OPEN_UPLOADS: "true" });
});
afterAll(() => api[Symbol.asyncDispose]());

async function post(
  path: string,
  body: object,
  headers: Readonly<Record<string, string>> = {},
): Promise<{ status: number; body: unknown }> {
  const answer = await fetch(`${api.url}${path}`, {
    method: "POST",
    headers: { "Content-Type": "application/json", ...headers },
    body: JSON.stringify(body),
  });
  return { status: answer.status, body: await answer.json() };
}

async function get(path: string): Promise<unknown> {
  const answer = await fetch(`${api.url}${path}`, { headers: [[...KEY]] });
  expect(answer.status).toBe(200);
  return answer.json();
}

async function start(path: string, sync_type = "IncrementalSync"): Promise<number> {
  const { body } = await post("/api/ingestion/file/sync/start", { name: "a sync", path, api_key: ADMIN_KEY, sync_type });
  return (body as { sync_id: number }).sync_id;
}

function upload(sync: number, body: Buffer, headers: readonly (readonly [string, string])[] = [], query = "") {
  return rawHttp(api.port, { path: `/api/lake/file/upload?sync_id=${sync}${query}`, headers: [KEY, FORM_TYPE, ...headers], body });
}

test("the reference's three calls work as printed, its two boundary parameters included", async () => {
  const sync = await start("/data/db/transactions");
  const twice = `multipart/form-data; boundary=---011000010111000001101001; boundary=${BOUNDARY}`;
  const answer = await rawHttp(api.port, {
    path: `/api/lake/file/upload?sync_id=${sync}`,
    headers: [["Content-Type", twice]],
    body: form(filePart("sales_transaction.csv", "a,b\n1,2\n")),
  });
  expect([answer.status, answer.body]).toEqual([200, '{"code":0,"msg":null}']);
  expect(await post("/api/ingestion/file/sync/end", { sync_id: sync, api_key: ADMIN_KEY })).toEqual({
    status: 200,
    body: { success: true },
  });
  expect(await post("/api/ingestion/file/sync/end", { sync_id: String(sync), api_key: ADMIN_KEY })).toEqual({
    status: 200,
    body: { success: true },
  });
  expect(await get(`/api/ingestion/file/sync/list?sync_id=${sync}`)).toEqual([
    {
      org_id: 0,
      sync_id: sync,
      name: "a sync",
      path: "/data/db/transactions",
      sync_type: "IncrementalSync",
      sync_status: "Syncing",
      start_time: expect.any(Number) as number,
      end_time: 0,
      total_files: 1,
      num_failed: 0,
    },
  ]);
  const [history] = (await get(`/api/ingestion/file/sync/history?sync_id=${sync}`)) as { start_time: number }[];
  expect(history).toEqual({
    org_id: 0,
    history_id: expect.any(Number) as number,
    sync_id: sync,
    file_name: "sales_transaction.csv",
    start_time: expect.any(Number) as number,
    end_time: 0,
    sync_status: "Syncing",
    message: "",
  });
  expect(Math.abs(Date.now() - (history?.start_time ?? 0))).toBeLessThan(60_000);
});

test("all four spellings of sync_type are taken", async () => {
  for (const [i, type] of ["FullSync", "IncrementalSync", "Full Sync", "Incremental Sync"].entries()) {
    const sync = await start(`/types/${i}`, type);
    expect(await get(`/api/ingestion/file/sync/list?sync_id=${sync}`)).toMatchObject([{ sync_type: type.replace(" ", "") }]);
  }
});

test("several files of one request are all in, under their own names and a sub-path", async () => {
  const sync = await start("/many");
  const names = ["a.csv", "Số liệu.csv", "C:\\old\\c.csv"];
  const answer = await upload(sync, form(...names.map((name) => filePart(name, "x\n1\n"))), [], "&path=/many/sub");
  expect(answer.status).toBe(200);
  const history = (await get(`/api/ingestion/file/sync/history?sync_id=${sync}`)) as { file_name: string }[];
  expect(history.map((file) => file.file_name)).toEqual(["a.csv", "Số liệu.csv", "c.csv"]);
});

test("list and history page, filter and sort", async () => {
  const sync = await start("/paged");
  await upload(sync, form(...Array.from({ length: 15 }, (_, i) => filePart(`f${String(i).padStart(2, "0")}.csv`, "x\n1\n"))));
  const history = async (query: string) =>
    ((await get(`/api/ingestion/file/sync/history?sync_id=${sync}${query}`)) as { file_name: string }[]).map((file) => file.file_name);
  expect(await history("")).toHaveLength(10);
  expect(await history("&from=12&size=10")).toEqual(["f12.csv", "f13.csv", "f14.csv"]);
  expect(await history("&sort=-file_name&size=2")).toEqual(["f14.csv", "f13.csv"]);
  expect(await history("&file_name=f03.csv&sync_status=Syncing")).toEqual(["f03.csv"]);
  expect(await history("&sync_status=Finished")).toEqual([]);
  expect(await get("/api/ingestion/file/sync/list?path=/paged")).toMatchObject([{ total_files: 15 }]);
  expect(await get("/api/ingestion/file/sync/list?path=/paged&file_name=f03.csv")).toMatchObject([{ sync_id: sync }]);
  expect(await get("/api/ingestion/file/sync/list?path=/paged&file_name=f99.csv")).toEqual([]);
});

test("an upload with an Idempotency-Key counts once, and its answer is given again", async () => {
  const sync = await start("/once");
  const file = filePart("a.csv", "x\n1\n");
  const first = await upload(sync, form(file), [["Idempotency-Key", "once-1"]]);
  // The same request under another boundary.
  const other = Buffer.from(form(file).toString().replaceAll(BOUNDARY, "other"));
  const again = await rawHttp(api.port, {
    path: `/api/lake/file/upload?sync_id=${sync}`,
    headers: [KEY, ["Content-Type", "multipart/form-data; boundary=other"], ["Idempotency-Key", "once-1"]],
    body: other,
  });
  expect([again.status, again.body]).toEqual([first.status, first.body]);
  expect(await get("/api/ingestion/file/sync/list?path=/once")).toMatchObject([{ total_files: 1 }]);
  const changed = await upload(sync, form(filePart("a.csv", "x\n2\n")), [["Idempotency-Key", "once-1"]]);
  expect([changed.status, changed.body]).toEqual([422, expect.stringContaining("used before for another request")]);
});

test("of many equal requests with one key at the same time one runs; the others wait for it to be over", async () => {
  const sync = await start("/race");
  const answers = await Promise.all(
    Array.from({ length: 10 }, () => upload(sync, form(filePart("a.csv", "x\n1\n")), [["Idempotency-Key", "race-1"]])),
  );
  expect(new Set(answers.map((answer) => answer.status)).difference(new Set([200, 409])).size).toBe(0);
  expect(await get("/api/ingestion/file/sync/list?path=/race")).toMatchObject([{ total_files: 1 }]);
});

test("a refused upload does not use its key up", async () => {
  const sync = await start("/again");
  expect((await upload(sync, form(filePart("a.csv", "")), [["Idempotency-Key", "again-1"]])).status).toBe(400);
  expect((await upload(sync, form(filePart("a.csv", "x\n1\n")), [["Idempotency-Key", "again-1"]])).status).toBe(200);
});

test("start with an Idempotency-Key starts one sync", async () => {
  const body = { name: "x", path: "/started", api_key: ADMIN_KEY, sync_type: "FullSync" };
  const first = await post("/api/ingestion/file/sync/start", body, { "Idempotency-Key": "start-1" });
  expect(await post("/api/ingestion/file/sync/start", body, { "Idempotency-Key": "start-1" })).toEqual(first);
  expect((await post("/api/ingestion/file/sync/start", { ...body, name: "y" }, { "Idempotency-Key": "start-1" })).status).toBe(422);
});

test("the open door is for direct requests of this machine alone, and for uploads, list and history alone", async () => {
  const sync = await start("/opened");
  const status = async (headers: readonly (readonly [string, string])[], path = "/api/ingestion/file/sync/list") => {
    const own = headers.some(([name]) => name === "Host");
    const answer = await rawHttp(api.port, { method: "GET", path, headers, length: null, ...(own ? { host: null } : {}) });
    return answer.status;
  };
  expect(await status([])).toBe(200);
  expect(await status([["Origin", `http://127.0.0.1:${api.port}`]])).toBe(200);
  for (const headers of [
    [["Origin", "http://evil.example"]],
    [["Origin", "null"]],
    [["X-Forwarded-For", "127.0.0.1"]],
    [["X-Forwarded-Host", "localhost"]],
    [["Forwarded", "for=127.0.0.1"]],
    [["Via", "1.1 proxy"]],
    [["Host", "evil.example"]],
    [["Sec-Fetch-Site", "cross-site"]],
    [["X-Api-Key", "wrong-wrong-wrong"]],
    [["Authorization", "Basic eDp5"]],
  ] as const)
    expect([headers, await status(headers)]).toEqual([headers, 401]);
  expect(await status([], "/api/v1/datasets")).toBe(401);
  expect((await post("/api/ingestion/file/sync/end", { sync_id: sync })).status).toBe(401);
});
