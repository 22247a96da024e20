import { KIND } from "./scan-value.ts";

/** By the character after a backslash: the byte it stands for. */
const PLAIN_ESCAPES: ReadonlyMap<number, number> = new Map([
  [34, 34],
  [92, 92],
  [47, 47],
  [98, 8],
  [102, 12],
  [110, 10],
  [114, 13],
  [116, 9],
]);
const REPLACEMENT = 0xfffd;

/** Writes the text bytes[from, to) without its escapes (a surrogate that stands alone as U+FFFD) into `out`, which has room for `to - from` bytes from `at` on; where it ends. */
export function unescape(bytes: Uint8Array, from: number, to: number, out: Uint8Array, at: number): number {
  let o = at;
  for (let i = from; i < to;) {
    const c = bytes[i] ?? 0;
    if (c !== 92) {
      out[o++] = c;
      i++;
      continue;
    }
    const plain = PLAIN_ESCAPES.get(bytes[i + 1] ?? 0);
    if (plain !== undefined) {
      out[o++] = plain;
      i += 2;
      continue;
    }
    let code = hex(bytes, i + 2);
    i += 6;
    if (code >= 0xd800 && code <= 0xdfff) {
      const low = code <= 0xdbff && i + 6 <= to && bytes[i] === 92 && bytes[i + 1] === 117 ? hex(bytes, i + 2) : 0;
      if (low >= 0xdc00 && low <= 0xdfff) {
        code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
        i += 6;
      } else code = REPLACEMENT;
    }
    o = putUtf8(out, o, code);
  }
  return o;
}

function hex(bytes: Uint8Array, at: number): number {
  let code = 0;
  for (let i = at; i < at + 4; i++) {
    const c = bytes[i] ?? 0;
    code = (code << 4) | (c <= 57 ? c - 48 : (c | 32) - 87);
  }
  return code;
}

function putUtf8(out: Uint8Array, at: number, code: number): number {
  let o = at;
  if (code < 0x80) out[o++] = code;
  else {
    if (code < 0x800) out[o++] = 0xc0 | (code >> 6);
    else {
      if (code < 0x10000) out[o++] = 0xe0 | (code >> 12);
      else {
        out[o++] = 0xf0 | (code >> 18);
        out[o++] = 0x80 | ((code >> 12) & 63);
      }
      out[o++] = 0x80 | ((code >> 6) & 63);
    }
    out[o++] = 0x80 | (code & 63);
  }
  return o;
}

/** The text bytes[from, to), its quotes left out. */
export function textOf(bytes: Uint8Array, from: number, to: number, escaped: boolean): string {
  if (!escaped) return Buffer.from(bytes.buffer, bytes.byteOffset + from, to - from).toString("utf8");
  const out = Buffer.alloc(to - from);
  return out.toString("utf8", 0, unescape(bytes, from, to, out, 0));
}

/** A value as the text that stands for it: a text without its quotes, anything else as it is written; null for null and none. */
export function cellText(bytes: Uint8Array, from: number, to: number, kind: number): string | null {
  if (kind === KIND.absent || kind === KIND.null) return null;
  return textOf(bytes, from, to, kind === KIND.escaped);
}
