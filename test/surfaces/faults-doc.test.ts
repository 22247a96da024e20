import { join } from "node:path";
import { expect, test } from "vitest";
import { type Blame, FAULTS, type FaultCode } from "@sluice/core/domain/fault";

/** When each fault is told. */
const WHEN: Readonly<Record<FaultCode, string>> = {
  bad_request: "the request cannot be understood at all",
  missing_field: "a field that is needed is not there",
  duplicate_field: "a field is given twice, or in two places with different values",
  invalid_field: "a field's value breaks its rule",
  unknown_field: "there is no such field; the message lists those there are",
  invalid_path: "a lake path breaks a rule: `..`, control characters, too long, …",
  path_conflict: "a dataset's path lies inside another's, or is taken with other rules",
  bad_multipart: "the form is malformed, cut off, or over one of its limits",
  bad_json: "the body or a field is not JSON; the message tells line and column",
  empty_file: "a file has no bytes",
  no_file: "the upload carries no file",
  aborted: "the client went away before its body was whole",
  unauthorized: "no key, or one that is unknown, wrong or revoked",
  forbidden: "the key lacks the scope, or a link is not valid any more",
  not_found: "there is no such thing in the caller's org",
  method_not_allowed: "the path knows other methods; `Allow` lists them",
  sync_closed: "the sync takes no more files",
  wrong_state: "the thing is not in a state that allows this",
  version_gone: "the version a cursor is pinned to can no longer be shown",
  too_large: "a body is over its limit; told while it still streams",
  unsupported_media_type: "the Content-Type or Content-Encoding is not taken here",
  idempotency_mismatch: "the Idempotency-Key was used for another request",
  idempotency_running: "the first request with this Idempotency-Key still runs",
  too_many_requests: "the org asks too much at once",
  timeout: "no byte of the body came for a while",
  unreadable: "the content cannot be read; the message tells where",
  format_mismatch: "the content is not what it was declared to be",
  unsupported_format: "the format is known and not yet taken",
  schema_mismatch: "the content's columns do not fit under the dataset's policy",
  too_many_rejects: "more rows were rejected than `max_rejects` allows",
  nothing_loaded: "no row could be loaded",
  bad_row: "a row does not fit and `on_bad_row` is strict",
  limit_exceeded: "a limit on the content was passed: decoded bytes, columns, one record",
  child_died: "the sandbox died on this file three times",
  lease_lost: "ten workers were lost while they worked on this file",
  cancelled: "somebody cancelled its sync",
  superseded: "a full sync started later was published first",
  expired: "the sync was idle for too long",
  raw_gone: "the bytes that were sent are kept no longer",
  store_unavailable: "the object store does not answer",
  records_unavailable: "PostgreSQL does not answer",
  queue_unavailable: "the queue does not answer",
  disk_full: "there is no room left",
  stale_epoch: "another attempt took over; never seen by clients",
  internal: "a bug; the log has the whole of it under the request's id",
};

const BLAMES: readonly (readonly [Blame, string])[] = [
  ["request", "The request is wrong: answered at once, nothing is kept."],
  ["content", "The file is wrong: recorded on it (`error` of a file, `message` of the history), never retried by itself."],
  ["platform", "The service is in trouble: work is retried with backoff, requests are answered 5xx and may be repeated."],
];

function page(): string {
  const sections = BLAMES.flatMap(([blame, meaning]) => [
    `## ${blame}`,
    "",
    meaning,
    "",
    "| code | status | when | for the operator |",
    "|---|---|---|---|",
    ...Object.entries(FAULTS)
      .filter(([, kind]) => kind.blame === blame)
      .map(([code, kind]) => `| \`${code}\` | ${kind.status} | ${WHEN[code as FaultCode]} | ${"hint" in kind ? kind.hint : ""} |`),
    "",
  ]);
  return [
    "# Faults",
    "",
    'Every way the service says no. `/api/v1` answers `{"error": {code, message, field, value, limit}}`, the DataInsider paths',
    '`{"code": <status>, "msg": <message>}`. Made from `packages/core/src/domain/fault.ts`; a test keeps both equal.',
    "",
    ...sections,
  ].join("\n");
}

test("docs/faults.md is the table of faults", async () => {
  await expect(page()).toMatchFileSnapshot(join(import.meta.dirname, "../../docs/faults.md"));
});
