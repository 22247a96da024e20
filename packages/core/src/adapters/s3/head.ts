import { HeadBucketCommand, HeadObjectCommand } from "@aws-sdk/client-s3";
import { place, type Bucket } from "./bucket.ts";
import { isMissingObject, s3Fault } from "./s3-fault.ts";

/** The object's size, or null when there is none. */
export async function headObject(bucket: Bucket, key: string): Promise<{ bytes: number } | null> {
  const at = place(bucket, key);
  try {
    return { bytes: (await bucket.client.send(new HeadObjectCommand(at))).ContentLength ?? 0 };
  } catch (error) {
    if (!isMissingObject(error)) throw s3Fault(error, `look at ${key}`);
    await requireBucket(bucket);
    return null;
  }
}

/** A HEAD's 404 has no body that would tell a missing bucket from a missing object; taken for the latter, files would be given up as gone. */
async function requireBucket(bucket: Bucket): Promise<void> {
  try {
    await bucket.client.send(new HeadBucketCommand({ Bucket: bucket.name }));
  } catch (error) {
    throw s3Fault(error, `find the bucket ${bucket.name}`);
  }
}
