import { afterAll, beforeAll, expect, test } from "vitest";
import { type BadInputSetup, type BadRequest, CSV, JSON_TYPE, KEY, NOTHING, setUpBadInput } from "./bad-input-setup.ts";
import { BOUNDARY, filePart, form, FORM_TYPE, rawSend } from "./raw-http.ts";

let at: BadInputSetup;
beforeAll(async () => {
  at = await setUpBadInput();
});
afterAll(() => at[Symbol.asyncDispose]());

const V1_CASES: readonly (readonly [string, () => BadRequest, number, object])[] = [
  [
    "a foreign org's dataset",
    () => ({ path: `/api/v1/datasets/${at.foreignDataset}/files` }),
    404,
    { code: "not_found", field: "dataset" },
  ],
  ["a dataset id that is none", () => ({ path: "/api/v1/datasets/x/files" }), 404, { code: "not_found", field: "dataset", value: "x" }],
  [
    "a raw body without a name",
    () => ({ path: `/api/v1/datasets/${at.dataset}/files`, headers: [KEY], body: CSV }),
    400,
    { code: "missing_field", field: "name" },
  ],
  [
    "an empty raw body",
    () => ({ path: `/api/v1/datasets/${at.dataset}/files?name=a.csv`, headers: [KEY], body: "" }),
    400,
    { code: "empty_file", field: "file", value: "a.csv" },
  ],
  [
    "a raw body over the limit",
    () => ({
      path: `/api/v1/datasets/${at.dataset}/files?name=a.csv`,
      headers: [KEY, ["Transfer-Encoding", "chunked"]],
      length: null,
      body: `fffff0\r\n`,
      after: "flood",
    }),
    413,
    { code: "too_large", limit: 1_048_576 },
  ],
  [
    "a wait over a minute",
    () => ({ path: `/api/v1/datasets/${at.dataset}/files?wait=61` }),
    400,
    { code: "invalid_field", field: "wait", value: "61", limit: 60 },
  ],
  [
    "a share of rejects over 1",
    () => ({ path: `/api/v1/datasets/${at.dataset}/files?max_rejects=150%25` }),
    400,
    { code: "invalid_field", field: "max_rejects", value: "150%" },
  ],
  ...(
    [
      ["an option that there is not", { seperator: ";" }, { code: "unknown_field", field: "options.seperator", value: ";" }],
      ["a function as an option", { converters: { a: "int" } }, { code: "invalid_field", field: "options.converters" }],
      [
        "two options that contradict each other",
        { sep: ";", delimiter: "," },
        { code: "invalid_field", field: "options.delimiter", value: "," },
      ],
      ["a type that there is not", { dtype: { a: "complex" } }, { code: "invalid_field", field: "options.dtype.a", value: "complex" }],
      [
        "pyarrow's name in another group",
        { read_options: { delimiter: ";" } },
        { code: "unknown_field", field: "options.read_options.delimiter" },
      ],
      ["a format of no date", { date_format: "%H o'clock %Q" }, { code: "invalid_field", field: "options.date_format[0]" }],
      ["an encoding that there is not", { encoding: "utf-9" }, { code: "invalid_field", field: "options.encoding", value: "utf-9" }],
    ] as const
  ).map(
    ([what, options, error]) =>
      [
        what,
        () => ({ path: `/api/v1/datasets/${at.dataset}/files?options=${encodeURIComponent(JSON.stringify(options))}` }),
        400,
        error,
      ] as const,
  ),
  [
    "one name for two files",
    () => ({ path: `/api/v1/datasets/${at.dataset}/files?name=a`, body: form(filePart("x", CSV), filePart("y", CSV)) }),
    400,
    { code: "invalid_field", field: "name", value: "a" },
  ],
  [
    "a foreign cursor",
    () => ({ method: "GET", path: "/api/v1/syncs?cursor=bm9wZQ", body: "" }),
    400,
    { code: "invalid_field", field: "cursor", value: "bm9wZQ" },
  ],
  [
    "an unknown type in a schema",
    () => ({
      path: "/api/v1/datasets",
      headers: [KEY, JSON_TYPE],
      body: '{"path":"/d/x","schema":{"main":[{"name":"a","type":"number"}]}}',
    }),
    400,
    { code: "invalid_field", field: "schema.main[0].type", value: "number" },
  ],
  [
    "JSON under another type",
    () => ({ path: "/api/v1/datasets", headers: [KEY, ["Content-Type", "text/plain"]], body: "{}" }),
    415,
    { code: "unsupported_media_type", field: "Content-Type", value: "text/plain" },
  ],
  [
    "an unsigned object link",
    () => ({ method: "GET", path: "/api/v1/objects/cmF3?expires=9999999999&name=x&signature=x", headers: [], body: "" }),
    403,
    { code: "forbidden", field: "signature" },
  ],
  [
    "an Idempotency-Key with a space",
    () => ({ path: `/api/v1/datasets/${at.dataset}/files`, headers: [KEY, FORM_TYPE, ["Idempotency-Key", "a b"]] }),
    400,
    { code: "invalid_field", field: "Idempotency-Key", value: "a b" },
  ],
];

test.each(V1_CASES)("/api/v1 refuses %s, naming field, value and limit", async (_, send, status, error) => {
  const answer = await at.upload(send());
  expect({ status: answer.status, ...(JSON.parse(answer.body) as object) }).toMatchObject({ status, error });
  expect(answer.ms).toBeLessThan(1_000);
  await expect.poll(at.leftBehind).toEqual(NOTHING);
});

test("a client that hangs up mid-file leaves an aborted record and nothing else", async () => {
  const body = form(filePart("gone.csv", "x".repeat(200_000)));
  for (const cut of [1, BOUNDARY.length + 50, 100_000, body.length - 1]) {
    const socket = rawSend(at.api.port, {
      path: `/api/lake/file/upload?sync_id=${at.open}`,
      headers: [KEY, FORM_TYPE],
      body: body.subarray(0, cut),
      length: body.length,
    });
    socket.destroySoon();
  }
  await expect.poll(() => at.api.log.filter((line) => line["fault"] === "aborted").length).toBeGreaterThanOrEqual(4);
  await expect.poll(at.leftBehind).toEqual(NOTHING);
  expect((await at.api.query("SELECT 1 FROM files WHERE name = 'gone.csv' AND state = 'aborted'")).length).toBeGreaterThan(0);
});

test("the process is still the same and ready", async () => {
  expect(await (await fetch(`${at.api.url}/readyz`)).json()).toEqual({ ready: true, checks: { records: "ok", objects: "ok" } });
  expect(at.api.log.filter((line) => (line["level"] as number) >= 50)).toEqual([]);
});

test("no key, signature or body is in the log", () => {
  expect(JSON.stringify(at.api.log)).not.toMatch(/the-admin-key|signature=|expires=|wrong-wrong/);
});
