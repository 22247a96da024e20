import { Fault } from "./fault.ts";

/** How a dataset meets columns it does not know. The default adds them as nullable. */
export const POLICIES = ["strict", "evolve", "coerce", "off"] as const;
export type SchemaPolicy = (typeof POLICIES)[number];

/** What happens to a row that does not fit. */
export const ON_BAD_ROW = ["quarantine", "strict", "coerce"] as const;
export type OnBadRow = (typeof ON_BAD_ROW)[number];

/** The most rejects a file may have and still load: a share of its rows (0 to 1) or a count. */
export type MaxRejects = { readonly share: number } | { readonly rows: number };
export const DEFAULT_MAX_REJECTS: MaxRejects = { share: 0.1 };

export function tooManyRejects(limit: MaxRejects, rejected: number, read: number): boolean {
  return "rows" in limit ? rejected > limit.rows : rejected > limit.share * read;
}

/** The table a csv goes to. */
export const MAIN_TABLE = "main";

export const MAX_PATH_BYTES = 512;
export const MAX_SEGMENT_BYTES = 200;

// Controls, line and paragraph separators, bidirectional overrides and isolates, zero-width and byte-order marks.
const UNSEEN = /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/;
const ENCODED_DOT_OR_SLASH = /%(2e|2f|5c|00)/i;
/** Names that would meet ours inside a dataset's folder. */
const RESERVED_SEGMENT = /^(gen-\d+|pages|current\.json)$/;

/**
 * A lake path in canonical form: a leading slash, no trailing one, segments of 1 to 200 bytes, 512 bytes in all.
 * Throws `invalid_path` naming the rule that is broken.
 */
export function parsePath(text: string, field = "path"): string {
  const refuse = (rule: string): never => {
    throw new Fault("invalid_path", `${field}: ${rule}`, { field, value: text });
  };
  if (text === "") refuse("must not be empty");
  if (!text.isWellFormed()) refuse("must be well-formed Unicode");
  if (UNSEEN.test(text)) refuse("must hold no control, invisible or text-direction characters");
  if (text.includes("\\")) refuse("must use / between segments, not \\");
  if (ENCODED_DOT_OR_SLASH.test(text)) refuse("must hold no percent-encoded dot, slash or NUL");
  if (!text.startsWith("/")) refuse("must begin with /");
  const path = text.length > 1 && text.endsWith("/") ? text.slice(0, -1) : text;
  if (path === "/") refuse("must name a folder below /");
  const bytes = Buffer.byteLength(path);
  if (bytes > MAX_PATH_BYTES) {
    throw new Fault("invalid_path", `${field}: is ${bytes} bytes long, at most ${MAX_PATH_BYTES} are allowed`, {
      field,
      value: text,
      limit: MAX_PATH_BYTES,
    });
  }
  for (const segment of path.slice(1).split("/")) {
    if (segment === "") refuse("must hold no empty segment (//)");
    if (segment === "." || segment === "..") refuse("must hold no . or .. segment");
    if (/^[A-Za-z]:/.test(segment)) refuse("must hold no drive letter");
    if (segment !== segment.trim()) refuse("must hold no segment that begins or ends with a space");
    if (RESERVED_SEGMENT.test(segment)) refuse(`must hold no segment named ${segment}, which the service uses itself`);
    if (Buffer.byteLength(segment) > MAX_SEGMENT_BYTES) {
      throw new Fault("invalid_path", `${field}: a segment is longer than ${MAX_SEGMENT_BYTES} bytes`, {
        field,
        value: segment,
        limit: MAX_SEGMENT_BYTES,
      });
    }
  }
  return path.normalize("NFC");
}

/** What lies beneath `base` in `path`: "" when equal, "a/b" for a sub-path, null when it lies elsewhere. */
export function subPath(base: string, path: string): string | null {
  if (path === base) return "";
  return path.startsWith(`${base}/`) ? path.slice(base.length + 1) : null;
}

/** Every path that contains this one: "/a/b/c" -> ["/a", "/a/b"]. */
export function parentPaths(path: string): string[] {
  const segments = path.slice(1).split("/");
  return segments.slice(1).map((_, i) => `/${segments.slice(0, i + 1).join("/")}`);
}

export const MAX_FILE_NAME_BYTES = 1_024;

/** A declared file name: its last segment, whatever the client's folders. Throws `invalid_field`. */
export function parseFileName(text: string, field = "file name"): string {
  const name = text.split(/[/\\]/).at(-1) ?? "";
  if (name === "" || name === "." || name === "..") throw new Fault("invalid_field", `${field}: must name a file`, { field, value: text });
  if (!name.isWellFormed() || UNSEEN.test(name)) {
    throw new Fault("invalid_field", `${field}: must hold no control, invisible or text-direction characters`, { field, value: text });
  }
  if (Buffer.byteLength(name) > MAX_FILE_NAME_BYTES) {
    throw new Fault("invalid_field", `${field}: is longer than ${MAX_FILE_NAME_BYTES} bytes`, {
      field,
      value: text,
      limit: MAX_FILE_NAME_BYTES,
    });
  }
  return name.normalize("NFC");
}
