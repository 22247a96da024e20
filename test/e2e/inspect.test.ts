import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { type Service, type ServiceOptions, unreachable, withService } from "../harness/service.ts";
import { until } from "../harness/until.ts";

const CI = process.env["CI"] === "true";

interface Shown {
  readonly id: string;
  readonly state: string;
  readonly valid?: boolean;
  readonly [name: string]: unknown;
}

async function call(
  service: Service,
  method: string,
  path: string,
  body?: string | FormData,
): Promise<{ status: number; body: Shown; location: string | null }> {
  const answer = await fetch(`${service.url}/api/v1${path}`, {
    method,
    headers: {
      "X-Api-Key": service.key,
      connection: "close",
      ...(typeof body === "string" && body.startsWith("{") ? { "Content-Type": "application/json" } : {}),
    },
    ...(body === undefined ? {} : { body }),
  });
  return { status: answer.status, body: (await answer.json()) as Shown, location: answer.headers.get("Location") };
}

async function objectsBelow(service: Service, folder: string): Promise<string[]> {
  const found = await readdir(join(service.folder ?? "", folder), { recursive: true, withFileTypes: true }).catch(() => []);
  return found.filter((entry) => entry.isFile()).map((entry) => entry.name);
}

const ORDERS = "id;amount;day\n1;2,50;2026-01-01\n2;3,75;2026-01-02\n";

for (const place of [{ queue: "postgres" }, { queue: "redis" }] satisfies ServiceOptions[]) {
  const missing = unreachable(place);
  if (missing) console.warn(missing);

  it.skipIf(missing !== null && !CI)(`a dry run says how a file would be loaded and keeps nothing (queue on ${place.queue})`, async () => {
    await withService({ ...place, storage: "disk" }, async (service) => {
      const seen = await call(service, "POST", "/inspect?name=orders.csv", ORDERS);
      expect(seen.status).toBe(200);
      expect(seen.body).toMatchObject({
        name: "orders.csv",
        state: "done",
        valid: true,
        error: null,
        detected: { format: "csv", delimiter: ";" },
        problems: [],
        tables: [{ table: "main", difference: null, estimated_rows: 2, sampled: { read: 2, loaded: 2, complete: true } }],
      });
      const [table] = seen.body["tables"] as [{ columns: { name: string }[]; preview: unknown[][] }];
      expect(table.columns.map((column) => column.name)).toEqual(["id", "amount", "day"]);
      expect(table.preview[0]?.[0]).toBe(1);

      const { body: dataset } = await call(service, "POST", "/datasets", JSON.stringify({ path: "/dry/run", policy: "strict" }));
      const upload = `/datasets/${dataset.id}/files`;
      await call(service, "POST", `${upload}?name=a.csv&wait=30`, "id,gone\n1,x\n");
      const form = new FormData();
      form.append("file", new Blob(["id,fresh\n1.5,2\n"]), "b.csv");
      const refused = await call(service, "POST", `${upload}?validate_only=true`, form);
      expect(refused.body).toMatchObject({ valid: false, error: { code: "schema_mismatch", field: "fresh" } });
      const compared = await call(service, "POST", `/inspect?name=b.csv&path=/dry/run&policy=evolve`, "id,fresh\n1.5,2\nx,3\n");
      expect(compared.body).toMatchObject({
        valid: true,
        problems: [{ row: 2, column: "id", raw: "x" }],
        tables: [
          { difference: { added: ["fresh"], missing: ["gone"], dropped: [], widened: [{ name: "id", from: "int64", to: "double" }] } },
        ],
      });
      // Nothing of it is kept: no file in the history, no object, no change of schema.
      expect((await call(service, "GET", `/datasets/${dataset.id}/files`)).body["items"]).toHaveLength(1);
      expect((await call(service, "GET", `/datasets/${dataset.id}`)).body).toMatchObject({
        tables: [{ columns: [{ name: "id" }, { name: "gone" }] }],
      });
      await until("the bytes of dry runs are gone", 5_000, async () => (await objectsBelow(service, "raw/tmp")).length === 0);
    });
  });
}

it("a dry run that takes longer than one waits is polled; wrong requests and foreign ids say what is wrong", async () => {
  await withService({ queue: "postgres", storage: "disk", workers: 0 }, async (service) => {
    const late = await call(service, "POST", "/inspect?name=a.csv&wait=0", "a\n1\n");
    expect(late).toMatchObject({ status: 202, body: { state: "waiting" }, location: `/api/v1/inspections/${late.body.id}` });
    await service.startWorker();
    const done = await call(service, "GET", `/inspections/${late.body.id}?wait=30`);
    expect(done).toMatchObject({ status: 200, body: { state: "done", valid: true } });
    const broken = await call(service, "POST", "/inspect?name=a.parquet", "PAR1 is not enough");
    expect(broken).toMatchObject({
      status: 200,
      body: { valid: false, error: { code: expect.stringMatching(/unreadable|format_mismatch/) } },
    });

    expect(await call(service, "POST", "/inspect?name=a.csv", "")).toMatchObject({ status: 400, body: { error: { code: "empty_file" } } });
    expect(await call(service, "POST", "/inspect", "a\n1\n")).toMatchObject({
      status: 400,
      body: { error: { code: "missing_field", field: "name" } },
    });
    expect(await call(service, "POST", '/inspect?name=a.csv&options={"sepp":1}', "a\n")).toMatchObject({
      status: 400,
      body: { error: { code: "unknown_field" } },
    });
    const nobody = "0197c0de-0000-7000-8000-00000000dead";
    expect(await call(service, "POST", `/inspect?name=a.csv&dataset=${nobody}`, "a\n")).toMatchObject({ status: 404 });
    expect(await call(service, "GET", `/inspections/${nobody}`)).toMatchObject({ status: 404, body: { error: { code: "not_found" } } });
    expect(await call(service, "POST", `/datasets/${nobody}/files?validate_only=yes&name=a.csv`, "a\n")).toMatchObject({
      status: 400,
      body: { error: { field: "validate_only" } },
    });
    const two = new FormData();
    for (const name of ["a.csv", "b.csv"]) two.append("file", new Blob(["a\n1\n"]), name);
    expect(await call(service, "POST", "/inspect", two)).toMatchObject({ status: 400, body: { error: { field: "file", limit: 1 } } });
    await until("the bytes of refused dry runs are gone", 5_000, async () => (await objectsBelow(service, "raw/tmp")).length === 0);
  });
});
