/**
 * Strict JSON (RFC 8259) over bytes: where a value begins and ends, and what it is. Nothing is decoded and nothing allocated.
 * Every function gets a `to` behind which `bytes` has at least one more byte that is a NUL or a line feed: the loops stop
 * there by themselves, so that they need not ask for the end at each byte. UTF-8 is checked elsewhere, by the block.
 */

/** What a value is. `plain` is a text without escapes, `int` a number without point and exponent. 0 stands for no value at all. */
export const KIND = { absent: 0, null: 1, true: 2, false: 3, int: 4, fraction: 5, plain: 6, escaped: 7, object: 8, array: 9 } as const;

/** Results of a scan below 0: the bytes end inside the value; they are no JSON; it nests too deep. */
export const MORE = -1;
export const BROKEN = -2;
export const DEEP = -3;

/** By depth: the byte that closes what was opened. As many as may be open at once. */
let closers = new Uint8Array(128);

/** How deep objects and arrays may nest (limit jsonDepth), from now on: the limits of a process are the same for all its files. */
export function limitDepth(depth: number): void {
  if (depth !== closers.length) closers = new Uint8Array(depth);
}

/** What the last scan found, overwritten by the next: the kind of the value, or where it broke and why. */
export const scan = {
  kind: 0,
  at: 0,
  problem: "",
  /** Halves of surrogate pairs that stand alone in the texts scanned so far: UTF-8 has no place for them. */
  lone: 0,
};

const QUOTE = 34;
const BACKSLASH = 92;
const COMMA = 44;
const COLON = 58;
export const OPEN_OBJECT = 123;
export const CLOSE_OBJECT = 125;
export const OPEN_ARRAY = 91;
export const CLOSE_ARRAY = 93;

/** 1 for bytes that a string holds as they are: no quote, no backslash, no control character. */
export const PLAIN: Uint8Array = Uint8Array.from({ length: 256 }, (_, c) => (c >= 32 && c !== QUOTE && c !== BACKSLASH ? 1 : 0));
/** 1 for the characters after a backslash that stand for one character. */
const ESCAPES: Uint8Array = Uint8Array.from({ length: 256 }, (_, c) => ('"\\/bfnrt'.includes(String.fromCharCode(c)) ? 1 : 0));
const HEX: Uint8Array = Uint8Array.from({ length: 256 }, (_, c) => (/[0-9a-fA-F]/.test(String.fromCharCode(c)) ? 1 : 0));

export function broken(at: number, to: number, problem: string): number {
  scan.at = at;
  scan.problem = at >= to ? "it ends too early" : problem;
  return at >= to ? MORE : BROKEN;
}

/** Behind the white space from `at` on, at most `to`. */
export function skipSpace(bytes: Uint8Array, at: number, to: number): number {
  let i = at;
  while (i < to) {
    const c = bytes[i];
    if (c !== 32 && c !== 10 && c !== 13 && c !== 9) break;
    i++;
  }
  return i;
}

/** The end of the string that opens at `open`, behind its quote. Sets the kind to `plain` or `escaped`. */
export function scanString(bytes: Uint8Array, open: number, to: number): number {
  let i = open + 1;
  scan.kind = KIND.plain;
  for (;;) {
    while (PLAIN[bytes[i] ?? 0] === 1) i++;
    if (i >= to) return broken(i, to, "");
    const c = bytes[i];
    if (c === QUOTE) return i + 1;
    if (c !== BACKSLASH) return broken(i, to, "a control character in a text must be escaped");
    scan.kind = KIND.escaped;
    const e = bytes[i + 1] ?? 0;
    if (ESCAPES[e] === 1) i += 2;
    else if (e === 117) {
      for (let k = i + 2; k < i + 6; k++)
        if (k >= to || HEX[bytes[k] ?? 0] !== 1) return broken(k, to, "\\u needs four hexadecimal digits");
      i = isHalf(bytes, i, to, 56, 102) ? afterSurrogate(bytes, i, to) : i + 6;
    } else return broken(i + 1, to, "there is no such escape");
  }
}

/** Behind the half of a surrogate pair at `at`, and behind the other half where that follows. */
function afterSurrogate(bytes: Uint8Array, at: number, to: number): number {
  if (isHalf(bytes, at, to, 56, 98) && isHalf(bytes, at + 6, to, 99, 102)) return at + 12;
  scan.lone++;
  return at + 6;
}

/** Whether \ud stands at `at`, behind it a digit from `least` to `most` (as small letters) and two more of any kind. */
function isHalf(bytes: Uint8Array, at: number, to: number, least: number, most: number): boolean {
  if (at + 6 > to || bytes[at] !== BACKSLASH || bytes[at + 1] !== 117 || ((bytes[at + 2] ?? 0) | 32) !== 100) return false;
  const digit = bytes[at + 3] ?? 0;
  const small = digit <= 57 ? digit : digit | 32;
  return small >= least && small <= most && HEX[bytes[at + 4] ?? 0] === 1 && HEX[bytes[at + 5] ?? 0] === 1;
}

/** The end of the number that begins at `at`. Sets the kind to `int` or `fraction`. */
export function scanNumber(bytes: Uint8Array, at: number, to: number): number {
  let i = at;
  let c = bytes[i] ?? 0;
  if (c === 45) c = bytes[++i] ?? 0;
  if (c === 48) c = bytes[++i] ?? 0;
  else if (c >= 49 && c <= 57) {
    do c = bytes[++i] ?? 0;
    while (c >= 48 && c <= 57);
  } else return broken(i, to, "a number needs a digit here");
  scan.kind = KIND.int;
  if (c === 46) {
    scan.kind = KIND.fraction;
    c = bytes[++i] ?? 0;
    if (c < 48 || c > 57) return broken(i, to, "a number needs a digit after its point");
    do c = bytes[++i] ?? 0;
    while (c >= 48 && c <= 57);
  }
  if ((c | 32) === 101) {
    scan.kind = KIND.fraction;
    c = bytes[++i] ?? 0;
    if (c === 43 || c === 45) c = bytes[++i] ?? 0;
    if (c < 48 || c > 57) return broken(i, to, "a number needs a digit in its exponent");
    do c = bytes[++i] ?? 0;
    while (c >= 48 && c <= 57);
  }
  // 012 and 1.2.3: what follows would be said to be missing a comma, which helps nobody.
  if ((c >= 48 && c <= 57) || c === 46) return broken(i, to, "a number is not written so");
  return i;
}

const LITERALS = [
  { first: 110, kind: KIND.null, text: "null" },
  { first: 116, kind: KIND.true, text: "true" },
  { first: 102, kind: KIND.false, text: "false" },
] as const;

function scanLiteral(bytes: Uint8Array, at: number, to: number): number {
  const c = bytes[at];
  for (const { first, kind, text } of LITERALS) {
    if (c !== first) continue;
    for (let k = 1; k < text.length; k++)
      if (at + k >= to || bytes[at + k] !== text.charCodeAt(k)) return broken(at + k, to, `${text} is not written so`);
    scan.kind = kind;
    return at + text.length;
  }
  return broken(at, to, "a value must begin here");
}

/** The end of the value that begins at `at` (no white space before it), or MORE, BROKEN, DEEP. Sets its kind. */
export function scanValue(bytes: Uint8Array, at: number, to: number): number {
  const c = bytes[at] ?? 0;
  if (c === QUOTE) return scanString(bytes, at, to);
  if (c === 45 || (c >= 48 && c <= 57)) return scanNumber(bytes, at, to);
  if (c === OPEN_OBJECT || c === OPEN_ARRAY) {
    const end = scanContainer(bytes, at, to);
    scan.kind = c === OPEN_OBJECT ? KIND.object : KIND.array;
    return end;
  }
  return scanLiteral(bytes, at, to);
}

/** The value's place behind a key at `at`, its colon and white space. */
export function scanKey(bytes: Uint8Array, at: number, to: number): number {
  if (bytes[at] !== QUOTE || at >= to) return broken(at, to, "a key must begin here");
  const end = scanString(bytes, at, to);
  return end < 0 ? end : afterColon(bytes, end, to);
}

/** Behind the colon that follows a key, and the white space around it. */
export function afterColon(bytes: Uint8Array, at: number, to: number): number {
  const colon = skipSpace(bytes, at, to);
  if (colon >= to || bytes[colon] !== COLON) return broken(colon, to, "a colon must stand between key and value");
  return skipSpace(bytes, colon + 1, to);
}

/** No recursion: what is open stands in `closers`. */
function scanContainer(bytes: Uint8Array, at: number, to: number): number {
  let depth = 0;
  let i = at;
  for (;;) {
    const c = bytes[i] ?? 0;
    if ((c === OPEN_OBJECT || c === OPEN_ARRAY) && i < to) {
      if (depth === closers.length) {
        scan.at = i;
        return DEEP;
      }
      const closer = c + 2;
      closers[depth++] = closer;
      i = skipSpace(bytes, i + 1, to);
      if (bytes[i] === closer && i < to) {
        i++;
        depth--;
      } else {
        if (c === OPEN_OBJECT) i = scanKey(bytes, i, to);
        if (i < 0) return i;
        continue;
      }
    } else {
      i = scanValue(bytes, i, to);
      if (i < 0) return i;
    }
    // Behind a value: closers, or a comma and the next one.
    while (depth > 0) {
      i = skipSpace(bytes, i, to);
      const next = i < to ? (bytes[i] ?? 0) : 0;
      const closer = closers[depth - 1];
      if (next === closer) {
        i++;
        depth--;
      } else if (next === COMMA) {
        i = skipSpace(bytes, i + 1, to);
        if (closer === CLOSE_OBJECT) i = scanKey(bytes, i, to);
        if (i < 0) return i;
        break;
      } else return broken(i, to, closer === CLOSE_OBJECT ? "a comma or } must follow" : "a comma or ] must follow");
    }
    if (depth === 0) return i;
  }
}

/**
 * Whether the bytes are one JSON text, the whole of it: null, or what is wrong with it. A byte order mark at the start is
 * passed over (RFC 8259, section 8.1, allows it). UTF-8 is the caller's to check.
 */
export function documentProblem(content: Uint8Array): { readonly at: number; readonly problem: string } | null {
  const to = content.length;
  const bytes = new Uint8Array(to + 1);
  bytes.set(content);
  const mark = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0;
  const at = skipSpace(bytes, mark, to);
  const end = scanValue(bytes, at, to);
  if (end === DEEP) return { at: scan.at, problem: `nested deeper than ${closers.length} (limit jsonDepth)` };
  if (end < 0) return { at: scan.at, problem: scan.problem };
  const rest = skipSpace(bytes, end, to);
  return rest === to ? null : { at: rest, problem: "something follows the value" };
}
