import type { ConvertIo, PartSink } from "@sluice/core/ports/converter";
import { FRAME, type FrameKind, READS_MAX, READ_MAX, WINDOW } from "./frames.ts";

type Send = (kind: FrameKind, id: number, payload?: Uint8Array) => void;

/** A sink and the chain of what is still to be done on it. */
interface OpenSink {
  work: Promise<PartSink>;
}

/**
 * The worker's end of a job's io: answers the child's frames from the real io. An io error ends the job through `fail`,
 * once; after `end` nothing is sent any more. Throws when the child breaks the rules of the pipe.
 */
export class JobIo {
  readonly #io: ConvertIo;
  readonly #send: Send;
  readonly #fail: (error: unknown) => void;
  readonly #sinks = new Map<number, OpenSink>();
  #reads = 0;
  #unacknowledged = 0;
  #ended = false;

  constructor(io: ConvertIo, send: Send, fail: (error: unknown) => void) {
    this.#io = io;
    this.#send = send;
    this.#fail = fail;
  }

  onFrame(kind: number, id: number, payload: Buffer): void {
    if (this.#ended) return;
    switch (kind) {
      case FRAME.read:
        return this.#read(id, payload.readDoubleLE(0), payload.readUInt32LE(8));
      case FRAME.openPart:
        return this.#open(id, () => this.#io.openPart(payload.toString()));
      case FRAME.openRejects:
        return this.#open(id, () => this.#io.openRejects());
      case FRAME.write:
        return this.#write(id, payload);
      case FRAME.close:
        return this.#close(id);
      case FRAME.abort:
        return this.#abort(id);
      case FRAME.progress:
        return this.#attempt(async () => this.#io.progress(payload.readDoubleLE(0), payload.readDoubleLE(8)));
      default:
        throw new Error(`a frame of kind ${kind}`);
    }
  }

  end(): void {
    this.#ended = true;
  }

  #read(id: number, offset: number, length: number): void {
    if (length > READ_MAX || ++this.#reads > READS_MAX) throw new Error(`${this.#reads} reads at once, of ${length} bytes`);
    this.#attempt(async () => {
      const bytes = await this.#io.read(offset, length);
      this.#reads--;
      this.#answer(FRAME.data, id, bytes);
    });
  }

  #open(id: number, open: () => Promise<PartSink>): void {
    const work = Promise.resolve().then(open);
    this.#sinks.set(id, { work });
    this.#attempt(() => work);
  }

  #write(id: number, bytes: Buffer): void {
    this.#unacknowledged += bytes.byteLength;
    if (this.#unacknowledged > WINDOW) throw new Error(`${this.#unacknowledged} bytes written ahead`);
    this.#chain(id, async (sink) => {
      await sink.write(bytes);
      this.#unacknowledged -= bytes.byteLength;
      const credit = Buffer.allocUnsafe(4);
      credit.writeUInt32LE(bytes.byteLength, 0);
      this.#answer(FRAME.credit, id, credit);
    });
  }

  #close(id: number): void {
    this.#chain(id, async (sink) => {
      const result = await sink.close();
      this.#answer(FRAME.closed, id, Buffer.from(JSON.stringify(result)));
    });
  }

  #abort(id: number): void {
    this.#chain(id, async (sink) => {
      await sink.abort();
      this.#answer(FRAME.aborted, id, Buffer.alloc(0));
    });
  }

  /** One thing after the other on each sink; none after a failure. */
  #chain(id: number, act: (sink: PartSink) => Promise<void>): void {
    const open = this.#sinks.get(id);
    if (!open) throw new Error(`no sink ${id}`);
    const work = open.work.then(async (sink) => {
      if (!this.#ended) await act(sink);
      return sink;
    });
    open.work = work;
    this.#attempt(() => work);
  }

  #attempt(work: () => Promise<unknown>): void {
    work().catch((error: unknown) => {
      if (!this.#ended) this.#fail(error);
    });
  }

  #answer(kind: FrameKind, id: number, payload: Uint8Array): void {
    if (!this.#ended) this.#send(kind, id, payload);
  }
}
