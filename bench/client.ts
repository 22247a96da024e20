import { Agent, type IncomingMessage, request } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";

const BOUNDARY = "sluice-bench-4f1e9a";
const WATCH_MS = 25;

/** A body: its length, and its bytes in pieces that may be the same buffer again and again. */
export interface Body {
  readonly length: number;
  readonly pieces: Iterable<Uint8Array>;
}

/** Calls one service over kept connections. */
export class Client {
  readonly #url: string;
  readonly #key: string;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 64 });

  constructor(service: { readonly url: string; readonly key: string }) {
    this.#url = service.url;
    this.#key = service.key;
  }

  /** The answer's JSON. Throws on any status but 2xx. */
  async call<T>(method: string, path: string, body: Body | null = null, type = "application/json"): Promise<T> {
    const headers = {
      "x-api-key": this.#key,
      ...(body === null ? {} : { "content-type": type, "content-length": String(body.length) }),
    };
    const sent = request(`${this.#url}${path}`, { method, agent: this.#agent, headers });
    const answered = new Promise<IncomingMessage>((resolve, reject) => sent.on("response", resolve).on("error", reject));
    answered.catch(() => undefined);
    for (const piece of body?.pieces ?? []) {
      // Waiting for the drain alone would wait for ever when the server refuses and closes.
      if (!sent.write(piece)) await Promise.race([new Promise((resolve) => sent.once("drain", resolve)), answered]);
    }
    sent.end();
    const answer = await answered;
    let text = "";
    for await (const chunk of answer.setEncoding("utf8")) text += String(chunk);
    const status = answer.statusCode ?? 0;
    if (status < 200 || status > 299) throw new Error(`${method} ${path} answered ${status}: ${text.slice(0, 500)}`);
    return (text === "" ? null : JSON.parse(text)) as T;
  }

  post<T>(path: string, value: unknown): Promise<T> {
    return this.call<T>("POST", path, bodyOf(Buffer.from(JSON.stringify(value))));
  }

  async startSync(path: string, type: "FullSync" | "IncrementalSync" = "IncrementalSync"): Promise<number> {
    const body = { name: "bench", path, sync_type: type, api_key: this.#key };
    return (await this.post<{ sync_id: number }>("/api/ingestion/file/sync/start", body)).sync_id;
  }

  async upload(sync: number, name: string, content: Body): Promise<void> {
    await this.call("POST", `/api/lake/file/upload?sync_id=${sync}`, formOf(name, content), `multipart/form-data; boundary=${BOUNDARY}`);
  }

  async endSync(sync: number): Promise<void> {
    await this.post("/api/ingestion/file/sync/end", { sync_id: sync, api_key: this.#key });
  }

  /** Resolves when the sync is Finished; throws when it ends in any other way or with a failed file. */
  async untilFinished(sync: number): Promise<void> {
    for (;;) {
      const [found] = await this.call<{ sync_status: string; num_failed: number }[]>(
        "GET",
        `/api/ingestion/file/sync/list?sync_id=${sync}`,
      );
      if (found?.sync_status === "Finished" && found.num_failed === 0) return;
      if (found?.sync_status !== "Syncing") throw new Error(`sync ${sync} is ${found?.sync_status}, ${found?.num_failed} files failed`);
      await sleep(WATCH_MS);
    }
  }

  /** Resolves when no file of the sync is under way. */
  async untilQuiet(sync: number): Promise<void> {
    const path = `/api/ingestion/file/sync/history?sync_id=${sync}&sync_status=Syncing&size=1`;
    while ((await this.call<unknown[]>("GET", path)).length > 0) await sleep(WATCH_MS);
  }

  close(): void {
    this.#agent.destroy();
  }
}

export function bodyOf(bytes: Uint8Array): Body {
  return { length: bytes.length, pieces: [bytes] };
}

/** `length` bytes that are no file format's and cost nothing to make. */
export function filler(length: number): Body {
  const block = Buffer.alloc(1 << 20, 0xa5);
  return {
    length,
    pieces: (function* () {
      for (let left = length; left > 0; left -= block.length) yield left < block.length ? block.subarray(0, left) : block;
    })(),
  };
}

/** The form of one file, as a client sends it. */
function formOf(name: string, content: Body): Body {
  const head = Buffer.from(
    `--${BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="${name}"\r\nContent-Type: application/octet-stream\r\n\r\n`,
  );
  const tail = Buffer.from(`\r\n--${BOUNDARY}--\r\n`);
  const pieces = function* () {
    yield head;
    yield* content.pieces;
    yield tail;
  };
  return { length: head.length + content.length + tail.length, pieces: pieces() };
}

/** Runs the jobs, so many at once. */
export async function inParallel<T>(jobs: readonly T[], atOnce: number, run: (job: T, i: number) => Promise<void>): Promise<void> {
  let next = 0;
  const lane = async () => {
    for (let i = next++; i < jobs.length; i = next++) await run(jobs[i] as T, i);
  };
  await Promise.all(Array.from({ length: atOnce }, lane));
}
