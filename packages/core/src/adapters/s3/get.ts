import type { Readable } from "node:stream";
import { GetObjectCommand } from "@aws-sdk/client-s3";
import { Fault } from "../../domain/fault.ts";
import { checkKey } from "../object-key.ts";
import { place, type Bucket } from "./bucket.ts";
import { isMissingObject, noObject, s3Fault, statusOf } from "./s3-fault.ts";

const RESUMES = 3;

/** The object's bytes in the range, clamped to its size. A connection that breaks is resumed where it broke, on the same version of the object. */
export async function getObject(
  bucket: Bucket,
  key: string,
  range: { readonly start: number; readonly end?: number },
): Promise<AsyncIterable<Uint8Array>> {
  checkKey(key);
  const { start, end } = range;
  try {
    // HTTP has no empty range: ask for one byte, which also tells whether there is such an object.
    const first = await request(bucket, key, start, start === end ? start + 1 : end, undefined);
    if (start === end) first?.body.on("error", () => undefined).destroy();
    return first === null || start === end ? nothing() : new Bytes(bucket, key, range, first);
  } catch (error) {
    throw isMissingObject(error) ? noObject(key, error) : s3Fault(error, `read ${key}`);
  }
}

interface Answer {
  readonly body: Readable;
  readonly etag: string | undefined;
  /** Bytes this answer promises. */
  readonly length: number;
}

/** null: the range starts at or after the object's end (416). */
async function request(
  bucket: Bucket,
  key: string,
  start: number,
  end: number | undefined,
  etag: string | undefined,
): Promise<Answer | null> {
  const range = start === 0 && end === undefined ? {} : { Range: `bytes=${start}-${end === undefined ? "" : end - 1}` };
  const ifMatch = etag === undefined ? {} : { IfMatch: etag };
  try {
    const answer = await bucket.client.send(new GetObjectCommand({ ...place(bucket, key), ...range, ...ifMatch }));
    if (answer.Body === undefined || answer.ContentLength === undefined)
      throw new Fault("store_unavailable", `the answer for ${key} has no body or length`);
    return { body: answer.Body as Readable, etag: answer.ETag, length: answer.ContentLength };
  } catch (error) {
    if (statusOf(error) === 416) return null;
    throw error;
  }
}

async function* nothing(): AsyncGenerator<Uint8Array> {
  // An empty object, or a range past the end.
}

/** Hand-written, as return() of an async generator that was never started would leave the connection open. */
class Bytes implements AsyncIterableIterator<Uint8Array> {
  readonly #bucket: Bucket;
  readonly #key: string;
  readonly #etag: string | undefined;
  readonly #end: number;
  #at: number;
  #body: Readable;
  #chunks: AsyncIterator<Uint8Array>;
  #resumes = 0;
  #closed = false;

  constructor(bucket: Bucket, key: string, range: { readonly start: number }, first: Answer) {
    this.#bucket = bucket;
    this.#key = key;
    this.#etag = first.etag;
    this.#at = range.start;
    this.#end = range.start + first.length;
    this.#body = first.body;
    this.#chunks = chunksOf(first.body);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<Uint8Array>> {
    while (!this.#closed && this.#at < this.#end) {
      try {
        const step = await this.#chunks.next();
        if (step.done === true) throw new Error(`the body ended at byte ${this.#at} of ${this.#end}`);
        this.#at += step.value.length;
        this.#resumes = 0;
        return { done: false, value: step.value };
      } catch (error) {
        await this.#resume(error);
      }
    }
    return this.return();
  }

  return(): Promise<IteratorResult<Uint8Array>> {
    this.#closed = true;
    this.#body.destroy();
    return Promise.resolve({ done: true, value: undefined });
  }

  /** Three times in a row without a byte is an outage. */
  async #resume(error: unknown): Promise<void> {
    this.#body.destroy();
    if (this.#closed) return;
    try {
      if (++this.#resumes > RESUMES) throw error;
      const answer = await request(this.#bucket, this.#key, this.#at, this.#end, this.#etag);
      if (answer === null || answer.length !== this.#end - this.#at) throw error;
      this.#body = answer.body;
      this.#chunks = chunksOf(answer.body);
    } catch (again) {
      this.#closed = true;
      throw s3Fault(again, `go on reading ${this.#key} at byte ${this.#at}`);
    }
  }
}

function chunksOf(body: Readable): AsyncIterator<Uint8Array> {
  // Destroyed before its iterator is first asked, a stream emits its error to nobody, which would end the process.
  body.on("error", () => undefined);
  return (body as AsyncIterable<Uint8Array>)[Symbol.asyncIterator]();
}
