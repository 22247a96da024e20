import { toldLimit } from "../domain/convert-limits.ts";
import { type Fault, isFault } from "../domain/fault.ts";
import { checkAccount, failedAccount } from "../domain/file.ts";
import type { ColumnType } from "../domain/table-schema.ts";
import { Unforeseen } from "../formats/direct.ts";
import type { OpenedTable } from "../formats/format.ts";
import { ReadSource } from "../formats/source.ts";
import type { ConvertIo, ConvertOutcome, ConvertRequest, Detected, PartOutcome, TableOutcome } from "../ports/converter.ts";
import { badRowRule } from "./bad-row-rule.ts";
import { chooseColumns } from "../schema/choose-columns.ts";
import { conform, planTable } from "./conform.ts";
import { detectedOf, open, recognize } from "./parse.ts";
import { inspect } from "./inspect.ts";
import { DroppableIo, inEncoding, otherEncoding } from "./other-encoding.ts";
import type { Plan } from "../schema/enforce.ts";
import { TypedNumbers } from "../schema/typed-numbers.ts";
import { isDirect, loadDirect, type Loaded } from "./load-direct.ts";
import { RejectLog } from "./reject-log.ts";
import { addCounts, checkRejects, type How, type Progress, refuseFirst, type Run, tell, USUAL_HOW } from "./run.ts";
import { WidenedRows } from "./widened-rows.ts";
import { TableWriter } from "./write.ts";

/** Whether this process should convert nothing more: parquet-wasm trapped in it, on a file whose fault it was. */
export { hasTrapped as isWorn } from "../parquet/wasm-trap.ts";

/**
 * One file -> parts and rejects. What is wrong with the file is an outcome of kind `failed`; platform faults of the io,
 * bugs and the signal's reason are thrown. A failed outcome may leave parts open: their sinks are the caller's to drop.
 * The outcome is the same, `how`ever the file is read.
 */
export async function convert(request: ConvertRequest, to: ConvertIo, signal: AbortSignal, how: How = USUAL_HOW): Promise<ConvertOutcome> {
  const io = new DroppableIo(to);
  const progress: Progress = {
    found: null,
    dialect: {},
    observed: 0,
    loading: { read: 0, loaded: 0, rejected: 0, skipped: 0, warnings: 0 },
    toldAt: Number.NEGATIVE_INFINITY,
    toldBytes: 0,
  };
  const run: Run = { request, io, signal, log: new RejectLog(io), progress, how };
  const source = new ReadSource(
    request.bytes,
    (offset, length) => io.read(offset, length),
    signal,
    (bytes) => io.recycle(bytes),
  );
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
      return convert(inEncoding(request, encoding), to, signal, how);
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
  const file = await open(found, run.request, source, run.how.chunkBytes);
  run.progress.dialect = file.dialect;
  const tables: TableOutcome[] = [];
  const parts: PartOutcome[] = [];
  for (const table of file.tables) {
    const loaded = await loadTable(run, table);
    tables.push(loaded.outcome);
    parts.push(...loaded.parts);
    // What was only seen of the next table is added to all that was read of those before it.
    run.progress.observed = run.progress.loading.read;
  }
  const counts = checkAccount(run.progress.loading);
  checkRejects(run, counts);
  return {
    kind: "tables",
    detected: { ...detectedOf(found, run.progress.dialect), ...widenedIn(tables) },
    tables,
    parts,
    counts,
    rejects: run.log.first,
    rejectsBytes: await run.log.close(),
  };
}

/** By source column: the type of the column that it feeds. */
function feedsOf(plan: Plan, width: number): (ColumnType | null)[] {
  const feeds = Array.from({ length: width }, (): ColumnType | null => null);
  plan.schema.columns.forEach(({ type }, i) => {
    const from = plan.from[i] ?? null;
    if (from !== null) feeds[from] = type;
  });
  return feeds;
}

/** What is said of a table by its head alone may be wrong, as far as it is about its columns: all of it is looked at then. */
async function loadTable(run: Run, opened: OpenedTable): Promise<Loaded> {
  if (!opened.whole) return loadKnown(run, opened);
  if (run.how.direct && isDirect(run.request, opened)) {
    const { observed } = run.progress;
    try {
      return await loadKnown(run, opened);
    } catch (error) {
      if (!(error instanceof Unforeseen) && !(isFault(error) && error.code === "schema_mismatch")) throw error;
      run.progress.observed = observed;
    }
  }
  return loadKnown(run, { ...(await opened.whole()), table: opened.table });
}

async function loadKnown(run: Run, opened: OpenedTable): Promise<Loaded> {
  const { request, io, progress } = run;
  const { columns, declared } = chooseColumns(opened.table, opened.columns, request.options);
  const table = { ...opened, columns };
  progress.observed += opened.looked ?? 0;
  if (run.how.direct && opened.direct && isDirect(request, table)) return loadDirect(run, table, opened.direct, declared);
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
  const live = Object.hasOwn(request.schemas, table.table) ? request.schemas[table.table] : undefined;
  const numbers = new TypedNumbers(table.columns, plan, live);
  // By other rules of what a number is, which row asked is not known.
  const widened = opened.rules ? null : new WidenedRows(table.columns, plan, live);
  const writer = new TableWriter({ table: table.table, file: request.file, schema: plan.schema, partBytes: request.limits.partBytes }, io);
  try {
    for await (const batch of table.batches(feedsOf(plan, columns.length))) {
      const conformed = conform(batch, context);
      numbers.add(batch.columns);
      widened?.addBatch(batch);
      if (onBadRow === "strict")
        await refuseFirst(run, conformed.rejects[0], (row) => batch.rowNumbers.filter((number) => number < row).length);
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
  const rows = widened?.rows();
  const outcome = { table: table.table, schema: numbers.schema(), change: plan.change, widened: plan.widened };
  return { outcome: rows === undefined ? outcome : { ...outcome, widenedAt: rows }, parts: writer.parts };
}

/** What the file's record says of columns that it widened. */
function widenedIn(tables: readonly TableOutcome[]): Pick<Detected, "widened"> {
  const widened = tables.flatMap(({ table, widenedAt = {} }) => Object.entries(widenedAt).map(([column, row]) => ({ table, column, row })));
  return widened.length === 0 ? {} : { widened };
}

async function failed(run: Run, fault: Fault): Promise<ConvertOutcome> {
  const { progress, log } = run;
  const counts = failedAccount(checkAccount(progress.loading));
  // The first pass may have read further than the second.
  const unread = Math.max(progress.observed - counts.read, 0);
  return {
    kind: "failed",
    detected: progress.found === null ? null : detectedOf(progress.found, progress.dialect),
    fault: toldLimit(fault.toRecord()),
    counts: checkAccount({ ...counts, read: counts.read + unread, skipped: counts.skipped + unread }),
    rejects: log.first,
    rejectsBytes: await log.close(),
  };
}
