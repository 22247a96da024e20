import { GetObjectCommand } from "@aws-sdk/client-s3";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import type { LinkOptions } from "../../ports/object-store.ts";
import { place, type Bucket } from "./bucket.ts";

/** AWS refuses links that live longer. */
const MAX_SECONDS = 7 * 24 * 3_600;

/** A presigned GET, answered as an attachment of no active type: S3 has no nosniff header, octet-stream needs none. */
export function presign(bucket: Bucket, key: string, options: LinkOptions, nowMs: number): Promise<string> {
  const command = new GetObjectCommand({
    ...place(bucket, key),
    ResponseContentDisposition: attachment(options.fileName),
    ResponseContentType: "application/octet-stream",
  });
  const seconds = Math.min(Math.floor((options.expiresAtMs - nowMs) / 1_000), MAX_SECONDS);
  if (seconds >= 1) return getSignedUrl(bucket.client, command, { expiresIn: seconds, signingDate: new Date(nowMs) });
  // No link lives less than a second: sign it so that it has expired when it was to.
  return getSignedUrl(bucket.client, command, { expiresIn: 1, signingDate: new Date(options.expiresAtMs - 1_000) });
}

/** RFC 6266: an ASCII name for old readers, the real one in UTF-8. */
function attachment(fileName: string): string {
  const name = fileName.toWellFormed();
  const plain = name.replace(/[^\x20-\x7e]|["\\%]/g, "_");
  const encoded = encodeURIComponent(name).replace(/['()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
  return `attachment; filename="${plain}"; filename*=UTF-8''${encoded}`;
}
