import type { ObjectStore } from "../../ports/object-store.ts";
import { checkRange } from "../object-key.ts";
import type { Bucket } from "./bucket.ts";
import { s3Client, type S3Access } from "./client.ts";
import { copyObject } from "./copy.ts";
import { getObject } from "./get.ts";
import { headObject } from "./head.ts";
import { presign } from "./link.ts";
import { listObjects, removeObjects, sweepUploads } from "./list.ts";
import { putObject } from "./put.ts";
import { Slots } from "./slots.ts";

const PART_BYTES = 8 << 20;
/** S3 allows 5 GiB; 1 GiB also ends within the idle timeout where the server copies bytes before it answers. */
const COPY_PART_BYTES = 1 << 30;
/** Uploads under way over all puts: 16 x 8 MiB of parts being sent, however many puts there are. */
const UPLOADS_AT_ONCE = 16;

export interface S3ObjectStoreOptions extends S3Access {
  readonly bucket: string;
  /** Where in the bucket, without slashes at either end; empty for all of it. */
  readonly prefix: string;
  /** Where those who follow links reach the store; absent: the endpoint itself. */
  readonly publicEndpoint?: string;
  /** Bytes a part, at least 5 MiB; a body up to this size is one request. 8 MiB when absent. */
  readonly partBytes?: number;
  /** Objects above this size are copied in parts of it, at least 5 MiB. 1 GiB when absent. */
  readonly copyPartBytes?: number;
}

/** Objects in a bucket of S3 or of a server that speaks it. Makes no request until it is used. */
export function s3ObjectStore(options: S3ObjectStoreOptions): ObjectStore {
  const prefix = options.prefix === "" ? "" : `${options.prefix}/`;
  const bucket: Bucket = { client: s3Client(options), name: options.bucket, prefix };
  const { publicEndpoint } = options;
  const linked: Bucket = publicEndpoint === undefined ? bucket : { ...bucket, client: s3Client({ ...options, endpoint: publicEndpoint }) };
  const limits = { partBytes: options.partBytes ?? PART_BYTES, slots: new Slots(UPLOADS_AT_ONCE) };

  return {
    put: (key, source, putOptions = {}) => putObject(bucket, limits, key, source, putOptions),
    get: async (key, range = { start: 0 }) => {
      checkRange(range);
      return getObject(bucket, key, range);
    },
    head: (key) => headObject(bucket, key),
    copy: (from, to) => copyObject(bucket, from, to, options.copyPartBytes ?? COPY_PART_BYTES),
    remove: (keys) => removeObjects(bucket, keys),
    list: (prefix) => listObjects(bucket, prefix),
    link: (key, linkOptions) => presign(linked, key, linkOptions, Date.now()),
    sweep: (olderThanMs) => sweepUploads(bucket, olderThanMs),
  };
}
