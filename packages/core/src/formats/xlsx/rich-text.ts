import type { TextBuffer } from "../sheet/text-buffer.ts";
import { isMark, markEnd, readTag, tag, tagIs, textEnd, writeText } from "./xml-bytes.ts";

const LT = 60;

/**
 * Adds the text of a string item (`si` or `is`; ECMA-376 part 1, 18.4.8) to `out`, from behind its opening tag on: its own
 * text or that of its runs, phonetic runs left out. Returns where the item ends, -1 where bytes [from, to) do not show it; what
 * was written by then is for the caller to take back.
 */
export function writeItem(bytes: Uint8Array, from: number, to: number, out: TextBuffer): number {
  let phonetic = false;
  for (let i = from; ;) {
    while (bytes[i] !== LT) i++;
    if (i >= to) return -1;
    if (isMark(bytes, i)) {
      i = markEnd(bytes, i, to);
      if (i < 0) return -1;
      continue;
    }
    if (!readTag(bytes, i, to)) return -1;
    i = tag.end;
    if (tagIs(bytes, "t")) {
      if (tag.closing || tag.empty) continue;
      const end = textEnd(bytes, i, to);
      if (end < 0) return -1;
      if (!phonetic) writeText(bytes, i, end, out);
      i = end;
    } else if (tagIs(bytes, "rPh")) {
      phonetic = !tag.closing && !tag.empty;
    } else if (tag.closing && (tagIs(bytes, "si") || tagIs(bytes, "is"))) {
      return i;
    }
  }
}
