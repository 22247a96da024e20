/**
 * A sync's states and legal moves. docs/states.md draws this table and a test keeps both equal.
 *
 * open        takes uploads
 * ending      `end` was called; the set of files is frozen, some may still be open
 * finished    every file of it is done and readers see the outcome
 * failed      nothing of it was published (full), or every file of it failed (incremental)
 * expired     idle longer than its timeout while open
 * cancelled   somebody cancelled it
 * superseded  a full sync started later was swapped in first
 */
export const SYNC_STATES = ["open", "ending", "finished", "failed", "expired", "cancelled", "superseded"] as const;
export type SyncState = (typeof SYNC_STATES)[number];

export const SYNC_MOVES: Readonly<Record<SyncState, readonly SyncState[]>> = {
  open: ["ending", "expired", "cancelled"],
  ending: ["finished", "failed", "cancelled", "superseded"],
  finished: [],
  failed: [],
  expired: [],
  cancelled: [],
  superseded: [],
};

export type SyncType = "full" | "incremental";
/** What a full sync does when some of its files failed: publish the rest, or keep the old data. */
export type OnFileError = "publish" | "keep_old";

export function mayMoveSync(from: SyncState, to: SyncState): boolean {
  return SYNC_MOVES[from].includes(to);
}

export function isClosed(state: SyncState): boolean {
  return SYNC_MOVES[state].length === 0;
}

/** What a full sync's completion is decided from. */
export interface FullSyncFacts {
  readonly loaded: number;
  readonly stored: number;
  readonly failed: number;
  readonly allowEmpty: boolean;
  readonly onFileError: OnFileError;
  /** Order of this sync's start, and of the sync that made the live generation (null: none yet). */
  readonly start: number;
  readonly liveStart: number | null;
}

export type FullSyncPlan =
  | { readonly do: "swap" }
  | { readonly do: "keep_old"; readonly state: "failed" | "superseded"; readonly why: string };

/** Decides how a full sync whose files are all done completes. Pure: the caller acts. */
export function planFullSync(facts: FullSyncFacts): FullSyncPlan {
  if (facts.liveStart !== null && facts.start < facts.liveStart) {
    return { do: "keep_old", state: "superseded", why: "a full sync started later is already published" };
  }
  if (facts.failed > 0 && facts.onFileError === "keep_old") {
    return { do: "keep_old", state: "failed", why: `${facts.failed} of its files failed and on_file_error is keep_old` };
  }
  if (facts.loaded + facts.stored === 0 && !facts.allowEmpty) {
    return { do: "keep_old", state: "failed", why: "it loaded and stored nothing; set allow_empty to publish an empty dataset" };
  }
  return { do: "swap" };
}

/** How an incremental sync whose files are all done completes. Ended with no files it is finished. */
export function planIncrementalSync(facts: { readonly total: number; readonly failed: number }): {
  readonly state: "finished" | "failed";
  readonly why: string | null;
} {
  if (facts.total > 0 && facts.failed === facts.total) return { state: "failed", why: `all ${facts.total} of its files failed` };
  return { state: "finished", why: null };
}
