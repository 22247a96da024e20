import { createHash } from "node:crypto";
import { PutObjectCommand, UploadPartCommand } from "@aws-sdk/client-s3";
import { Fault } from "../../domain/fault.ts";
import type { PutOptions, Stored } from "../../ports/object-store.ts";
import { checkKey } from "../object-key.ts";
import { untilAborted } from "../until-aborted.ts";
import { place, type Bucket } from "./bucket.ts";
import { multipart } from "./multipart.ts";
import { MAX_PARTS, partBytesAt } from "./plan-parts.ts";
import { s3Fault } from "./s3-fault.ts";
import type { Slots } from "./slots.ts";

/** Parts under way for one put: with the one being gathered 4 x 8 MiB, which filled a gigabit link in every test. */
const PARTS_AT_ONCE = 3;

/** How puts are cut: parts' size, and the uploads under way over all puts, which bounds the memory they hold. */
export interface PutLimits {
  readonly partBytes: number;
  readonly slots: Slots;
}

/**
 * Streams the source into one object. What fits into one part is one PutObject, anything longer a multipart upload. The
 * signal ends reading and sending parts, but never the request that makes the object appear.
 */
export async function putObject(
  bucket: Bucket,
  limits: PutLimits,
  key: string,
  source: AsyncIterable<Uint8Array>,
  options: PutOptions,
): Promise<Stored> {
  checkKey(key);
  options.signal?.throwIfAborted();
  const failure = new AbortController();
  const stop = options.signal === undefined ? failure.signal : AbortSignal.any([options.signal, failure.signal]);
  const reader = new PartReader(untilAborted(source, stop));
  try {
    let part = await reader.next(partBytesAt(0, limits.partBytes, options.bytes));
    if (reader.ended) {
      const stored = reader.result();
      options.signal?.throwIfAborted();
      await limits.slots.run(() => putWhole(bucket, key, part, stored.sha256));
      return stored;
    }
    await multipart(bucket, key, PARTS_AT_ONCE, async (parts) => {
      parts.failed.addEventListener("abort", () => failure.abort(parts.failed.reason), { once: true });
      for (let index = 0; part.length > 0;) {
        if (index === MAX_PARTS) throw tooManyParts(key, options.bytes);
        const body = part;
        await parts.add((uploadId, number) => limits.slots.run(() => putPart(bucket, key, uploadId, number, body, stop)));
        index++;
        part = reader.ended ? Buffer.alloc(0) : await reader.next(partBytesAt(index, limits.partBytes, options.bytes));
      }
      options.signal?.throwIfAborted();
    });
    return reader.result();
  } catch (error) {
    options.signal?.throwIfAborted(); // A part cut off by the signal fails with the SDK's own error.
    throw error;
  } finally {
    await reader.close();
  }
}

/** The precomputed SHA-256 goes into the signature: the SDK would hash the body again. The server refuses other bytes. */
async function putWhole(bucket: Bucket, key: string, body: Buffer, sha256: string): Promise<void> {
  const request = { ...place(bucket, key), Body: body, ContentLength: body.length, ContentType: "application/octet-stream" };
  const command = new PutObjectCommand(request);
  command.middlewareStack.add(
    (next) => (args) => {
      const { request } = args;
      if (typeof request === "object" && request !== null && "headers" in request) {
        Object.assign(request.headers as object, { "x-amz-content-sha256": sha256 });
      }
      return next(args);
    },
    { step: "build", name: "sluiceContentSha256" },
  );
  try {
    await bucket.client.send(command);
  } catch (error) {
    throw s3Fault(error, `store ${key}`);
  }
}

async function putPart(
  bucket: Bucket,
  key: string,
  uploadId: string,
  number: number,
  body: Buffer,
  stop: AbortSignal,
): Promise<string | undefined> {
  stop.throwIfAborted();
  const request = { ...place(bucket, key), UploadId: uploadId, PartNumber: number, Body: body, ContentLength: body.length };
  return (await bucket.client.send(new UploadPartCommand(request), { abortSignal: stop })).ETag;
}

function tooManyParts(key: string, expected: number | undefined): Fault {
  const said = expected === undefined ? "without a size" : `announced as ${expected} bytes`;
  return new Fault("store_unavailable", `${key} needs more than ${MAX_PARTS} parts: it was ${said} and is longer than that allows`);
}

/** Cuts a stream into parts of exact size, hashing and counting in flight. */
class PartReader {
  readonly #source: AsyncIterator<Uint8Array>;
  readonly #hash = createHash("sha256");
  #bytes = 0;
  #rest: Uint8Array = Buffer.alloc(0);
  /** The stream has ended and every byte of it was handed out. */
  ended = false;

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#source = source[Symbol.asyncIterator]();
  }

  /** The next `size` bytes, fewer only at the end. */
  async next(size: number): Promise<Buffer> {
    const chunks: Uint8Array[] = [];
    let length = 0;
    // One chunk beyond is read, so that a stream that ends with a full part is known to have ended.
    while (length + this.#rest.length <= size) {
      length += this.#rest.length;
      chunks.push(this.#rest);
      this.#rest = Buffer.alloc(0);
      const step = await this.#source.next();
      if (step.done === true) {
        this.ended = true;
        return Buffer.concat(chunks, length);
      }
      this.#hash.update(step.value);
      this.#bytes += step.value.length;
      this.#rest = step.value;
    }
    chunks.push(this.#rest.subarray(0, size - length));
    this.#rest = this.#rest.subarray(size - length);
    return Buffer.concat(chunks, size);
  }

  result(): Stored {
    return { bytes: this.#bytes, sha256: this.#hash.copy().digest("hex") };
  }

  /** Tells the source that its reader stops. */
  async close(): Promise<void> {
    await this.#source.return?.();
  }
}
