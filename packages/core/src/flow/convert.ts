import { tooManyRejects } from "../domain/dataset.ts";
import { Fault, isFault } from "../domain/fault.ts";
import { checkAccount, failedAccount, type RowCounts } from "../domain/file.ts";
import type { Found } from "../formats/detect.ts";
import type { Dialect, OpenedTable, SourceBatch } from "../formats/format.ts";
import { ReadSource } from "../formats/source.ts";
import type { ConvertIo, ConvertOutcome, ConvertRequest, PartOutcome, TableOutcome } from "../ports/converter.ts";
import { badRowRule } from "./bad-row-rule.ts";
import { chooseColumns } from "../schema/choose-columns.ts";
import { conform, planTable, type RejectedRow } from "./conform.ts";
import { detectedOf, open, recognize } from "./parse.ts";
import { inspect } from "./inspect.ts";
import { DroppableIo, inEncoding, otherEncoding } from "./other-encoding.ts";
import { TypedNumbers } from "../schema/typed-numbers.ts";
import { RejectLog } from "./reject-log.ts";
import { TableWriter } from "./write.ts";

/** Whether this process should convert nothing more: parquet-wasm trapped in it, on a file whose fault it was. */
export { hasTrapped as isWorn } from "../parquet/wasm-trap.ts";

/** What a conversion found out so far, for an outcome at any moment. */
interface Progress {
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

interface Run {
  readonly request: ConvertRequest;
  readonly io: ConvertIo;
  readonly signal: AbortSignal;
  readonly log: RejectLog;
  readonly progress: Progress;
}

/**
 * One file -> parts and rejects. What is wrong with the file is an outcome of kind `failed`; platform faults of the io,
 * bugs and the signal's reason are thrown. A failed outcome may leave parts open: their sinks are the caller's to drop.
 */
export async function convert(request: ConvertRequest, to: ConvertIo, signal: AbortSignal): Promise<ConvertOutcome> {
  const io = new DroppableIo(to);
  const progress: Progress = {
    found: null,
    dialect: {},
    observed: 0,
    loading: { read: 0, loaded: 0, rejected: 0, skipped: 0, warnings: 0 },
    toldAt: Number.NEGATIVE_INFINITY,
    toldBytes: 0,
  };
  const run: Run = { request, io, signal, log: new RejectLog(io), progress };
  const source = new ReadSource(request.bytes, (offset, length) => io.read(offset, length), signal);
  try {
    if (request.mode === "inspect") return { kind: "inspected", inspection: await inspect(request, source, signal) };
    return await convertFile(run, source);
  } catch (error) {
    signal.throwIfAborted();
    // A reader in between may have wrapped or replaced what the store threw.
    if (source.failure !== null) throw source.failure;
    const encoding = await otherEncoding(error, request, source);
    if (encoding !== null) {
      await io.drop();
      return convert(inEncoding(request, encoding), to, signal);
    }
    if (!isFault(error) || error.blame !== "content") throw error;
    return await failed(run, error);
  }
}

async function convertFile(run: Run, source: ReadSource): Promise<ConvertOutcome> {
  const found = await recognize(run.request, source);
  run.progress.found = found;
  if (found.format === "opaque")
    return { kind: "opaque", detected: detectedOf(found, run.progress.dialect), contentType: found.contentType };
  const file = await open(found, run.request, source);
  run.progress.dialect = file.dialect;
  const tables: TableOutcome[] = [];
  const parts: PartOutcome[] = [];
  for (const table of file.tables) {
    const loaded = await loadTable(run, table);
    tables.push(loaded.outcome);
    parts.push(...loaded.parts);
  }
  const counts = checkAccount(run.progress.loading);
  checkRejects(run, counts);
  return {
    kind: "tables",
    detected: detectedOf(found, run.progress.dialect),
    tables,
    parts,
    counts,
    rejects: run.log.first,
    rejectsBytes: await run.log.close(),
  };
}

async function loadTable(run: Run, opened: OpenedTable): Promise<{ outcome: TableOutcome; parts: readonly PartOutcome[] }> {
  const { request, io, progress } = run;
  const { columns, declared } = chooseColumns(opened.table, opened.columns, request.options);
  const table = { ...opened, columns };
  let passes = 1;
  const plan = await planTable(table, request, declared, (batch) => {
    passes = 2;
    progress.observed += batch.rows + batch.misfits.length + (batch.skipped ?? 0);
    tell(run, 0, batch.rawBytes / 2);
  });
  if (plan.dropped.length > 0 && request.mode === "load") addCounts(run, { warnings: plan.dropped.length });
  const onBadRow = badRowRule(request);
  const context = {
    table: table.table,
    source: table.columns,
    plan,
    rules: opened.rules,
    onBadRow,
    file: request.file,
    loadedAtMs: request.loadedAtMs,
  };
  const numbers = new TypedNumbers(
    table.columns,
    plan,
    Object.hasOwn(request.schemas, table.table) ? request.schemas[table.table] : undefined,
  );
  const writer = new TableWriter({ table: table.table, file: request.file, schema: plan.schema, partBytes: request.limits.partBytes }, io);
  try {
    for await (const batch of table.batches()) {
      const conformed = conform(batch, context);
      numbers.add(batch.columns);
      if (onBadRow === "strict") await refuseFirst(run, batch, conformed.rejects[0]);
      await run.log.add(conformed.rejects);
      addCounts(run, {
        loaded: conformed.rows,
        rejected: conformed.rejects.length,
        skipped: batch.skipped ?? 0,
        warnings: conformed.warnings,
      });
      await writer.write(conformed);
      tell(run, progress.loading.read, passes === 1 ? batch.rawBytes : (request.bytes + batch.rawBytes) / 2);
      run.signal.throwIfAborted();
    }
    checkRejects(run, progress.loading);
    await writer.finish();
  } catch (error) {
    await writer.abort();
    throw error;
  }
  return { outcome: { table: table.table, schema: numbers.schema(), change: plan.change, widened: plan.widened }, parts: writer.parts };
}

/** Two passes read the raw bytes twice: each counts for half of them. */
function tell(run: Run, rows: number, bytes: number): void {
  const now = performance.now();
  if (now - run.progress.toldAt < PROGRESS_MS) return;
  run.progress.toldAt = now;
  run.progress.toldBytes = Math.max(run.progress.toldBytes, Math.min(Math.floor(bytes), run.request.bytes));
  run.io.progress(rows, run.progress.toldBytes);
}

function addCounts(run: Run, more: { loaded?: number; rejected?: number; skipped?: number; warnings?: number }): void {
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

/** Under `strict` the first bad row is the file's failure; the rows before it count as read. */
async function refuseFirst(run: Run, batch: SourceBatch, first: RejectedRow | undefined): Promise<void> {
  if (!first) return;
  const { row, column, raw, reason } = first.reject;
  const before = batch.rowNumbers.filter((number) => number < row).length;
  addCounts(run, { loaded: before, rejected: 1 });
  await run.log.add([first]);
  const where = [
    `row ${row}`,
    ...(first.line === null ? [] : [`line ${first.line}`]),
    ...(column === null ? [] : [`column ${JSON.stringify(column)}`]),
  ];
  throw new Fault("bad_row", `${where.join(", ")}: ${reason}`, { ...(column === null ? {} : { field: column }), value: raw });
}

function checkRejects(run: Run, counts: RowCounts): void {
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

async function failed(run: Run, fault: Fault): Promise<ConvertOutcome> {
  const { progress, log } = run;
  const counts = failedAccount(checkAccount(progress.loading));
  // The first pass may have read further than the second.
  const unread = Math.max(progress.observed - counts.read, 0);
  return {
    kind: "failed",
    detected: progress.found === null ? null : detectedOf(progress.found, progress.dialect),
    fault: fault.toRecord(),
    counts: checkAccount({ ...counts, read: counts.read + unread, skipped: counts.skipped + unread }),
    rejects: log.first,
    rejectsBytes: await log.close(),
  };
}
