/**
 * A file's states and legal moves. docs/states.md draws this table and a test keeps both equal.
 *
 * receiving  its bytes arrive; set by the upload, cleaned to aborted when the client leaves or the process dies
 * aborted    it never arrived whole; shown in no history
 * fetching   a link whose bytes are not ours yet
 * staged     raw bytes durable, row committed, 2xx sent; waits for a worker
 * claimed    a worker holds a lease and the newest epoch
 * waiting    to be tried again at `due_at` (lost lease, strike, platform fault)
 * loaded     its parts are in its generation
 * stored     an opaque file, kept as it is in its generation
 * failed     content fault, strikes, or cancelled
 */
export const FILE_STATES = ["receiving", "aborted", "fetching", "staged", "claimed", "waiting", "loaded", "stored", "failed"] as const;
export type FileState = (typeof FILE_STATES)[number];

export const FILE_MOVES: Readonly<Record<FileState, readonly FileState[]>> = {
  receiving: ["staged", "aborted"],
  aborted: [],
  fetching: ["staged", "waiting", "failed"],
  staged: ["claimed", "failed"],
  claimed: ["loaded", "stored", "failed", "waiting"],
  waiting: ["claimed", "failed"],
  loaded: ["loaded"], // made again under a wider schema: rows and parts change, the state does not
  stored: [],
  failed: ["staged"], // an explicit retry
};

/** States in which a file still keeps its sync from completing. `receiving` is not one: it was never acknowledged. */
export const OPEN_FILE_STATES = ["fetching", "staged", "claimed", "waiting"] as const satisfies readonly FileState[];
/** States a worker may claim from. */
export const CLAIMABLE_FILE_STATES = ["staged", "waiting"] as const satisfies readonly FileState[];

export function mayMoveFile(from: FileState, to: FileState): boolean {
  return FILE_MOVES[from].includes(to);
}

/**
 * The account of a file's rows: read = loaded + rejected + skipped, always.
 * A file that failed has loaded 0.
 */
export interface RowCounts {
  readonly read: number;
  readonly loaded: number;
  readonly rejected: number;
  readonly skipped: number;
  /** Values set to null by `coerce`, or other things worth a look that lost no row. */
  readonly warnings: number;
}

export const NO_ROWS: RowCounts = { read: 0, loaded: 0, rejected: 0, skipped: 0, warnings: 0 };

/** Throws when the account does not add up: a bug, never a content fault. */
export function checkAccount(counts: RowCounts): RowCounts {
  if (counts.read !== counts.loaded + counts.rejected + counts.skipped) {
    throw new Error(`row account does not add up: ${JSON.stringify(counts)}`);
  }
  return counts;
}

/** The account of a file that failed: what was loaded counts as skipped, because nothing was published. */
export function failedAccount(counts: RowCounts): RowCounts {
  return { ...counts, loaded: 0, skipped: counts.skipped + counts.loaded };
}

/** A row that could not be loaded. */
export interface Reject {
  /** 1-based record number after header and preamble. */
  readonly row: number;
  /** Byte offset of the record's start in the decompressed text, or null where the format has none. */
  readonly byteOffset: number | null;
  readonly table: string;
  readonly column: string | null;
  readonly raw: string | null;
  readonly reason: string;
}

/** Rejects kept in the object, and in the record. */
export const MAX_REJECTS_KEPT = 100_000;
export const MAX_REJECTS_IN_RECORD = 100;
/** A child that died while its worker lived; this many fail the file. */
export const MAX_STRIKES = 3;
/** Lost leases after which the file runs alone, and after which it fails. */
export const LOST_LEASES_ALONE = 3;
export const MAX_LOST_LEASES = 10;
