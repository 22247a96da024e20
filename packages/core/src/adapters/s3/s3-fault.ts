import { Fault, isFault } from "../../domain/fault.ts";

/** Answers that mean "no room": MinIO, versitygw, Ceph and SeaweedFS each have their own. */
const FULL = new Set([
  "XMinioStorageFull",
  "InsufficientStorage",
  "InsufficientCapacity",
  "QuotaExceeded",
  "StorageFull",
  "XMinioAdminBucketQuotaExceeded",
]);

/** The S3 error code ("NoSuchKey"), or the network error's name. */
export function s3CodeOf(error: unknown): string | null {
  return error instanceof Error ? error.name : null;
}

/** Whether the answer says that this object is not there; a missing bucket is the operator's problem, not the key's. */
export function isMissingObject(error: unknown): boolean {
  const code = s3CodeOf(error);
  return code === "NoSuchKey" || code === "NotFound" || (statusOf(error) === 404 && code !== "NoSuchBucket" && code !== "NoSuchUpload");
}

/** What the SDK threw as the fault it is; our own faults pass. */
export function s3Fault(error: unknown, doing: string): Fault {
  if (isFault(error)) return error;
  const code = s3CodeOf(error) ?? "unknown error";
  const status = statusOf(error);
  if (status === 507 || FULL.has(code))
    return new Fault("disk_full", `the object store has no room to ${doing} (${code})`, { cause: error });
  const said = status === null ? code : `${code}, HTTP ${status}`;
  return new Fault("store_unavailable", `cannot ${doing}: the object store answers ${said}`, { cause: error });
}

/** The fault for a key that names no object. */
export function noObject(key: string, cause?: unknown): Fault {
  return new Fault("not_found", `there is no object ${key}`, { field: "key", value: key, cause });
}

/** The HTTP status of the answer the SDK's error holds, or null when there was none. */
export function statusOf(error: unknown): number | null {
  if (typeof error !== "object" || error === null || !("$metadata" in error)) return null;
  const metadata = error.$metadata;
  if (typeof metadata !== "object" || metadata === null || !("httpStatusCode" in metadata)) return null;
  return typeof metadata.httpStatusCode === "number" ? metadata.httpStatusCode : null;
}
