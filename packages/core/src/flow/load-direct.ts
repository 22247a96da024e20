import { isFault } from "../domain/fault.ts";
import { type ColumnType, sameType, type TableSchema } from "../domain/table-schema.ts";
import { type DirectPass, type DirectTable, Unforeseen } from "../formats/direct.ts";
import type { OpenedTable } from "../formats/format.ts";
import type { ConvertRequest, PartOutcome, TableOutcome } from "../ports/converter.ts";
import type { Plan } from "../schema/enforce.ts";
import { RESCUED } from "../schema/lineage.ts";
import { badRowRule } from "./bad-row-rule.ts";
import { ColumnWatch } from "./column-watch.ts";
import { type Planning, planning, type RejectedRow } from "./conform.ts";
import { type BlockLoad, DirectLoad } from "./direct-load.ts";
import { addCounts, checkRejects, refuseFirst, type Run, tell } from "./run.ts";
import { WidenedRows } from "./widened-rows.ts";
import { TableWriter } from "./write.ts";

export interface Loaded {
  readonly outcome: TableOutcome;
  readonly parts: readonly PartOutcome[];
}

/** Rejects that are held back while the types are a guess, in rows and in characters: a guess with more is not worth waiting for. */
const HELD_ROWS = 2_000;
const HELD_CHARS = 2 ** 20;

/** Whether a table can be loaded the short way: nested columns and rescued values need rows in the long form. */
export function isDirect(request: ConvertRequest, table: OpenedTable): boolean {
  if (request.options.rescued) return false;
  const live = Object.hasOwn(request.schemas, table.table) ? (request.schemas[table.table]?.columns ?? []) : [];
  return live.every(({ name, type }) => name !== RESCUED && type.kind !== "nested");
}

/**
 * Loads a table the short way. Where its types depend on the file, they are guessed from its head and the file is loaded under
 * the guess, every cell being looked at on the way. Where a later row says otherwise, the rest of the file is only looked at,
 * what was written is dropped, and the file is read once more: the outcome is that of looking at the whole file first.
 */
export async function loadDirect(
  run: Run,
  table: OpenedTable,
  direct: DirectTable,
  declared: Readonly<Record<string, ColumnType>>,
): Promise<Loaded> {
  const from: DirectSource = { table, direct, planner: planning(table, run.request, declared) };
  // Nobody would look at the rows that no column was made for.
  if (table.whole && !from.planner.asked.includes(true)) throw new Unforeseen();
  if (!from.planner.asked.includes(true)) return load(run, from, from.planner.plan(table.columns.map(() => null)), false);
  const watch = new ColumnWatch(table, from.planner, direct.columns);
  const whole = await sniff(run, from, watch);
  if (!whole) {
    const guess = guessed(from.planner, watch);
    const loaded = guess === null ? await observeAll(run, from, watch) : await loadUnderGuess(run, from, guess, watch);
    if (loaded !== null) return loaded;
  }
  return load(run, from, from.planner.plan(watch.facts()), true);
}

interface DirectSource {
  readonly table: OpenedTable;
  readonly direct: DirectTable;
  readonly planner: Planning;
}

/** Looks at the head of the file; true when that was all of it. */
async function sniff(run: Run, from: DirectSource, watch: ColumnWatch): Promise<boolean> {
  const pass = from.direct.open();
  let rows = 0;
  try {
    for (;;) {
      const block = await pass.next();
      if (block === null) return true;
      watch.observe(block);
      rows += block.rows + block.misfits.length;
      if (pass.rawBytes >= run.how.sniffBytes && run.request.bytes > pass.rawBytes) {
        rows = 0;
        return false;
      }
    }
  } finally {
    run.progress.observed += rows;
    await pass.close();
  }
}

/** A plan from what was seen so far, or null where only the whole file can say what is wrong with it. */
function guessed(planner: Planning, watch: ColumnWatch): Plan | null {
  try {
    return planner.plan(watch.facts());
  } catch (error) {
    if (isFault(error)) return null;
    throw error;
  }
}

async function observeAll(run: Run, from: DirectSource, watch: ColumnWatch): Promise<null> {
  const pass = from.direct.open();
  try {
    await observeRest(run, pass, watch);
  } finally {
    await pass.close();
  }
  return null;
}

async function observeRest(run: Run, pass: DirectPass, watch: ColumnWatch): Promise<void> {
  for (let block = await pass.next(); block !== null; block = await pass.next()) {
    watch.observe(block);
    run.progress.observed += block.rows + block.misfits.length;
    tell(run, 0, pass.rawBytes / 2);
    run.signal.throwIfAborted();
  }
}

/** Loads under a guess that may prove wrong: null then, with nothing of it left, and the whole file looked at. */
async function loadUnderGuess(run: Run, from: DirectSource, guess: Plan, watch: ColumnWatch): Promise<Loaded | null> {
  const { table, planner } = from;
  const onBadRow = badRowRule(run.request);
  const writer = writerFor(run, table, guess.schema);
  const columns = loadFor(run, from, guess, watch);
  const widened = widenedBy(run, from, guess);
  const held = new HeldRows();
  const pass = from.direct.open();
  const stands = (): Plan | null => {
    const now = guessed(planner, watch);
    return now !== null && sameTypes(now.schema, guess.schema) ? now : null;
  };
  let final: Plan | null = null;
  try {
    for (;;) {
      const block = await pass.next();
      if (block === null) {
        final = stands();
        break;
      }
      if (columns.hasNoRoomFor(block.rows)) await writeGroup(columns, writer, held);
      widened.addBlock(block);
      const fits = columns.add(block);
      run.progress.observed += block.rows + block.misfits.length;
      if (!fits && stands() === null) break;
      held.add(columns.settle(block));
      if (held.tooMany || (onBadRow === "strict" && held.rejects.length > 0)) break;
      tell(run, held.rows, pass.rawBytes);
      run.signal.throwIfAborted();
    }
    if (final === null) {
      await writer.drop();
      await observeRest(run, pass, watch);
      return null;
    }
    await writeGroup(columns, writer, held);
    await run.log.add(held.rejects);
    addCounts(run, { loaded: held.rows, rejected: held.rejects.length, warnings: held.warnings + droppedBy(run, final) });
    checkRejects(run, run.progress.loading);
    await writer.finish();
  } catch (error) {
    // The file is read again then: a part that stayed open would be taken for the first of the second reading.
    await (error instanceof Unforeseen ? writer.drop() : writer.abort());
    throw error;
  } finally {
    await pass.close();
    columns.release();
  }
  return { outcome: outcomeOf(table, final, widened), parts: writer.parts };
}

/** Loads under a plan that stands. `again`: the file was read before. */
async function load(run: Run, from: DirectSource, plan: Plan, again: boolean): Promise<Loaded> {
  const { table } = from;
  const onBadRow = badRowRule(run.request);
  const writer = writerFor(run, table, plan.schema);
  const columns = loadFor(run, from, plan, null);
  const widened = widenedBy(run, from, plan);
  const since = { rejected: 0 };
  const pass = from.direct.open();
  addCounts(run, { warnings: droppedBy(run, plan) });
  try {
    for (let block = await pass.next(); block !== null; block = await pass.next()) {
      if (columns.hasNoRoomFor(block.rows)) await writeGroup(columns, writer, since);
      widened.addBlock(block);
      columns.add(block);
      const { rows, rejects, warnings } = columns.settle(block);
      const held = block;
      if (onBadRow === "strict") await refuseFirst(run, rejects[0], (row) => rowsBefore(held, row));
      await run.log.add(rejects);
      since.rejected += rejects.length;
      addCounts(run, { loaded: rows, rejected: rejects.length, warnings });
      tell(run, run.progress.loading.read, again ? (run.request.bytes + pass.rawBytes) / 2 : pass.rawBytes);
      run.signal.throwIfAborted();
    }
    await writeGroup(columns, writer, since);
    checkRejects(run, run.progress.loading);
    await writer.finish();
  } catch (error) {
    await writer.abort();
    throw error;
  } finally {
    await pass.close();
    columns.release();
  }
  return { outcome: outcomeOf(table, plan, widened), parts: writer.parts };
}

function rowsBefore(block: { readonly rows: number; rowNumber(row: number): number }, number: number): number {
  let before = 0;
  while (before < block.rows && block.rowNumber(before) < number) before++;
  return before;
}

/** What a guess has loaded and rejected so far; nobody hears of it before the guess is known to be right. */
class HeldRows {
  rows = 0;
  /** Rejects since the last row group. */
  rejected = 0;
  warnings = 0;
  readonly rejects: RejectedRow[] = [];
  #chars = 0;

  get tooMany(): boolean {
    return this.rejects.length > HELD_ROWS || this.#chars > HELD_CHARS;
  }

  add({ rows, rejects, warnings }: BlockLoad): void {
    this.rows += rows;
    this.warnings += warnings;
    this.rejected += rejects.length;
    for (const row of rejects) {
      this.rejects.push(row);
      this.#chars += row.record?.length ?? 0;
    }
  }
}

async function writeGroup(columns: DirectLoad, writer: TableWriter, since: { rejected: number }): Promise<void> {
  if (columns.rows === 0 && since.rejected === 0) return;
  await writer.writeChunks(columns.chunks(), columns.rows, since.rejected);
  columns.clear();
  since.rejected = 0;
}

function writerFor(run: Run, table: OpenedTable, schema: TableSchema): TableWriter {
  const { file, limits } = run.request;
  return new TableWriter({ table: table.table, file, schema, partBytes: limits.partBytes }, run.io);
}

function loadFor(run: Run, { table, direct }: DirectSource, plan: Plan, watch: ColumnWatch | null): DirectLoad {
  const { file, loadedAtMs } = run.request;
  return new DirectLoad({ table: table.table, plan, columns: direct.columns, onBadRow: badRowRule(run.request), file, loadedAtMs, watch });
}

/** Source columns that no schema takes are a warning each. */
function droppedBy(run: Run, plan: Plan): number {
  return run.request.mode === "load" ? plan.dropped.length : 0;
}

/** JSON's kinds of values ask by themselves, in the long way too. */
function widenedBy(run: Run, { table: { table, columns }, direct }: DirectSource, plan: Plan): WidenedRows {
  const { schemas } = run.request;
  return new WidenedRows(direct.ofTexts ? columns : [], plan, Object.hasOwn(schemas, table) ? schemas[table] : undefined);
}

function outcomeOf(table: OpenedTable, plan: Plan, by: WidenedRows): TableOutcome {
  const rows = by.rows();
  const { schema, change, widened } = plan;
  return { table: table.table, schema, change, widened, ...(rows === undefined ? {} : { widenedAt: rows }) };
}

function sameTypes(a: TableSchema, b: TableSchema): boolean {
  return (
    a.columns.length === b.columns.length &&
    a.columns.every((column, i) => sameType(column.type, b.columns[i]?.type ?? { kind: "unknown" }))
  );
}
