import { Fault } from "../../domain/fault.ts";

/** The records that are read ([MS-XLS] 2.3, and the OpenOffice.org description of BIFF 2 to 5). Numbers with a 2, 3 or 4 in front are of elder versions. */
export const RECORD = {
  dimensions2: 0x00,
  integer2: 0x02,
  number2: 0x03,
  label2: 0x04,
  boolErr2: 0x05,
  formula: 0x06,
  string2: 0x07,
  bof2: 0x09,
  eof: 0x0a,
  format2: 0x1e,
  date1904: 0x22,
  filepass: 0x2f,
  continue: 0x3c,
  codePage: 0x42,
  xf2: 0x43,
  boundSheet: 0x85,
  sheetHeader4: 0x8f,
  mulRk: 0xbd,
  rString: 0xd6,
  xf: 0xe0,
  sst: 0xfc,
  labelSst: 0xfd,
  number: 0x203,
  label: 0x204,
  boolErr: 0x205,
  formula3: 0x206,
  string: 0x207,
  bof3: 0x209,
  xf3: 0x243,
  rk: 0x27e,
  formula4: 0x406,
  bof4: 0x409,
  format: 0x41e,
  xf4: 0x443,
  bof: 0x809,
} as const;

/** What a BOF record begins: the workbook's own part, a sheet of cells, or several sheets of BIFF 4 in one. */
export const SUBSTREAM = { workbook: 0x05, sheet: 0x10, workspace: 0x100 } as const;

const BOFS: readonly number[] = [RECORD.bof2, RECORD.bof3, RECORD.bof4, RECORD.bof];

/** True when a stream begins as BIFF 2, 3, 4, 5 or 8 does. */
export function beginsBiff(bytes: Uint8Array): boolean {
  if (bytes.length < 8) return false;
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  return isBof(view.readUInt16LE(0)) && view.readUInt16LE(2) >= 4 && view.readUInt16LE(2) <= 16;
}

export function isBof(type: number): boolean {
  return BOFS.includes(type);
}

/** The version that a BOF record tells: 2, 3, 4, 5 or 8. */
export function versionOf(type: number, data: Buffer): number {
  if (type !== RECORD.bof) return 2 + BOFS.indexOf(type);
  return readU16(data, 0) >= 0x0600 ? 8 : 5;
}

export interface BiffRecord {
  readonly type: number;
  readonly data: Buffer;
  /** Where it begins in the stream. */
  readonly at: number;
}

/** Records from `from` on. Throws `unreadable` where one runs past the end. */
export function* recordsFrom(stream: Buffer, from: number): Generator<BiffRecord> {
  for (let at = from; at + 4 <= stream.length;) {
    const type = stream.readUInt16LE(at);
    const end = at + 4 + stream.readUInt16LE(at + 2);
    if (end > stream.length) {
      throw new Fault("unreadable", `the workbook is cut off: a record at byte ${at} ends at ${end}, the workbook at ${stream.length}`);
    }
    yield { type, data: stream.subarray(at + 4, end), at };
    at = end;
  }
}

/** The data of a record and of the CONTINUE records behind it; `at` is where the record begins. */
export function withContinued(stream: Buffer, at: number): Buffer[] {
  const parts: Buffer[] = [];
  for (const { type, data } of recordsFrom(stream, at)) {
    if (parts.length > 0 && type !== RECORD.continue) break;
    parts.push(data);
  }
  return parts;
}

/** Numbers of a record; a record that is too short for them is `unreadable`. */
export function readU16(data: Buffer, at: number): number {
  if (at + 2 > data.length) throw tooShort();
  return data.readUInt16LE(at);
}

export function readU8(data: Buffer, at: number): number {
  const value = data[at];
  if (value === undefined) throw tooShort();
  return value;
}

export function readU32(data: Buffer, at: number): number {
  if (at + 4 > data.length) throw tooShort();
  return data.readUInt32LE(at);
}

export function readDouble(data: Buffer, at: number): number {
  if (at + 8 > data.length) throw tooShort();
  return data.readDoubleLE(at);
}

export function tooShort(): Fault {
  return new Fault("unreadable", "the workbook is damaged: a record is shorter than what it holds");
}
