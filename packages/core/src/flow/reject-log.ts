import { MAX_REJECTS_IN_RECORD, MAX_REJECTS_KEPT, type Reject } from "../domain/file.ts";
import type { ConvertIo, PartSink } from "../ports/converter.ts";
import type { RejectedRow } from "./conform.ts";

/** A record is kept whole up to this many characters: one of 16 MiB is no help to anybody. */
const RECORD_LIMIT = 64 * 1024;
const FLUSH_CHARS = 256 * 1024;

/** The rejects of one file: all are counted, 100,000 go to the object, one JSON object a line, 100 to the record. */
export class RejectLog {
  count = 0;
  readonly first: Reject[] = [];
  readonly #io: Pick<ConvertIo, "openRejects">;
  #sink: PartSink | null = null;
  #lines: string[] = [];
  #chars = 0;

  constructor(io: Pick<ConvertIo, "openRejects">) {
    this.#io = io;
  }

  async add(rows: readonly RejectedRow[]): Promise<void> {
    for (const { reject, line, record } of rows) {
      this.count++;
      if (this.count > MAX_REJECTS_KEPT) continue;
      const whole = record !== null && record.length > RECORD_LIMIT ? `${record.slice(0, RECORD_LIMIT)}…` : record;
      const { row, byteOffset, table, column, raw, reason } = reject;
      const json = JSON.stringify({ row, line, byte_offset: byteOffset, table, column, raw, reason, record: whole });
      // Parsed back, because a slice of a cell would keep its whole batch of text alive.
      if (this.count <= MAX_REJECTS_IN_RECORD) this.first.push(JSON.parse(JSON.stringify(reject)) as Reject);
      this.#lines.push(json);
      this.#chars += json.length;
      if (this.#chars >= FLUSH_CHARS) await this.#flush();
    }
  }

  /** Closes the object. Its size in bytes, or null when no row was rejected. */
  async close(): Promise<number | null> {
    if (this.count === 0) return null;
    await this.#flush();
    return this.#sink === null ? null : (await this.#sink.close()).bytes;
  }

  async #flush(): Promise<void> {
    if (this.#lines.length === 0) return;
    this.#sink ??= await this.#io.openRejects();
    await this.#sink.write(Buffer.from(`${this.#lines.join("\n")}\n`));
    this.#lines = [];
    this.#chars = 0;
  }
}
