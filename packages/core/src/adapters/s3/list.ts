import {
  DeleteObjectsCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  type ListMultipartUploadsCommandOutput,
  type ListObjectsV2CommandOutput,
} from "@aws-sdk/client-s3";
import { Fault } from "../../domain/fault.ts";
import { fullKey, type Bucket } from "./bucket.ts";
import { abortUpload } from "./multipart.ts";
import { s3Fault } from "./s3-fault.ts";

/** S3's limit for keys in one DeleteObjects. */
const DELETE_BATCH = 1_000;

/** Every object below the prefix, a page of 1,000 at a time. */
export async function* listObjects(bucket: Bucket, prefix: string): AsyncGenerator<{ key: string; bytes: number; modifiedMs: number }> {
  let token: string | undefined;
  do {
    const page = await listPage(bucket, prefix, token);
    for (const { Key, Size, LastModified } of page.Contents ?? []) {
      if (Key === undefined) continue;
      const key = (page.EncodingType === "url" ? decode(Key) : Key).slice(bucket.prefix.length);
      // Some servers show folders as objects whose key ends in a slash; no key of ours does.
      if (key.endsWith("/") || key === "") continue;
      yield { key, bytes: Size ?? 0, modifiedMs: LastModified?.getTime() ?? 0 };
    }
    token = page.IsTruncated === true ? page.NextContinuationToken : undefined;
  } while (token !== undefined);
}

async function listPage(bucket: Bucket, prefix: string, token: string | undefined): Promise<ListObjectsV2CommandOutput> {
  try {
    return await bucket.client.send(
      new ListObjectsV2Command({
        Bucket: bucket.name,
        Prefix: bucket.prefix + prefix,
        EncodingType: "url", // XML cannot hold control characters.
        ...(token === undefined ? {} : { ContinuationToken: token }),
      }),
    );
  } catch (error) {
    throw s3Fault(error, "list objects");
  }
}

/** S3 writes a space as `+` and a plus as `%2B`; servers that write `%20` are read the same. */
function decode(encoded: string): string {
  return decodeURIComponent(encoded.replaceAll("+", " "));
}

/** Removes the keys in batches; a key that is not there is no error to S3. */
export async function removeObjects(bucket: Bucket, keys: readonly string[]): Promise<void> {
  for (let at = 0; at < keys.length; at += DELETE_BATCH) {
    const Objects = keys.slice(at, at + DELETE_BATCH).map((key) => ({ Key: fullKey(bucket, key) }));
    try {
      const { Errors = [] } = await bucket.client.send(new DeleteObjectsCommand({ Bucket: bucket.name, Delete: { Objects, Quiet: true } }));
      const first = Errors.find(({ Code }) => Code !== "NoSuchKey");
      if (first === undefined) continue;
      throw new Fault("store_unavailable", `the object store did not remove ${first.Key} (${first.Code}: ${first.Message})`);
    } catch (error) {
      throw s3Fault(error, "remove objects");
    }
  }
}

/** Aborts the multipart uploads below the store's prefix that began before the time. */
export async function sweepUploads(bucket: Bucket, olderThanMs: number): Promise<number> {
  let swept = 0;
  let marker: Marker | null = {};
  try {
    while (marker !== null) {
      const page: ListMultipartUploadsCommandOutput = await bucket.client.send(
        new ListMultipartUploadsCommand({ Bucket: bucket.name, Prefix: bucket.prefix, ...marker }),
      );
      for (const { Key, UploadId, Initiated } of page.Uploads ?? []) {
        if (Key === undefined || UploadId === undefined || Initiated === undefined || Initiated.getTime() >= olderThanMs) continue;
        await abortUpload(bucket, Key, UploadId);
        swept++;
      }
      marker = nextMarker(page);
    }
  } catch (error) {
    throw s3Fault(error, "sweep multipart uploads");
  }
  return swept;
}

interface Marker {
  readonly KeyMarker?: string;
  readonly UploadIdMarker?: string;
}

function nextMarker({ IsTruncated, NextKeyMarker, NextUploadIdMarker }: ListMultipartUploadsCommandOutput): Marker | null {
  if (IsTruncated !== true || NextKeyMarker === undefined) return null;
  return { KeyMarker: NextKeyMarker, ...(NextUploadIdMarker === undefined ? {} : { UploadIdMarker: NextUploadIdMarker }) };
}
