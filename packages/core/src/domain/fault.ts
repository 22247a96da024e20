/**
 * Every way the service says no. The blame decides what happens next:
 * request -> a 4xx answer; content -> recorded on the file, never retried;
 * platform -> retried with backoff, answered 5xx.
 * `hint` is for the operator. `docs/faults.md` shows this table and a test keeps both equal.
 */
export type Blame = "request" | "content" | "platform";

interface FaultKind {
  readonly blame: Blame;
  readonly status: number;
  readonly hint?: string;
}

export const FAULTS = {
  // request
  bad_request: { blame: "request", status: 400 },
  missing_field: { blame: "request", status: 400 },
  duplicate_field: { blame: "request", status: 400 },
  invalid_field: { blame: "request", status: 400 },
  unknown_field: { blame: "request", status: 400 },
  invalid_path: { blame: "request", status: 400 },
  path_conflict: { blame: "request", status: 409 },
  bad_multipart: { blame: "request", status: 400 },
  bad_json: { blame: "request", status: 400 },
  empty_file: { blame: "request", status: 400 },
  no_file: { blame: "request", status: 400 },
  aborted: { blame: "request", status: 400 },
  unauthorized: { blame: "request", status: 401 },
  forbidden: { blame: "request", status: 403 },
  not_found: { blame: "request", status: 404 },
  method_not_allowed: { blame: "request", status: 405 },
  sync_closed: { blame: "request", status: 409 },
  wrong_state: { blame: "request", status: 409 },
  version_gone: { blame: "request", status: 410 },
  too_large: { blame: "request", status: 413, hint: "raise SLUICE_MAX_UPLOAD" },
  unsupported_media_type: { blame: "request", status: 415 },
  idempotency_mismatch: { blame: "request", status: 422 },
  idempotency_running: { blame: "request", status: 409 },
  too_many_requests: { blame: "request", status: 429 },
  timeout: { blame: "request", status: 408 },
  // content
  unreadable: { blame: "content", status: 422 },
  format_mismatch: { blame: "content", status: 422 },
  unsupported_format: { blame: "content", status: 422 },
  schema_mismatch: { blame: "content", status: 422 },
  too_many_rejects: { blame: "content", status: 422 },
  nothing_loaded: { blame: "content", status: 422 },
  bad_row: { blame: "content", status: 422 },
  limit_exceeded: { blame: "content", status: 422, hint: "docs/limits.md has every limit and the setting that raises it" },
  child_died: { blame: "content", status: 422, hint: "the file killed its sandbox three times: look at it before sending it again" },
  lease_lost: { blame: "content", status: 422, hint: "ten workers died or froze while working on this file" },
  cancelled: { blame: "content", status: 422 },
  superseded: { blame: "content", status: 409 },
  expired: { blame: "content", status: 409 },
  raw_gone: { blame: "content", status: 409, hint: "raise SLUICE_RAW_DAYS to keep raw files longer" },
  // platform
  store_unavailable: { blame: "platform", status: 503, hint: "check STORAGE_URL and the object store" },
  records_unavailable: { blame: "platform", status: 503, hint: "check DATABASE_URL and PostgreSQL" },
  queue_unavailable: { blame: "platform", status: 503, hint: "check REDIS_URL; files wait in the records and lose nothing" },
  disk_full: { blame: "platform", status: 507, hint: "free space under SLUICE_DATA_DIR or lower SLUICE_MIN_FREE_DISK" },
  stale_epoch: { blame: "platform", status: 409 },
  internal: { blame: "platform", status: 500 },
} as const satisfies Record<string, FaultKind>;

export type FaultCode = keyof typeof FAULTS;

/** What a fault names: the field, the value found, the limit or rule it broke. */
export interface FaultDetail {
  readonly field?: string;
  readonly value?: string | number | boolean | null;
  readonly limit?: string | number;
  readonly cause?: unknown;
}

/** A fault as it is recorded and sent: plain data, safe to show. */
export interface FaultRecord {
  readonly code: FaultCode;
  readonly message: string;
  readonly field?: string;
  readonly value?: string | number | boolean | null;
  readonly limit?: string | number;
}

const VALUE_LIMIT = 200;

/** A refusal with a code of the table. The message names the thing, the rule and the value. */
export class Fault extends Error {
  readonly code: FaultCode;
  readonly detail: FaultDetail;

  constructor(code: FaultCode, message: string, detail: FaultDetail = {}) {
    super(message, detail.cause === undefined ? undefined : { cause: detail.cause });
    this.name = "Fault";
    this.code = code;
    this.detail = detail;
  }

  get blame(): Blame {
    return FAULTS[this.code].blame;
  }

  get status(): number {
    return FAULTS[this.code].status;
  }

  /** Plain data for records and answers; long values are cut, NUL and lone surrogates replaced. */
  toRecord(): FaultRecord {
    const { field, value, limit } = this.detail;
    return {
      code: this.code,
      message: printable(this.message, 2_000),
      ...(field === undefined ? {} : { field: printable(field, VALUE_LIMIT) }),
      ...(value === undefined ? {} : { value: typeof value === "string" ? printable(value, VALUE_LIMIT) : value }),
      ...(limit === undefined ? {} : { limit }),
    };
  }

  static fromRecord(record: FaultRecord): Fault {
    return new Fault(record.code, record.message, {
      ...(record.field === undefined ? {} : { field: record.field }),
      ...(record.value === undefined ? {} : { value: record.value }),
      ...(record.limit === undefined ? {} : { limit: record.limit }),
    });
  }
}

/** Text that any record, log or JSON answer can hold: control characters escaped, cut at `limit` characters. */
export function printable(text: string, limit = VALUE_LIMIT): string {
  const safe = text
    .toWellFormed()
    .replace(/[\u0000-\u0008\u000b-\u001f\u007f\u202a-\u202e\u2066-\u2069]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`);
  return safe.length > limit ? `${safe.slice(0, limit)}…` : safe;
}

export function isFault(error: unknown): error is Fault {
  return error instanceof Fault;
}
