import { type ConvertLimits, DEFAULT_LIMITS } from "../domain/convert-limits.ts";
import type { LoadRules } from "../domain/options.ts";
import type { FaultRecord } from "../domain/fault.ts";
import type { Reject, RowCounts } from "../domain/file.ts";
import type { CompressionName, FileOptions, FormatName } from "../domain/options.ts";
import type { TableSchema, TableSchemas } from "../domain/table-schema.ts";

export { type ConvertLimits, DEFAULT_LIMITS };

/**
 * Raw bytes -> parts. The worker runs it in a sandboxed child; `flow/convert.ts` is what runs there.
 * Everything in a request and an outcome is plain data (structured-clonable, JSON-safe but for Uint8Array in the io).
 */
export interface Converter {
  /**
   * Converts one file. A content fault is an outcome of kind `failed`, never a throw. Throws a `Fault` of blame
   * platform when the raw bytes or the sinks fail, `child_died` when the sandbox died, and the signal's reason on abort.
   */
  convert(request: ConvertRequest, io: ConvertIo, signal: AbortSignal): Promise<ConvertOutcome>;
}

export interface ConvertRequest {
  /** The declared file name, with its extension. */
  readonly name: string;
  /** Size of the raw bytes. */
  readonly bytes: number;
  readonly options: FileOptions;
  readonly rules: LoadRules;
  /** The schemas of the generation's tables as they are now; none yet: {}. */
  readonly schemas: TableSchemas;
  /**
   * `load`: schemas may grow as the policy allows. `remake`: exactly these schemas; what does not fit is a reject.
   * `inspect`: looks at the head of the file, opens no sink.
   */
  readonly mode: "load" | "remake" | "inspect";
  /** For lineage columns and the part's key-value metadata. */
  readonly file: string;
  readonly loadedAtMs: number;
  readonly limits: ConvertLimits;
}

/** How a conversion reaches bytes. Reads may be repeated and out of order; sinks are used one at a time. */
export interface ConvertIo {
  /** Up to `length` bytes from `offset`; fewer only at the end of the file. */
  read(offset: number, length: number): Promise<Uint8Array>;
  /** Takes back bytes that `read` gave, whole and once, when nobody looks at them any more: their memory serves the next read. */
  recycle?(bytes: Uint8Array): void;
  /** A new part of a table; its sink owns the object's key. */
  openPart(table: string): Promise<PartSink>;
  /** The rejects object of this attempt; opened at most once. One JSON object a line. */
  openRejects(): Promise<PartSink>;
  /** Rows read and raw bytes consumed so far; cheap, called about every 50 ms at most. */
  progress(rows: number, bytes: number): void;
}

export interface PartSink {
  /** Takes the bytes for good: their buffer must not be written to again. Resolves when more may come (backpressure). */
  write(bytes: Uint8Array): Promise<void>;
  /** Resolves when the object is whole and durable. */
  close(): Promise<{ bytes: number; sha256: string }>;
  /**
   * Drops the object, also one that was closed: resolves when nothing of it is left to be found. The outcome does not name the
   * part, as if it had never been opened. No write may be under way, and nothing comes after it.
   */
  abort(): Promise<void>;
}

/** What was found out about a file, kept in its record. */
export interface Detected {
  readonly format: FormatName;
  readonly compression: CompressionName;
  readonly delimiter?: string;
  readonly quote?: string;
  readonly escape?: string;
  readonly header?: boolean;
  readonly headerRows?: number;
  readonly preambleRows?: number;
  readonly encoding?: string;
  readonly decimal?: string;
  /** Columns of the dataset that this file widened, each with the first row that asked for it. */
  readonly widened?: readonly { readonly table: string; readonly column: string; readonly row: number }[];
  /** How the format was told: declared option, magic bytes, extension or content. */
  readonly by: "option" | "magic" | "extension" | "content";
}

export interface PartOutcome {
  readonly table: string;
  readonly rows: number;
  readonly bytes: number;
  readonly sha256: string;
}

export interface TableOutcome {
  readonly table: string;
  /** The schema under which the parts were written: the given one, or grown. */
  readonly schema: TableSchema;
  /** none: as given; added: new columns only; widened: a live column's type changed, so its other parts must be made again. */
  readonly change: "none" | "added" | "widened";
  /** Names of widened columns. */
  readonly widened: readonly string[];
  /** By widened column: the first row whose value its former type does not hold; absent where it is not known. */
  readonly widenedAt?: Readonly<Record<string, number>>;
}

/** What a load of the file would do to a table, and what its first rows would be. */
export interface InspectedTable {
  readonly table: string;
  /** The columns under which the file would be loaded. */
  readonly columns: readonly { readonly name: string; readonly type: string }[];
  /** What loading it would change in the dataset's table; null where there is none yet. */
  readonly difference: {
    readonly added: readonly string[];
    /** Columns of the table that the file does not have. */
    readonly missing: readonly string[];
    /** Columns of the file that are left out. */
    readonly dropped: readonly string[];
    readonly widened: readonly { readonly name: string; readonly from: string; readonly to: string }[];
  } | null;
  /** Rows looked at: all of them where `complete`, else those at the beginning. */
  readonly sampled: RowCounts;
  readonly complete: boolean;
  /** Rows of the whole table: counted where `complete`, else reckoned from the sample; null where nothing tells. */
  readonly estimatedRows: number | null;
  /** The first rows that would be loaded, values in the order of `columns`; numbers beyond 2^53 and exact decimals as texts. */
  readonly preview: readonly (readonly unknown[])[];
}

/** The outcome of a dry run. */
export interface Inspection {
  readonly detected: Detected | null;
  /** Why loading the file would fail, as far as its head tells. */
  readonly fault: FaultRecord | null;
  readonly tables: readonly InspectedTable[];
  /** The first rows of the sample that would be rejected. */
  readonly problems: readonly Reject[];
}

export type ConvertOutcome = LoadOutcome | { readonly kind: "inspected"; readonly inspection: Inspection };

/** What becomes of a file under every mode but `inspect`. */
export type LoadOutcome =
  | { readonly kind: "opaque"; readonly detected: Detected; readonly contentType: string }
  | {
      readonly kind: "tables";
      readonly detected: Detected;
      readonly tables: readonly TableOutcome[];
      /** In the order in which `openPart` was called; aborted ones are left out. */
      readonly parts: readonly PartOutcome[];
      readonly counts: RowCounts;
      /** The first 100. */
      readonly rejects: readonly Reject[];
      readonly rejectsBytes: number | null;
    }
  | {
      readonly kind: "failed";
      readonly detected: Detected | null;
      readonly fault: FaultRecord;
      readonly counts: RowCounts;
      readonly rejects: readonly Reject[];
      readonly rejectsBytes: number | null;
    };
