import type { S3Client } from "@aws-sdk/client-s3";
import { checkKey } from "../object-key.ts";

/** One bucket and the folder in it that is ours. */
export interface Bucket {
  readonly client: S3Client;
  readonly name: string;
  /** Empty, or ending in a slash. */
  readonly prefix: string;
}

/** The full key in the bucket. */
export function fullKey(bucket: Bucket, key: string): string {
  checkKey(key);
  return bucket.prefix + key;
}

/** Bucket and Key of a request. */
export function place(bucket: Bucket, key: string): { Bucket: string; Key: string } {
  return { Bucket: bucket.name, Key: fullKey(bucket, key) };
}
