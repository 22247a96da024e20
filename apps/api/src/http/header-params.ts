import { Fault } from "@sluice/core/domain/fault";

/** A header of the form `value; name=token; name="quoted"`, with its parameters in order. */
export interface HeaderWithParams {
  readonly value: string;
  readonly params: readonly { readonly name: string; readonly value: string }[];
}

const PARAM = /^\s*;\s*([!#$%&'*+.^_`|~0-9A-Za-z-]+)\s*=\s*(?:"((?:[^"\\]|\\[\s\S])*)"|([^\s;"]*))/;

/**
 * Splits a header. In a quoted value only `\"` and `\\` are escapes: browsers send a backslash of a file name as it is.
 * Null when it is malformed.
 */
export function parseHeaderParams(header: string): HeaderWithParams | null {
  const cut = header.indexOf(";");
  const value = (cut === -1 ? header : header.slice(0, cut)).trim().toLowerCase();
  const params: { name: string; value: string }[] = [];
  let rest = cut === -1 ? "" : header.slice(cut);
  while (!/^\s*;?\s*$/.test(rest)) {
    const found = PARAM.exec(rest);
    if (!found) return null;
    params.push({ name: (found[1] ?? "").toLowerCase(), value: found[2]?.replace(/\\(["\\])/g, "$1") ?? found[3] ?? "" });
    rest = rest.slice(found[0].length);
  }
  return { value, params };
}

/** The last parameter of that name: of the two boundaries that `curl --header 'Content-Type: …; boundary=x' --form …` sends, the last is curl's own. */
export function lastParam(header: HeaderWithParams, name: string): string | null {
  return header.params.findLast((param) => param.name === name)?.value ?? null;
}

/**
 * The file name of a Content-Disposition: `filename*` (RFC 5987) before `filename`; null when there is neither.
 * Throws `duplicate_field`, `invalid_field`.
 */
export function fileNameOf(disposition: HeaderWithParams): string | null {
  for (const name of ["filename", "filename*"]) {
    if (disposition.params.filter((param) => param.name === name).length > 1) {
      throw new Fault("duplicate_field", `${name}: stands twice in one Content-Disposition`, { field: name });
    }
  }
  const extended = lastParam(disposition, "filename*");
  return extended === null ? lastParam(disposition, "filename") : decodeExtended(extended);
}

function decodeExtended(text: string): string {
  const found = /^(utf-8|iso-8859-1)'[^']*'([!#$&+.^_`|~0-9A-Za-z%-]*)$/i.exec(text);
  const bytes = found && /^(?:[^%]|%[0-9A-Fa-f]{2})*$/.test(found[2] ?? "") ? percentDecoded(found[2] ?? "") : null;
  if (found && bytes) {
    if (found[1]?.toLowerCase() === "iso-8859-1") return bytes.toString("latin1");
    const name = utf8(bytes);
    if (name !== null) return name;
  }
  throw new Fault("invalid_field", "filename*: must be written as RFC 5987 has it, such as UTF-8''na%C3%AFve.csv", {
    field: "filename*",
    value: text,
  });
}

function percentDecoded(text: string): Buffer {
  return Buffer.from(
    text.replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
    "latin1",
  );
}

/** The bytes as text, or null when they are not UTF-8. A byte-order mark is kept. */
export function utf8(bytes: Uint8Array): string | null {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return null;
  }
}
