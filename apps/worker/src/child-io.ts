import type { ConvertIo, PartSink } from "@sluice/core/ports/converter";
import { FRAME, READS_MAX, READ_MAX, WINDOW, WRITE_MAX, frame } from "./frames.ts";

/** Counts over all jobs of this child: an answer to an abandoned read of the last job is never taken for one of this job. */
let lastId = 0;

interface Waiter<T> {
  resolve(value: T): void;
  reject(reason: unknown): void;
}

/** The child's end of a job's io: asks the worker over the pipe. After `end` every call rejects with the reason. */
export class PipeIo implements ConvertIo {
  readonly #send: (bytes: Buffer) => void;
  readonly #recycle: (bytes: Uint8Array) => void;
  readonly #job: number;
  readonly #reads = new Map<number, Waiter<Uint8Array>>();
  readonly #closes = new Map<number, Waiter<{ bytes: number; sha256: string }>>();
  readonly #aborts = new Map<number, Waiter<void>>();
  readonly #sinks = new Set<number>();
  /** Sinks that take nothing any more; their credit still comes. */
  readonly #aborted = new Set<number>();
  readonly #turns: (() => void)[] = [];
  readonly #credits: (() => void)[] = [];
  #readsOpen = 0;
  #unacknowledged = 0;
  #ended: { readonly reason: unknown } | null = null;

  constructor(job: number, send: (bytes: Buffer) => void, recycle: (bytes: Uint8Array) => void = () => undefined) {
    this.#recycle = recycle;
    this.#job = job;
    this.#send = send;
  }

  async read(offset: number, length: number): Promise<Uint8Array> {
    if (length <= READ_MAX) return this.#readPiece(offset, length);
    const whole = new Uint8Array(length);
    const starts = Array.from({ length: Math.ceil(length / READ_MAX) }, (_, i) => i * READ_MAX);
    const got = await Promise.all(
      starts.map(async (start) => {
        const piece = await this.#readPiece(offset + start, Math.min(READ_MAX, length - start));
        whole.set(piece, start);
        return piece.byteLength;
      }),
    );
    // Only the last bytes of a file can be short, and all after them are empty.
    return whole.subarray(
      0,
      got.reduce((sum, bytes) => sum + bytes, 0),
    );
  }

  recycle(bytes: Uint8Array): void {
    this.#recycle(bytes);
  }

  openPart(table: string): Promise<PartSink> {
    return this.#open(FRAME.openPart, Buffer.from(table));
  }

  openRejects(): Promise<PartSink> {
    return this.#open(FRAME.openRejects, Buffer.alloc(0));
  }

  progress(rows: number, bytes: number): void {
    if (this.#ended) return;
    const payload = Buffer.allocUnsafe(16);
    payload.writeDoubleLE(rows, 0);
    payload.writeDoubleLE(bytes, 8);
    this.#send(frame(FRAME.progress, this.#job, payload));
  }

  /** An answer of the worker. */
  onFrame(kind: number, id: number, payload: Buffer): void {
    if (kind === FRAME.data) {
      this.#reads.get(id)?.resolve(payload);
      this.#reads.delete(id);
    } else if (kind === FRAME.closed) {
      this.#closes.get(id)?.resolve(JSON.parse(payload.toString()) as { bytes: number; sha256: string });
      this.#closes.delete(id);
    } else if (kind === FRAME.aborted) {
      this.#aborts.get(id)?.resolve();
      this.#aborts.delete(id);
    } else if (kind === FRAME.credit && this.#sinks.has(id)) {
      this.#unacknowledged -= payload.readUInt32LE(0);
      for (const go of this.#credits.splice(0)) go();
    }
  }

  /** Ends the io: whatever is under way or comes later rejects with the reason. */
  end(reason: unknown): void {
    if (this.#ended) return;
    this.#ended = { reason };
    for (const waiter of [...this.#reads.values(), ...this.#closes.values(), ...this.#aborts.values()]) waiter.reject(reason);
    for (const go of [...this.#turns.splice(0), ...this.#credits.splice(0)]) go();
  }

  #check(): void {
    if (this.#ended) throw this.#ended.reason;
  }

  async #readPiece(offset: number, length: number): Promise<Uint8Array> {
    while (this.#readsOpen >= READS_MAX && !this.#ended) await new Promise<void>((resolve) => this.#turns.push(resolve));
    this.#check();
    this.#readsOpen++;
    try {
      return await new Promise<Uint8Array>((resolve, reject) => {
        const id = ++lastId;
        this.#reads.set(id, { resolve, reject });
        const payload = Buffer.allocUnsafe(12);
        payload.writeDoubleLE(offset, 0);
        payload.writeUInt32LE(length, 8);
        this.#send(frame(FRAME.read, id, payload));
      });
    } finally {
      this.#readsOpen--;
      this.#turns.shift()?.();
    }
  }

  /** No answer is waited for: what is written before the sink is open waits in the worker, bounded by the window. */
  async #open(kind: typeof FRAME.openPart | typeof FRAME.openRejects, payload: Buffer): Promise<PartSink> {
    this.#check();
    const id = ++lastId;
    this.#sinks.add(id);
    this.#send(frame(kind, id, payload));
    return { write: (bytes) => this.#write(id, bytes), close: () => this.#close(id), abort: () => this.#abort(id) };
  }

  async #write(id: number, bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.byteLength; at += WRITE_MAX) {
      const piece = bytes.subarray(at, at + WRITE_MAX);
      while (this.#unacknowledged + piece.byteLength > WINDOW && !this.#ended) {
        await new Promise<void>((resolve) => this.#credits.push(resolve));
      }
      this.#check();
      if (this.#aborted.has(id)) throw new Error("a write to an aborted part");
      this.#unacknowledged += piece.byteLength;
      this.#send(frame(FRAME.write, id, piece));
    }
    this.#check();
  }

  #close(id: number): Promise<{ bytes: number; sha256: string }> {
    return new Promise((resolve, reject) => {
      if (this.#ended) {
        reject(this.#ended.reason);
        return;
      }
      this.#closes.set(id, { resolve, reject });
      this.#send(frame(FRAME.close, id));
    });
  }

  #abort(id: number): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#ended) {
        reject(this.#ended.reason);
        return;
      }
      this.#aborted.add(id);
      this.#aborts.set(id, { resolve, reject });
      this.#send(frame(FRAME.abort, id));
    });
  }
}
