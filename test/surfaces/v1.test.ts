import { createHash } from "node:crypto";
import { join } from "node:path";
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ADMIN_KEY, type ApiProcess, startApi } from "./api-process.ts";

let api: ApiProcess;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api[Symbol.asyncDispose]());

type Json = Readonly<Record<string, unknown>>;

async function call(
  method: string,
  path: string,
  body?: unknown,
  key = ADMIN_KEY,
): Promise<{ status: number; headers: Headers; body: Json }> {
  const raw = typeof body === "string" || body instanceof FormData;
  const answer = await fetch(`${api.url}${path}`, {
    method,
    redirect: "manual",
    headers: { Authorization: `Bearer ${key}`, ...(body === undefined || raw ? {} : { "Content-Type": "application/json" }) },
    ...(body === undefined ? {} : { body: raw ? body : JSON.stringify(body) }),
  });
  const text = await answer.text();
  return { status: answer.status, headers: answer.headers, body: (text === "" ? {} : JSON.parse(text)) as Json };
}

async function dataset(path: string, more: Json = {}): Promise<string> {
  const made = await call("POST", "/api/v1/datasets", { path, ...more });
  expect(made.status).toBe(201);
  return made.body["id"] as string;
}

test("a dataset is made once, found by its exact path, and changed by its id", async () => {
  const wanted = { path: "/v1/made", on_bad_row: "strict", max_rejects: "5%", schema: { main: [{ name: "id", type: "int64" }] } };
  const made = await call("POST", "/api/v1/datasets", wanted);
  expect(made).toMatchObject({
    status: 201,
    body: { path: "/v1/made", policy: "evolve", on_bad_row: "strict", max_rejects: 0.05, counts: { parts: 0, rows: 0 } },
  });
  expect(made.body["tables"]).toEqual([{ name: "main", columns: [{ id: 1, name: "id", type: "int64", declared: true }] }]);
  expect((await call("POST", "/api/v1/datasets", wanted)).body["id"]).toBe(made.body["id"]);
  expect(await call("POST", "/api/v1/datasets", { ...wanted, on_bad_row: "coerce" })).toMatchObject({
    status: 409,
    body: { error: { code: "path_conflict" } },
  });
  expect((await call("GET", "/api/v1/datasets?path=/v1/made")).body).toMatchObject({ items: [{ id: made.body["id"] }], next: null });
  expect((await call("GET", "/api/v1/datasets?path=/v1")).body).toEqual({ items: [], next: null });
  const id = String(made.body["id"]);
  expect((await call("PATCH", `/api/v1/datasets/${id}`, { on_bad_row: "coerce", max_rejects: 7 })).body).toMatchObject({
    on_bad_row: "coerce",
    max_rejects: 7,
  });
  expect((await call("GET", `/api/v1/datasets/${id}/schema`)).body).toMatchObject({ id, tables: [{ name: "main" }] });
});

test("a schema change is asked for and can be polled", async () => {
  const id = await dataset("/v1/schema", { schema: { main: [{ name: "id", type: "int64" }] } });
  const asked = await call("PUT", `/api/v1/datasets/${id}/schema`, { columns: [{ name: "id", type: "text" }] });
  expect(asked).toMatchObject({ status: 202, body: { dataset: id, table: "main", state: "pending", error: null } });
  expect((await call("GET", asked.headers.get("location") ?? "")).body).toEqual(asked.body);
});

test("a file is sent raw or as a form, looked at, and fetched back by a link that needs no key", async () => {
  const id = await dataset("/v1/files");
  const text = "a,b\n1,2\n";
  const sent = await call("POST", `/api/v1/datasets/${id}/files?name=t%C3%A9st.csv&options=${encodeURIComponent('{"header":true}')}`, text);
  expect(sent).toMatchObject({ status: 202, body: { state: "staged", dataset: id } });
  const file = String(sent.body["id"]);
  expect(sent.headers.get("location")).toBe(`/api/v1/files/${file}`);
  expect((await call("GET", `/api/v1/files/${file}`)).body).toMatchObject({
    id: file,
    name: "tést.csv",
    state: "staged",
    bytes: text.length,
    sha256: createHash("sha256").update(text).digest("hex"),
    options: { header: true },
    rows: { read: 0, loaded: 0, rejected: 0, skipped: 0, warnings: 0 },
    error: null,
    finished_at: null,
  });
  expect((await call("GET", `/api/v1/files/${file}/rejects`)).body).toEqual({ items: [], next: null, total: 0 });
  const link = (await call("GET", `/api/v1/files/${file}/raw`)).headers.get("location") ?? "";
  const fetched = await fetch(`${api.url}${link}`);
  expect([fetched.status, await fetched.text()]).toEqual([200, text]);
  expect(fetched.headers.get("content-disposition")).toBe("attachment; filename=\"t_st.csv\"; filename*=UTF-8''t%C3%A9st.csv");
  expect(fetched.headers.get("x-content-type-options")).toBe("nosniff");
  const part = await fetch(`${api.url}${link}`, { headers: { Range: "bytes=2-4" } });
  expect([part.status, part.headers.get("content-range"), await part.text()]).toEqual([206, "bytes 2-4/8", "b\n1"]);
  expect((await fetch(`${api.url}${link}`, { headers: { Range: "bytes=8-" } })).status).toBe(416);
  const head = await fetch(`${api.url}${link}`, { method: "HEAD" });
  expect([head.status, head.headers.get("content-length")]).toEqual([200, "8"]);
  expect((await fetch(`${api.url}${link}`, { method: "DELETE" })).status).toBe(405);
  expect((await fetch(`${api.url}${link.replace("name=", "name=x")}`)).status).toBe(403);

  const both = new FormData();
  both.set("format", "csv");
  for (const name of ["x.csv", "y.csv"]) both.append("file", new Blob([text]), name);
  const two = await call("POST", `/api/v1/datasets/${id}/files?wait=0`, both);
  expect(two.body).toMatchObject({ items: [{ state: "staged" }, { state: "staged" }], next: null });
});

test("waiting for a file that nobody works on ends with its state as it is", async () => {
  const id = await dataset("/v1/wait");
  expect(await call("POST", `/api/v1/datasets/${id}/files?name=a.csv&wait=1`, "a\n1\n")).toMatchObject({
    status: 202,
    body: { state: "staged", name: "a.csv" },
  });
});

test("lists go on where their cursor ends", async () => {
  const id = await dataset("/v1/paged");
  for (let i = 0; i < 5; i++) await call("POST", `/api/v1/datasets/${id}/files?name=${i}.csv`, "a\n1\n");
  const names: unknown[] = [];
  let next: string | null = "";
  while (next !== null) {
    const page = (await call("GET", `/api/v1/datasets/${id}/files?limit=2${next === "" ? "" : `&cursor=${next}`}`)).body;
    names.push(...(page["items"] as Json[]).map((file) => file["name"]));
    next = page["next"] as string | null;
  }
  expect(names).toEqual(["0.csv", "1.csv", "2.csv", "3.csv", "4.csv"]);
});

test("a sync is started, filled, ended and cancelled", async () => {
  const sync = (
    await call("POST", "/api/v1/syncs", { path: "/v1/sync", type: "full", name: "n", on_file_error: "keep_old", allow_empty: true })
  ).body;
  expect(sync).toMatchObject({ state: "open", type: "full", on_file_error: "keep_old", allow_empty: true, files: { total: 0 } });
  const at = `/api/v1/syncs/${String(sync["id"])}`;
  expect((await call("POST", `${at}/files?name=a.csv`, "a\n1\n")).status).toBe(202);
  expect((await call("GET", `${at}/files`)).body).toMatchObject({ items: [{ name: "a.csv" }], next: null });
  expect((await call("POST", `${at}/end`)).body).toMatchObject({ state: "ending", files: { total: 1 } });
  expect((await call("POST", `${at}/cancel`)).body).toMatchObject({ state: "cancelled" });
  expect(await call("POST", `${at}/cancel`)).toMatchObject({ status: 409, body: { error: { code: "sync_closed" } } });
  const [file] = (await call("GET", `${at}/files`)).body["items"] as Json[];
  expect(file).toMatchObject({ state: "failed", error: { code: "cancelled" } });
});

test("a failed file can be retried, another one not", async () => {
  const id = await dataset("/v1/retry");
  const file = String((await call("POST", `/api/v1/datasets/${id}/files?name=a.csv`, "a\n1\n")).body["id"]);
  expect(await call("POST", `/api/v1/files/${file}/retry`)).toMatchObject({ status: 409, body: { error: { code: "wrong_state" } } });
});

test("a key does what its scopes say, and nothing within two seconds of its revocation", async () => {
  const admin = async (...args: string[]) => {
    const main = join(import.meta.dirname, "../../apps/api/src/admin.ts");
    const [{ url }] = (await api.query<{ url: string }>("SELECT current_setting('port') || '/' || current_database() AS url")) as [
      { url: string },
    ];
    const database = new URL(process.env["TEST_DATABASE_URL"] ?? "");
    database.pathname = `/${url.split("/")[1]}`;
    return (await promisify(execFile)(process.execPath, [main, ...args], { env: { DATABASE_URL: database.href } })).stdout.trim();
  };
  const id = await dataset("/v1/keys");
  const reader = await admin("keys", "create", "--scopes", "read", "--name", "reader");
  const other = await admin("keys", "create", "--scopes", "admin", "--name", "other", "--org", "3");
  expect((await call("GET", `/api/v1/datasets/${id}`, undefined, reader)).status).toBe(200);
  expect(await call("POST", `/api/v1/datasets/${id}/files?name=a.csv`, "a\n1\n", reader)).toMatchObject({
    status: 403,
    body: { error: { code: "forbidden" } },
  });
  expect((await call("GET", `/api/v1/datasets/${id}`, undefined, other)).status).toBe(404);
  expect(await admin("keys", "list")).toMatch(/reader/);
  await admin("keys", "revoke", reader.split("_")[1] ?? "");
  await expect.poll(async () => (await call("GET", `/api/v1/datasets/${id}`, undefined, reader)).status, { timeout: 3_000 }).toBe(401);
});

test("Bull Board asks for an admin's key as password", async () => {
  const ask = (authorization?: string) =>
    fetch(`${api.url}/admin/queues/`, { headers: authorization === undefined ? {} : { Authorization: authorization } });
  expect((await ask()).headers.get("www-authenticate")).toMatch(/^Basic realm=/);
  expect((await ask(`Basic ${Buffer.from("x:wrong").toString("base64")}`)).status).toBe(401);
  const page = await ask(`Basic ${Buffer.from(`anyone:${ADMIN_KEY}`).toString("base64")}`);
  expect([page.status, await page.text()]).toEqual([200, expect.stringContaining("Bull Dashboard")]);
});

test("metrics are for loopback or a key, and tell what is there", async () => {
  const page = await (await fetch(`${api.url}/metrics`)).text();
  expect(page).toMatch(/sluice_files\{state="staged"\} \d+/);
  expect(page).toMatch(/sluice_source_up\{source="records"\} 1/);
  expect(page).toMatch(/sluice_accept_duration_seconds_count \d+/);
  expect((await fetch(`${api.url}/metrics`, { headers: { "X-Forwarded-For": "1.2.3.4" } })).status).toBe(401);
});

test("a disk without room refuses uploads with 507 and keeps nothing", async () => {
  await using full = await startApi({ SLUICE_MIN_FREE_DISK: "900TB" });
  const headers = { "X-Api-Key": ADMIN_KEY, "Content-Type": "application/json" };
  const made = await fetch(`${full.url}/api/v1/datasets`, { method: "POST", headers, body: '{"path":"/x"}' });
  const { id } = (await made.json()) as { id: string };
  const answer = await fetch(`${full.url}/api/v1/datasets/${id}/files?name=a.csv`, {
    method: "POST",
    headers: { "X-Api-Key": ADMIN_KEY },
    body: "a\n1\n",
  });
  expect([answer.status, await answer.json()]).toMatchObject([507, { error: { code: "disk_full" } }]);
  expect(await full.query("SELECT state FROM files")).toEqual([{ state: "aborted" }]);
});

test("SIGTERM lets a running upload finish, then ends the process with 0", async () => {
  await using stopping = await startApi();
  const headers = { "X-Api-Key": ADMIN_KEY, "Content-Type": "application/json" };
  const made = await fetch(`${stopping.url}/api/v1/datasets`, { method: "POST", headers, body: '{"path":"/x"}' });
  const { id } = (await made.json()) as { id: string };
  let finish: () => void = () => undefined;
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(Buffer.from("a\n"));
      finish = () => {
        controller.enqueue(Buffer.from("1\n"));
        controller.close();
      };
    },
  });
  const answer = fetch(`${stopping.url}/api/v1/datasets/${id}/files?name=a.csv`, {
    method: "POST",
    headers: { "X-Api-Key": ADMIN_KEY },
    body,
    duplex: "half",
  } as RequestInit);
  await expect.poll(async () => (await stopping.query("SELECT 1 FROM files WHERE state = 'receiving'")).length).toBe(1);
  const code = stopping.stop();
  await stopping.logged((line) => line.msg === "stopping");
  finish();
  expect((await answer).status).toBe(202);
  expect(await code).toBe(0);
});

test("a wrong configuration is told whole and ends the process with 78", async () => {
  const main = join(import.meta.dirname, "../../apps/api/src/main.ts");
  const failed: unknown = await promisify(execFile)(process.execPath, [main], { env: { PORT: "x", STORAGE_URL: "ftp://x" } }).catch(
    (error: unknown) => error,
  );
  expect(failed).toMatchObject({
    code: 78,
    stderr: expect.stringMatching(/DATABASE_URL is not set[\s\S]*PORT must[\s\S]*STORAGE_URL begins with ftp/),
  });
});
