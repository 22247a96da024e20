import { afterAll, beforeAll, expect, test } from "vitest";
import { ADMIN_KEY } from "./api-process.ts";
import { type BadInputSetup, type BadRequest, CSV, JSON_TYPE, KEY, NOTHING, setUpBadInput } from "./bad-input-setup.ts";
import { fieldPart, filePart, form, FORM_TYPE } from "./raw-http.ts";

let at: BadInputSetup;
beforeAll(async () => {
  at = await setUpBadInput();
});
afterAll(() => at[Symbol.asyncDispose]());

interface Case {
  readonly is: string;
  readonly send: () => BadRequest;
  readonly status: number;
  readonly says: RegExp;
}

const sync = (query = "") => `/api/lake/file/upload?sync_id=${at.open}${query}`;
const to = (body: Buffer | string, query = "") => ({ path: sync(query), body });
const started = (body: object) => ({ path: "/api/ingestion/file/sync/start", headers: [JSON_TYPE], body: JSON.stringify(body) });
const START = { name: "t", path: "/data/x", api_key: ADMIN_KEY, sync_type: "FullSync" };

const CASES: readonly Case[] = [
  {
    is: "an unknown sync",
    send: () => ({ path: "/api/lake/file/upload?sync_id=999999" }),
    status: 404,
    says: /sync_id: there is no sync 999999/,
  },
  {
    is: "a closed sync",
    send: () => ({ path: `/api/lake/file/upload?sync_id=${at.closed}` }),
    status: 409,
    says: /sync_id: sync \d+ takes no more files, it is ending/,
  },
  {
    is: "a foreign org's sync",
    send: () => ({ path: `/api/lake/file/upload?sync_id=${at.foreign}` }),
    status: 404,
    says: /there is no sync/,
  },
  {
    is: "a wrong key",
    send: () => ({ path: sync(), headers: [["X-Api-Key", "wrong-wrong-wrong-wrong"], FORM_TYPE] }),
    status: 401,
    says: /key is unknown, wrong or revoked/,
  },
  { is: "no key", send: () => ({ path: sync(), headers: [FORM_TYPE] }), status: 401, says: /a key is needed/ },
  {
    is: "two different keys",
    send: () => ({ path: sync(), headers: [KEY, ["Authorization", "Bearer other-other-other"], FORM_TYPE] }),
    status: 400,
    says: /different keys/,
  },
  { is: "a missing sync_id", send: () => ({ path: "/api/lake/file/upload" }), status: 400, says: /sync_id: is missing/ },
  {
    is: "a sync_id that is no number",
    send: () => ({ path: "/api/lake/file/upload?sync_id=12x" }),
    status: 400,
    says: /sync_id: must be a whole number from 0, not "12x"/,
  },
  { is: "a doubled query field", send: () => ({ path: sync(`&sync_id=${at.open}`) }), status: 400, says: /sync_id: is given twice/ },
  {
    is: "a field in query and form",
    send: () => to(form(fieldPart("sync_id", "1"), filePart("a.csv", CSV))),
    status: 400,
    says: /sync_id: is given twice/,
  },
  {
    is: "a doubled form field",
    send: () => to(form(fieldPart("format", "csv"), fieldPart("format", "csv"), filePart("a.csv", CSV))),
    status: 400,
    says: /format: is given twice/,
  },
  {
    is: "an unknown query field",
    send: () => ({ path: sync("&colour=red") }),
    status: 400,
    says: /colour: there is no such field here; there are path, sync_id, format/,
  },
  {
    is: "a key in the address",
    send: () => ({ path: sync(`&api_key=${ADMIN_KEY}`) }),
    status: 400,
    says: /api_key: there is no such field/,
  },
  { is: "an unknown form field", send: () => to(form(fieldPart("colour", "red"))), status: 400, says: /colour: there is no such field/ },
  {
    is: "a file in another field",
    send: () => to(form({ ...filePart("a.csv", CSV), headers: 'Content-Disposition: form-data; name="colour"; filename="a"' })),
    status: 400,
    says: /colour: files go into the field file/,
  },
  { is: "a path with ..", send: () => ({ path: sync("&path=/data/../x") }), status: 400, says: /path: must hold no \. or \.\. segment/ },
  {
    is: "an encoded ..",
    send: () => ({ path: sync("&path=/data/%252e%252e/x") }),
    status: 400,
    says: /path: must hold no percent-encoded dot/,
  },
  { is: "a path with NUL", send: () => ({ path: sync("&path=/data/%00x") }), status: 400, says: /path: must hold no control/ },
  {
    is: "a path with a control character",
    send: () => ({ path: sync("&path=/data/%07x") }),
    status: 400,
    says: /path: must hold no control/,
  },
  { is: "a path with a bidi character", send: () => ({ path: sync("&path=/data/%E2%80%AEx") }), status: 400, says: /text-direction/ },
  { is: "a path with a drive letter", send: () => ({ path: sync("&path=/C:/x") }), status: 400, says: /drive letter/ },
  { is: "a path with a backslash", send: () => ({ path: sync("&path=/data%5Cx") }), status: 400, says: /must use \/ between segments/ },
  {
    is: "a path that is not UTF-8",
    send: () => ({ path: sync("&path=/data/%FF") }),
    status: 400,
    says: /path: is not well percent-encoded UTF-8/,
  },
  {
    is: "a path over 512 bytes",
    send: () => ({ path: sync(`&path=${"/abcdefgh".repeat(57)}`) }),
    status: 400,
    says: /is 513 bytes long, at most 512/,
  },
  { is: "a segment over 200 bytes", send: () => ({ path: sync(`&path=/${"x".repeat(201)}`) }), status: 400, says: /longer than 200 bytes/ },
  {
    is: "a path elsewhere",
    send: () => ({ path: sync("&path=/data/openx") }),
    status: 400,
    says: /path: must be the sync's own path \/data\/open or lie beneath it/,
  },
  { is: "a format that there is not", send: () => ({ path: sync("&format=docx") }), status: 400, says: /format: must be one of csv/ },
  {
    is: "options that are no JSON",
    send: () => ({ path: sync("&options=%7B%22header%22:") }),
    status: 400,
    says: /options is not valid JSON: it ends too early at line 1, column 11/,
  },
  {
    is: "an unknown option",
    send: () => ({ path: sync("&options=%7B%22heeder%22:true%7D") }),
    status: 400,
    says: /options\.heeder: there is no such option/,
  },
  {
    is: "no boundary",
    send: () => ({ path: sync(), headers: [KEY, ["Content-Type", "multipart/form-data"]] }),
    status: 400,
    says: /names no boundary/,
  },
  {
    is: "a body that is no form",
    send: () => ({ path: sync(), headers: [KEY, ["Content-Type", "text/csv"]], body: CSV }),
    status: 415,
    says: /must be multipart\/form-data/,
  },
  {
    is: "a compressed body",
    send: () => ({ path: sync(), headers: [KEY, FORM_TYPE, ["Content-Encoding", "gzip"]] }),
    status: 415,
    says: /Content-Encoding: must be identity/,
  },
  { is: "a body cut off in a file", send: () => to(form(filePart("a.csv", CSV)).subarray(0, -20)), status: 400, says: /cut off/ },
  { is: "a body cut off in a part's headers", send: () => to(form(filePart("a.csv", CSV)).subarray(0, 60)), status: 400, says: /cut off/ },
  { is: "an empty body", send: () => to(""), status: 400, says: /cut off/ },
  { is: "a form without files", send: () => to(form(fieldPart("format", "csv"))), status: 400, says: /carries no file/ },
  {
    is: "100,000 fields",
    send: () => to(form(...Array.from({ length: 100_000 }, () => fieldPart("format", "csv")))),
    status: 400,
    says: /format: is given twice/,
  },
  {
    is: "a field over 64 KiB",
    send: () => to(form(fieldPart("options", "x".repeat(70_000)))),
    status: 400,
    says: /options: is longer than 65536 bytes/,
  },
  {
    is: "a field that is not UTF-8",
    send: () => to(form({ headers: fieldPart("format", "").headers, content: Uint8Array.of(0xff) })),
    status: 400,
    says: /format: is not UTF-8/,
  },
  {
    is: "a file without a name",
    send: () => to(form({ headers: 'Content-Disposition: form-data; name="file"', content: CSV })),
    status: 400,
    says: /filename: the part file has no file name/,
  },
  { is: "a file with an empty name", send: () => to(form(filePart("", CSV))), status: 400, says: /has no file name/ },
  { is: "NUL in the file's name", send: () => to(form(filePart("a\0.csv", CSV))), status: 400, says: /must hold no control/ },
  {
    is: "a doubled filename",
    send: () => to(form({ headers: 'Content-Disposition: form-data; name="file"; filename="a"; filename="b"', content: CSV })),
    status: 400,
    says: /filename: stands twice/,
  },
  {
    is: "a part without Content-Disposition",
    send: () => to(form({ headers: "Content-Type: text/csv", content: CSV })),
    status: 400,
    says: /Content-Disposition: every part needs one/,
  },
  {
    is: "a part in base64",
    send: () => to(form({ ...filePart("a", CSV), headers: `${filePart("a", "").headers}\r\nContent-Transfer-Encoding: base64` })),
    status: 400,
    says: /must be binary, not base64/,
  },
  {
    is: "a part with endless headers",
    send: () => to(form({ headers: `X: ${"x".repeat(20_000)}`, content: "" })),
    status: 400,
    says: /longer than 16384 bytes/,
  },
  { is: "a zero-byte file", send: () => to(form(filePart("empty.csv", ""))), status: 400, says: /file: empty\.csv is empty \(0 bytes\)/ },
  {
    is: "a good file and then a zero-byte one",
    send: () => to(form(filePart("a.csv", CSV), filePart("empty.csv", ""))),
    status: 400,
    says: /empty\.csv is empty/,
  },
  {
    is: "a declared body over the limit",
    send: () => ({ path: sync(), length: 100_000_000, after: "hold" }),
    status: 413,
    says: /larger than 1048576 bytes/,
  },
  {
    is: "an endless body",
    send: () => ({ path: sync(), body: form(filePart("a.csv", CSV)).subarray(0, -40), length: 30_000_000, after: "flood" }),
    status: 413,
    says: /larger than 1048576 bytes/,
  },
  { is: "start: no path", send: () => started({ ...START, path: undefined }), status: 400, says: /path: is missing/ },
  { is: "start: a path of a wrong type", send: () => started({ ...START, path: 7 }), status: 400, says: /path: must be a text, not 7/ },
  {
    is: "start: a wrong sync_type",
    send: () => started({ ...START, sync_type: "Sync" }),
    status: 400,
    says: /sync_type: must be one of FullSync, IncrementalSync, Full Sync, Incremental Sync/,
  },
  {
    is: "start: an unknown field",
    send: () => started({ ...START, colour: 1 }),
    status: 400,
    says: /colour: there is no such field here; there are name, path, api_key/,
  },
  { is: "start: a wrong key", send: () => started({ ...START, api_key: "wrong-wrong-wrong" }), status: 401, says: /wrong or revoked/ },
  { is: "start: no key", send: () => started({ ...START, api_key: undefined }), status: 401, says: /a key is needed/ },
  { is: "start: a key that is no text", send: () => started({ ...START, api_key: 5 }), status: 400, says: /api_key: must be a text/ },
  {
    is: "start: a path inside another dataset",
    send: () => started({ ...START, path: "/data/open/sub" }),
    status: 409,
    says: /\/data\/open/,
  },
  {
    is: "start: broken JSON",
    send: () => ({ ...started({}), body: '{"name": "x",\n  oops}' }),
    status: 400,
    says: /not valid JSON: unexpected "o" at line 2, column 3/,
  },
  {
    is: "start: a doubled field",
    send: () => ({ ...started({}), body: `{"name":"a","api_key":"${ADMIN_KEY}","name":"b"}` }),
    status: 400,
    says: /name: is given twice/,
  },
  { is: "start: a list", send: () => ({ ...started({}), body: "[]" }), status: 400, says: /must be a JSON object/ },
  { is: "start: a body over 1 MiB", send: () => ({ ...started({ ...START, name: "x".repeat(1_100_000) }) }), status: 413, says: /1048576/ },
  {
    is: "end: an unknown sync",
    send: () => ({ path: "/api/ingestion/file/sync/end", headers: [KEY], body: '{"sync_id":999999}' }),
    status: 404,
    says: /999999/,
  },
  {
    is: "end: a sync_id of a wrong type",
    send: () => ({ path: "/api/ingestion/file/sync/end", headers: [KEY], body: '{"sync_id":1.5}' }),
    status: 400,
    says: /sync_id: must be a whole number from 0, not 1.5/,
  },
  {
    is: "list: a size over 1,000",
    send: () => ({ method: "GET", path: "/api/ingestion/file/sync/list?size=1001", body: "" }),
    status: 400,
    says: /size: must be a whole number from 0 to 1000/,
  },
  {
    is: "list: a field that cannot be sorted by",
    send: () => ({ method: "GET", path: "/api/ingestion/file/sync/list?sort=colour", body: "" }),
    status: 400,
    says: /sort: must be one of sync_id, name/,
  },
  { is: "a method that is not allowed", send: () => ({ method: "DELETE", path: sync(), body: "" }), status: 405, says: /only POST/ },
  {
    is: "a route that there is not",
    send: () => ({ method: "GET", path: "/api/nothing", body: "" }),
    status: 404,
    says: /nothing at GET \/api\/nothing/,
  },
];

test.each(CASES.map((one) => [one.is, one] as const))("DataInsider refuses %s with its reason, within a second", async (_, one) => {
  const answer = await at.upload(one.send());
  const { code, msg } = JSON.parse(answer.body) as { code: number; msg: string };
  expect({ status: answer.status, code, msg }).toEqual({ status: one.status, code: one.status, msg: expect.stringMatching(one.says) });
  expect(answer.ms).toBeLessThan(1_000);
  await expect.poll(at.leftBehind).toEqual(NOTHING);
});
