import { createHmac, timingSafeEqual } from "node:crypto";

/** A signed link's parts as the API's route finds them in the URL, all unchecked. */
export interface LinkParts {
  readonly key: string;
  /** Unix seconds, decimal. */
  readonly expires: string;
  readonly name: string;
  readonly signature: string;
}

/** The URL that lets its holder GET one key: `<base>/api/v1/objects/<base64url key>?expires=&name=&signature=`. */
export function signLink(base: string, secret: string, key: string, expiresAtMs: number, name: string): string {
  const expires = String(Math.floor(expiresAtMs / 1_000));
  const query = new URLSearchParams({ expires, name, signature: signatureOf(secret, key, expires, name) });
  return `${base}/api/v1/objects/${Buffer.from(key).toString("base64url")}?${query.toString()}`;
}

/** The key in a link's path segment, or null when the segment is not what `signLink` writes. */
export function keyOfLink(segment: string): string | null {
  const bytes = Buffer.from(segment, "base64url");
  const key = bytes.toString("utf8");
  return Buffer.from(key).toString("base64url") === segment ? key : null;
}

/**
 * Whether the link was signed with this secret and has not expired. It covers the method GET, the key, the expiry and
 * the name offered; the signatures are compared in constant time. The route must refuse every other method itself.
 */
export function verifyLink(secret: string, parts: LinkParts, nowMs: number): boolean {
  if (!/^[0-9]{1,12}$/.test(parts.expires) || Number(parts.expires) * 1_000 <= nowMs) return false;
  const wanted = Buffer.from(signatureOf(secret, parts.key, parts.expires, parts.name));
  const given = Buffer.from(parts.signature);
  return given.length === wanted.length && timingSafeEqual(given, wanted);
}

/** JSON keeps the fields apart whatever they hold: no two links share a signed text. */
function signatureOf(secret: string, key: string, expires: string, name: string): string {
  return createHmac("sha256", secret)
    .update(JSON.stringify(["sluice-object-link", "GET", key, expires, name]))
    .digest("base64url");
}
