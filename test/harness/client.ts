import { until } from "./until.ts";

/** Uploads, syncs and history as a client of the DataInsider surface makes and sees them. */
export interface Client {
  start(path: string, type?: "FullSync" | "IncrementalSync"): Promise<number>;
  /** One request with all the files. Rejects when it is not answered with a 2xx. */
  upload(sync: number, files: Files, options?: UploadOptions): Promise<void>;
  /** The same; resolves to the answer, whatever it is. */
  tryUpload(sync: number, files: Files, options?: UploadOptions): Promise<Answer>;
  end(sync: number): Promise<void>;
  sync(sync: number): Promise<SyncRow>;
  history(sync: number): Promise<HistoryRow[]>;
  /** Resolves to the sync when it is closed. */
  closed(sync: number, withinMs?: number): Promise<SyncRow>;
  get<T>(path: string): Promise<T>;
}

export type Files = Readonly<Record<string, string | Uint8Array<ArrayBuffer>>>;

export interface UploadOptions {
  readonly idempotencyKey?: string;
}

export interface Answer {
  readonly status: number;
  readonly body: unknown;
}

export interface SyncRow {
  readonly org_id: number;
  readonly sync_id: number;
  readonly name: string;
  readonly path: string;
  readonly sync_type: string;
  readonly sync_status: "Syncing" | "Finished" | "Failed";
  readonly start_time: number;
  readonly end_time: number;
  readonly total_files: number;
  readonly num_failed: number;
}

export interface HistoryRow {
  readonly org_id: number;
  readonly history_id: number;
  readonly sync_id: number;
  readonly file_name: string;
  readonly start_time: number;
  readonly end_time: number;
  readonly sync_status: "Syncing" | "Finished" | "Failed";
  readonly message: string;
}

const CLOSED_MS = 30_000;

export function clientOf(service: { readonly url: string; readonly key: string }): Client {
  const call = async (method: string, path: string, body?: string | FormData, headers: Record<string, string> = {}): Promise<Answer> => {
    // A connection of its own: a pooled one to an API that was killed would fail the next request as well.
    const answer = await fetch(`${service.url}${path}`, {
      method,
      headers: { "X-Api-Key": service.key, connection: "close", ...headers },
      ...(body === undefined ? {} : { body }),
    });
    const text = await answer.text();
    return { status: answer.status, body: text === "" ? null : (JSON.parse(text) as unknown) };
  };
  const must = async <T>(asked: Promise<Answer>): Promise<T> => {
    const { status, body } = await asked;
    if (status < 200 || status > 299) throw new Error(`answered ${status}: ${JSON.stringify(body)}`);
    return body as T;
  };
  const post = (path: string, body: object) => call("POST", path, JSON.stringify(body), { "content-type": "application/json" });
  const client: Client = {
    start: async (path, type = "IncrementalSync") => {
      const started = await must<{ sync_id: number }>(post("/api/ingestion/file/sync/start", { name: "e2e", path, sync_type: type }));
      return started.sync_id;
    },
    upload: async (sync, files, options) => void (await must(client.tryUpload(sync, files, options))),
    tryUpload: (sync, files, options = {}) => {
      const form = new FormData();
      for (const [name, content] of Object.entries(files)) form.append("file", new Blob([content]), name);
      const headers = options.idempotencyKey === undefined ? {} : { "idempotency-key": options.idempotencyKey };
      return call("POST", `/api/lake/file/upload?sync_id=${sync}`, form, headers);
    },
    end: async (sync) => void (await must(post("/api/ingestion/file/sync/end", { sync_id: sync }))),
    sync: async (sync) => {
      const [row] = await client.get<SyncRow[]>(`/api/ingestion/file/sync/list?sync_id=${sync}`);
      if (!row) throw new Error(`sync ${sync} is in no list`);
      return row;
    },
    history: (sync) => client.get(`/api/ingestion/file/sync/history?sync_id=${sync}&size=1000`),
    closed: (sync, withinMs = CLOSED_MS) =>
      until(`sync ${sync} is closed`, withinMs, async () => {
        const row = await client.sync(sync);
        return row.sync_status === "Syncing" ? null : row;
      }),
    get: (path) => must(call("GET", path)),
  };
  return client;
}
