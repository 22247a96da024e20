import { tooManyRejects } from "../domain/dataset.ts";
import { Fault } from "../domain/fault.ts";
import type { RowCounts } from "../domain/file.ts";
import type { Found } from "../formats/detect.ts";
import type { Dialect } from "../formats/format.ts";
import type { ConvertIo, ConvertRequest } from "../ports/converter.ts";
import type { RejectedRow } from "./conform.ts";
import type { RejectLog } from "./reject-log.ts";

/** What a conversion found out so far, for an outcome at any moment. */
export interface Progress {
  found: Found | null;
  dialect: Dialect;
  /** Rows seen by the pass that looks at types, and by the one that loads. */
  observed: number;
  loading: RowCounts;
  /** When progress was last told, by the monotonic clock. */
  toldAt: number;
  /** Raw bytes told so far: several tables, each in two passes, never count backwards. */
  toldBytes: number;
}

const PROGRESS_MS = 50;

/** One conversion on its way. */
export interface Run {
  readonly request: ConvertRequest;
  readonly io: ConvertIo;
  readonly signal: AbortSignal;
  readonly log: RejectLog;
  readonly progress: Progress;
  readonly how: How;
}

/** What changes the way to an outcome, but not the outcome. */
export interface How {
  /** Whether tables may be read by `OpenedTable.direct`. */
  readonly direct: boolean;
  /** How much is read at a time, and how much of a file is looked at for a first guess at its types. */
  readonly chunkBytes: number;
  readonly sniffBytes: number;
}

export const USUAL_HOW: How = { direct: true, chunkBytes: 512 * 1024, sniffBytes: 2 * 2 ** 20 };

/** Two passes read the raw bytes twice: each counts for half of them. */
export function tell(run: Run, rows: number, bytes: number): void {
  const now = performance.now();
  if (now - run.progress.toldAt < PROGRESS_MS) return;
  run.progress.toldAt = now;
  run.progress.toldBytes = Math.max(run.progress.toldBytes, Math.min(Math.floor(bytes), run.request.bytes));
  run.io.progress(rows, run.progress.toldBytes);
}

/** Adds to the account; what is loaded, rejected or skipped was read. */
export function addCounts(run: Run, more: { loaded?: number; rejected?: number; skipped?: number; warnings?: number }): void {
  const { loaded = 0, rejected = 0, skipped = 0, warnings = 0 } = more;
  const now = run.progress.loading;
  run.progress.loading = {
    read: now.read + loaded + rejected + skipped,
    loaded: now.loaded + loaded,
    rejected: now.rejected + rejected,
    skipped: now.skipped + skipped,
    warnings: now.warnings + warnings,
  };
}

/** Under `strict` the first bad row is the file's failure; the rows `before` it that were not counted yet count as read. */
export async function refuseFirst(run: Run, first: RejectedRow | undefined, before: (row: number) => number): Promise<void> {
  if (!first) return;
  const { row, column, raw, reason } = first.reject;
  addCounts(run, { loaded: before(row), rejected: 1 });
  await run.log.add([first]);
  const where = [
    `row ${row}`,
    ...(first.line === null ? [] : [`line ${first.line}`]),
    ...(column === null ? [] : [`column ${JSON.stringify(column)}`]),
  ];
  throw new Fault("bad_row", `${where.join(", ")}: ${reason}`, { ...(column === null ? {} : { field: column }), value: raw });
}

/** Throws `nothing_loaded` or `too_many_rejects` where the account calls for it. */
export function checkRejects(run: Run, counts: RowCounts): void {
  // Made again under another schema, what no longer fits becomes rejects, however much: the file was accepted before.
  if (run.request.mode === "remake") return;
  const { rejected, read, loaded, skipped } = counts;
  const first = run.log.first[0];
  const example = first ? `; the first is row ${first.row}: ${first.reason}` : "";
  if (read > skipped && loaded === 0)
    throw new Fault("nothing_loaded", `none of the ${read} rows could be loaded${example}`, { value: rejected });
  const limit = run.request.rules.maxRejects;
  if (!tooManyRejects(limit, rejected, read)) return;
  const most = "rows" in limit ? `${limit.rows} rows` : `${Number((limit.share * 100).toFixed(4))} % of them`;
  throw new Fault("too_many_rejects", `${rejected} of ${read} rows were rejected, at most ${most} may be (max_rejects)${example}`, {
    field: "max_rejects",
    value: rejected,
    limit: "rows" in limit ? limit.rows : limit.share,
  });
}
