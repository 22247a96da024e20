import { CopyObjectCommand, UploadPartCopyCommand } from "@aws-sdk/client-s3";
import { checkKey } from "../object-key.ts";
import { fullKey, place, type Bucket } from "./bucket.ts";
import { headObject } from "./head.ts";
import { multipart } from "./multipart.ts";
import { copyRanges } from "./plan-parts.ts";
import { isMissingObject, noObject, s3Fault } from "./s3-fault.ts";

const PARTS_AT_ONCE = 4;

/** Copies within the bucket, above `partBytes` in parts of that size: S3 copies at most 5 GiB in one request. */
export async function copyObject(bucket: Bucket, from: string, to: string, partBytes: number): Promise<void> {
  checkKey(from);
  checkKey(to);
  const found = await headObject(bucket, from);
  if (found === null) throw noObject(from);
  const { bytes } = found;
  const source = `${bucket.name}/${fullKey(bucket, from).split("/").map(encodeURIComponent).join("/")}`;
  try {
    if (bytes <= partBytes) {
      await bucket.client.send(new CopyObjectCommand({ ...place(bucket, to), CopySource: source }));
      return;
    }
    await multipart(bucket, to, PARTS_AT_ONCE, async (parts) => {
      for (const { start, end } of copyRanges(bytes, partBytes)) {
        await parts.add(async (uploadId, number) => {
          const range = { CopySource: source, CopySourceRange: `bytes=${start}-${end - 1}` };
          const request = { ...place(bucket, to), ...range, UploadId: uploadId, PartNumber: number };
          return (await bucket.client.send(new UploadPartCopyCommand(request))).CopyPartResult?.ETag;
        });
      }
    });
  } catch (error) {
    throw isMissingObject(error) ? noObject(from, error) : s3Fault(error, `copy ${from} to ${to}`);
  }
}
