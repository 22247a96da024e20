import { beyond, damaged } from "./damage.ts";
import { ProtoReader } from "./protobuf.ts";

/** Compressions by their number in the postscript. */
export const COMPRESSIONS = ["none", "zlib", "snappy", "lzo", "lz4", "zstd"] as const;
export type OrcCompression = (typeof COMPRESSIONS)[number];

/** The kinds of type by their number in the footer. */
export const KINDS = [
  "boolean",
  "tinyint",
  "smallint",
  "int",
  "bigint",
  "float",
  "double",
  "string",
  "binary",
  "timestamp",
  "list",
  "map",
  "struct",
  "union",
  "decimal",
  "date",
  "varchar",
  "char",
  "timestamp_instant",
] as const;
export type OrcKind = (typeof KINDS)[number];

/** The last bytes of a file, never compressed. `version` is that of the format: 0.11, 0.12, or 1.9999 for drafts of 2.0. */
export interface Postscript {
  readonly footerLength: number;
  readonly metadataLength: number;
  readonly compression: OrcCompression;
  /** Most bytes that one compressed chunk holds. */
  readonly blockSize: number;
  readonly version: readonly number[];
}

export interface StripeInfo {
  readonly offset: number;
  readonly indexLength: number;
  readonly dataLength: number;
  readonly footerLength: number;
  readonly rows: number;
}

/** A type as the footer lists it. Precision 0: a decimal of Hive 0.11, whose values may have any. */
export interface FlatType {
  readonly kind: OrcKind;
  readonly subtypes: readonly number[];
  readonly fieldNames: readonly string[];
  readonly precision: number;
  readonly scale: number;
}

export interface Footer {
  readonly stripes: readonly StripeInfo[];
  readonly types: readonly FlatType[];
  /** null where the footer does not say. */
  readonly rows: number | null;
  /** 1: dates before 1582-10-15 are days of the Julian calendar; 2: of the proleptic Gregorian; 0: not said. */
  readonly calendar: number;
}

const DEFAULT_BLOCK_SIZE = 256 * 1024;
/** Chunks of 2^23 compressed bytes are the most that their header can say; what they hold should be no more. */
const MAX_BLOCK_SIZE = 2 ** 26;
const MAX_STRIPES = 2 ** 20;

export function parsePostscript(bytes: Uint8Array): Postscript {
  const reader = new ProtoReader(bytes);
  let [footerLength, metadataLength, compression, blockSize] = [0, 0, 0, 0];
  let magic: string | null = null;
  const version: number[] = [];
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) footerLength = reader.uint();
    else if (field === 2) compression = reader.uint();
    else if (field === 3) blockSize = reader.uint();
    else if (field === 4) reader.uints((part) => version.push(part));
    else if (field === 5) metadataLength = reader.uint();
    else if (field === 8000) magic = reader.text();
    else reader.skip();
  }
  // Files of Hive 0.11 may have no magic here; they have one at their start.
  if (magic !== null && magic !== "ORC") throw damaged("the magic in its postscript is not ORC");
  const named = COMPRESSIONS[compression];
  if (named === undefined) throw damaged(`compression ${compression} is none of ${COMPRESSIONS.join(", ")}`);
  if (blockSize > MAX_BLOCK_SIZE) throw beyond("the ORC compression block size is too large", "orcBlock", blockSize, MAX_BLOCK_SIZE);
  return { footerLength, metadataLength, compression: named, blockSize: blockSize || DEFAULT_BLOCK_SIZE, version };
}

/** `maxTypes` bounds how many types are kept in memory before anything else is known of them. */
export function parseFooter(bytes: Uint8Array, maxTypes: number): Footer {
  const reader = new ProtoReader(bytes);
  const stripes: StripeInfo[] = [];
  const types: FlatType[] = [];
  let rows: number | null = null;
  let calendar = 0;
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 3) {
      if (stripes.length >= MAX_STRIPES) throw beyond("the ORC file has too many stripes", "orcStripes", stripes.length + 1, MAX_STRIPES);
      stripes.push(parseStripe(reader.message()));
    } else if (field === 4) {
      if (types.length >= maxTypes) throw beyond("the ORC file has too many types", "columns", types.length + 1, maxTypes);
      types.push(parseType(reader.message(), maxTypes));
    } else if (field === 6) rows = reader.uint();
    else if (field === 11) calendar = reader.uint();
    else reader.skip();
  }
  return { stripes, types, rows, calendar };
}

function parseStripe(reader: ProtoReader): StripeInfo {
  let [offset, indexLength, dataLength, footerLength, rows] = [0, 0, 0, 0, 0];
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) offset = reader.uint();
    else if (field === 2) indexLength = reader.uint();
    else if (field === 3) dataLength = reader.uint();
    else if (field === 4) footerLength = reader.uint();
    else if (field === 5) rows = reader.uint();
    else reader.skip();
  }
  return { offset, indexLength, dataLength, footerLength, rows };
}

function parseType(reader: ProtoReader, maxTypes: number): FlatType {
  let [kind, precision, scale] = [0, 0, 0];
  const subtypes: number[] = [];
  const fieldNames: string[] = [];
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) kind = reader.uint();
    else if (field === 2) reader.uints((id) => subtypes.push(id));
    else if (field === 3) fieldNames.push(reader.text());
    else if (field === 5) precision = reader.uint();
    else if (field === 6) scale = reader.uint();
    else reader.skip();
    const most = Math.max(subtypes.length, fieldNames.length);
    if (most > maxTypes) throw beyond("an ORC type has too many fields", "columns", most, maxTypes);
  }
  const named = KINDS[kind];
  if (named === undefined) throw damaged(`type kind ${kind} is none that ORC has`);
  return { kind: named, subtypes, fieldNames, precision, scale };
}
