import { Fault } from "../../domain/fault.ts";

/** Records of the BIFF stream ([MS-XLS] 2.3) that matter before its content is read. */
const RECORD = { eof: 0x0a, filepass: 0x2f, mulBlank: 0xbe, mulRk: 0xbd } as const;
const BOF = new Set([0x0009, 0x0209, 0x0409, 0x0809]);
/** One cell each: NUMBER, RK, LABEL, LABELSST, RSTRING, BOOLERR, FORMULA and their elder twins. */
const CELLS = new Set([0x0002, 0x0003, 0x0004, 0x0005, 0x0006, 0x00d6, 0x00fd, 0x0203, 0x0204, 0x0205, 0x0206, 0x0406, 0x027e]);

/** What is known of a workbook stream from the headers of its records. */
export interface BiffFacts {
  readonly cells: number;
  readonly encrypted: boolean;
  /** BIFF 8: its texts are Unicode. Elder ones have a code page. */
  readonly unicode: boolean;
}

/** True when a stream begins as BIFF 2, 3, 4, 5 or 8 does. */
export function beginsBiff(bytes: Uint8Array): boolean {
  if (bytes.length < 8) return false;
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  return BOF.has(view.readUInt16LE(0)) && view.readUInt16LE(2) >= 4 && view.readUInt16LE(2) <= 16;
}

/** Walks the records of a stream without reading them. Throws `unreadable` where one runs past the end. */
export function walkBiff(bytes: Uint8Array): BiffFacts {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const unicode = view.readUInt16LE(0) === 0x0809 && view.readUInt16LE(4) >= 0x0600;
  let cells = 0;
  let last = 0;
  for (let at = 0; at + 4 <= view.length;) {
    const type = view.readUInt16LE(at);
    const length = view.readUInt16LE(at + 2);
    // What follows the last sheet is filling.
    if (type === 0 && last === RECORD.eof) break;
    if (at + 4 + length > view.length) {
      throw new Fault(
        "unreadable",
        `the workbook is cut off: a record at byte ${at} claims ${length} bytes, ${view.length - at - 4} are left`,
      );
    }
    if (type === RECORD.filepass) return { cells, encrypted: true, unicode };
    if (CELLS.has(type)) cells++;
    else if (type === RECORD.mulRk) cells += Math.max(Math.floor((length - 6) / 6), 0);
    last = type;
    at += 4 + length;
  }
  return { cells, encrypted: false, unicode };
}
