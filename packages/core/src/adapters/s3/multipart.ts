import { randomUUID } from "node:crypto";
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  HeadObjectCommand,
  type CompletedPart,
} from "@aws-sdk/client-s3";
import { Fault } from "../../domain/fault.ts";
import { place, type Bucket } from "./bucket.ts";
import { s3CodeOf, s3Fault } from "./s3-fault.ts";

/** Sends one part (numbered from 1) and answers with its ETag. */
export type SendPart = (uploadId: string, partNumber: number) => Promise<string | undefined>;

/** What a multipart upload's body does: starts parts, at most as many at once as asked for. */
export interface Parts {
  /** Aborts when a part or the body has failed, with the reason. */
  readonly failed: AbortSignal;
  /** Resolves when the part was started, which waits while too many are under way. */
  add(send: SendPart): Promise<void>;
}

/**
 * Runs a multipart upload: the object is there only after every part is; when anything throws, what is under way ends first
 * and then the upload is aborted, so that no part is left. lib-storage's Upload was tried on paper and not taken: on abort it
 * rejects while parts are still being sent, and aborts the upload later or never.
 */
export async function multipart(bucket: Bucket, key: string, atOnce: number, body: (parts: Parts) => Promise<void>): Promise<void> {
  const mark = randomUUID();
  const uploadId = await create(bucket, key, mark);
  const failure = new AbortController();
  const running = new Set<Promise<void>>();
  const done: CompletedPart[] = [];

  const start = async (send: SendPart, number: number): Promise<void> => {
    try {
      const etag = await send(uploadId, number);
      if (etag === undefined) throw new Fault("store_unavailable", `the object store gave no ETag for part ${number} of ${key}`);
      done[number - 1] = { PartNumber: number, ETag: etag };
    } catch (error) {
      failure.abort(s3Fault(error, `store part ${number} of ${key}`));
    }
  };

  let count = 0;
  const add = async (send: SendPart): Promise<void> => {
    while (running.size >= atOnce) await Promise.race(running);
    failure.signal.throwIfAborted();
    const part: Promise<void> = start(send, ++count).finally(() => running.delete(part));
    running.add(part);
  };

  try {
    await body({ failed: failure.signal, add });
    await Promise.all(running);
    failure.signal.throwIfAborted();
    await complete(bucket, key, uploadId, done, mark);
  } catch (error) {
    failure.abort(error);
    await Promise.all(running);
    await abortUpload(bucket, place(bucket, key).Key, uploadId).catch(() => undefined); // `sweep` tries again.
    throw error;
  }
}

/** Takes back an upload and its parts; one that is gone is no error. `fullKey` is the key in the bucket. */
export async function abortUpload(bucket: Bucket, fullKey: string, uploadId: string): Promise<void> {
  try {
    await bucket.client.send(new AbortMultipartUploadCommand({ Bucket: bucket.name, Key: fullKey, UploadId: uploadId }));
  } catch (error) {
    if (s3CodeOf(error) !== "NoSuchUpload") throw s3Fault(error, "abort a multipart upload");
  }
}

async function create(bucket: Bucket, key: string, mark: string): Promise<string> {
  try {
    const request = { ...place(bucket, key), ContentType: "application/octet-stream", Metadata: { "sluice-put": mark } };
    const { UploadId } = await bucket.client.send(new CreateMultipartUploadCommand(request));
    if (UploadId === undefined) throw new Fault("store_unavailable", `the object store gave no upload id for ${key}`);
    return UploadId;
  } catch (error) {
    throw s3Fault(error, `begin the upload of ${key}`);
  }
}

/** No abort signal here: an upload cut off while it completes would be neither there nor not there. */
async function complete(bucket: Bucket, key: string, uploadId: string, parts: CompletedPart[], mark: string): Promise<void> {
  try {
    await bucket.client.send(
      new CompleteMultipartUploadCommand({ ...place(bucket, key), UploadId: uploadId, MultipartUpload: { Parts: parts } }),
    );
  } catch (error) {
    // When the first answer is lost the SDK asks again, and is told that the upload it completed is gone: the mark decides.
    if (s3CodeOf(error) === "NoSuchUpload" && (await markOf(bucket, key)) === mark) return;
    throw s3Fault(error, `complete the upload of ${key}`);
  }
}

async function markOf(bucket: Bucket, key: string): Promise<string | undefined> {
  try {
    return (await bucket.client.send(new HeadObjectCommand(place(bucket, key)))).Metadata?.["sluice-put"];
  } catch {
    return undefined;
  }
}
