import type { OnBadRow } from "../domain/dataset.ts";
import type { Reject } from "../domain/file.ts";
import type { Column, ColumnType } from "../domain/table-schema.ts";
import type { OpenedTable, Place, SourceBatch, SourceCells } from "../formats/format.ts";
import type { ConvertRequest } from "../ports/converter.ts";
import { coerce, reasonOf } from "../schema/coerce.ts";
import { allNull, type ColumnData, pickRows } from "../schema/column-data.ts";
import { convertData } from "../schema/convert-data.ts";
import { enforce, needsFacts, numbersMatter, type Plan } from "../schema/enforce.ts";
import { type ColumnFacts, factsOfType, infer } from "../schema/infer.ts";
import { isLineage, type LineageName, RESCUED } from "../schema/lineage.ts";
import { Rescued } from "./rescued.ts";
import { newObservation, observe } from "../schema/observe.ts";
import { NumbersSeen } from "../schema/observe-numbers.ts";
import { coerceRuled, RuledColumn, type TextRules } from "../schema/text-rules.ts";

/** Rows and raw bytes seen so far in a pass, told after every batch. */
export type OnBatch = (batch: SourceBatch) => void;

/** What a plan for a table depends on. */
export interface Planning {
  /** By source column: whether the plan depends on what its cells look like. */
  readonly asked: readonly boolean[];
  /** Names of the columns that have a type already: there text settles nothing, because numbers may still widen them. */
  readonly known: ReadonlySet<string>;
  /** The plan for what was seen of the asked columns; null for the others. Throws `schema_mismatch` where the policy refuses. */
  readonly plan: (facts: readonly (ColumnFacts | null)[]) => Plan;
}

/** Begins to decide how a table's columns meet the schema. Throws `schema_mismatch` for what the names alone refuse. */
export function planning(table: OpenedTable, request: ConvertRequest, declared: Readonly<Record<string, ColumnType>>): Planning {
  const input = {
    table: table.table,
    source: table.columns,
    schema: Object.hasOwn(request.schemas, table.table) ? request.schemas[table.table] : undefined,
    policy: request.rules.policy,
    mode: request.mode === "remake" ? ("remake" as const) : ("load" as const),
    declared,
    lineage: request.options.lineage ?? false,
    rescued: request.options.rescued ?? false,
  };
  const asked = table.columns.map(
    (column) => !column.left && !column.facts && (column.type === null ? needsFacts(input, column.name) : numbersMatter(input, column)),
  );
  if (asked.includes(true)) enforce({ ...input, facts: table.columns.map(() => null) });
  const known = new Set(input.schema?.columns.filter((column) => column.type.kind !== "unknown").map((column) => column.name));
  return { asked, known, plan: (facts) => enforce({ ...input, facts: facts.map((fact, i) => fact ?? typedFacts(table, i)) }) };
}

/**
 * Decides how a table's columns meet the schema. Looks at every cell of the file first, where the decision depends on it.
 * Throws `schema_mismatch` where the policy refuses, and what reading throws.
 */
export async function planTable(
  table: OpenedTable,
  request: ConvertRequest,
  declared: Readonly<Record<string, ColumnType>>,
  onBatch: OnBatch,
): Promise<Plan> {
  const { asked, known, plan } = planning(table, request, declared);
  return plan(asked.includes(true) ? await observeTable(table, asked, known, onBatch) : table.columns.map(() => null));
}

function typedFacts(table: OpenedTable, i: number): ColumnFacts | null {
  const known = table.columns[i]?.facts;
  if (known) return known;
  const type = table.columns[i]?.type ?? null;
  return type === null ? null : factsOfType(type);
}

/** One pass over the file. In a column that the schema knows, text settles nothing: its numbers may still widen it. */
async function observeTable(table: OpenedTable, asked: readonly boolean[], known: ReadonlySet<string>, onBatch: OnBatch) {
  const seen = table.columns.map(({ type }) => (type === null ? newObservation() : new NumbersSeen(type)));
  const { rules } = table;
  const ruled = rules && table.columns.map(() => new RuledColumn(rules));
  for await (const batch of table.batches()) {
    batch.columns.forEach((cells, i) => {
      const observation = seen[i];
      if (!asked[i] || !observation) return;
      if (observation instanceof NumbersSeen) {
        if ("data" in cells) observation.add(cells.data);
      } else if ("text" in cells) {
        const settles = !known.has(table.columns[i]?.name ?? "");
        if (ruled) ruled[i]?.observe(observation, cells.text, settles);
        else observe(observation, cells.text, settles);
      }
    });
    onBatch(batch);
  }
  return seen.map((observation, i): ColumnFacts | null => {
    if (!asked[i]) return null;
    if (!(observation instanceof NumbersSeen)) {
      ruled?.[i]?.settle(observation);
      return infer(observation);
    }
    const typed = typedFacts(table, i);
    return typed && { ...typed, numbers: observation.facts };
  });
}

/** A batch under the schema: the rows that fit, and the others. */
export interface Conformed {
  readonly rows: number;
  readonly columns: readonly ColumnData[];
  /** Indexes into the source batch of the rows that fit; null when all do. */
  readonly kept: readonly number[] | null;
  /** In the file's order. */
  readonly rejects: readonly RejectedRow[];
  /** Rows that an option leaves out. */
  readonly skipped?: number;
  /** Values set to null or cut, rows cut or filled. */
  readonly warnings: number;
}

/** A reject, and its record as it was written. */
export interface RejectedRow {
  readonly reject: Reject;
  readonly line: number | null;
  readonly record: string | null;
}

export interface ConformContext {
  readonly table: string;
  readonly source: OpenedTable["columns"];
  readonly plan: Plan;
  /** As in OpenedTable. */
  readonly rules?: TextRules | undefined;
  readonly onBadRow: OnBadRow;
  readonly file: string;
  readonly loadedAtMs: number;
}

/** Types a batch. A row with a bad value is rejected, or under `coerce` keeps a null in its place. */
export function conform(batch: SourceBatch, context: ConformContext): Conformed {
  const { columns } = context.plan.schema;
  const rescued = columns.some(({ name }) => name === RESCUED) ? new Rescued(batch, context) : null;
  const bad = new Map<number, BadCell>();
  let badCells = 0;
  const typed = columns.map((column, i) => {
    const from = context.plan.from[i] ?? null;
    if (isLineage(column.name)) return null;
    const cells = from === null ? undefined : batch.columns[from];
    if (cells === undefined) return allNull(batch.rows);
    return typedColumn(cells, context.source[from ?? 0]?.type ?? null, column, context.rules, (row, raw, reason) => {
      badCells++;
      if (rescued !== null) rescued.add(row, column.name, raw);
      else if (!bad.has(row)) bad.set(row, { column: column.name, raw, reason });
    });
  });
  const coerced = context.onBadRow === "coerce";
  const kept = bad.size === 0 || coerced ? null : Array.from({ length: batch.rows }, (_, row) => row).filter((row) => !bad.has(row));
  const rows = kept?.length ?? batch.rows;
  return {
    rows,
    columns: typed.map((data, i) => {
      if (data === null) {
        const name = columns[i]?.name as LineageName;
        return name === RESCUED ? rescuedColumn(rescued, batch.rows, kept) : lineageColumn(name, batch, kept, context);
      }
      return kept === null || data.form === "nested" ? data : pickRows(data, kept);
    }),
    kept,
    rejects: rejectsOf(batch, coerced ? new Map() : bad, context.table),
    skipped: batch.skipped ?? 0,
    warnings: batch.filled + batch.cut + (coerced || rescued !== null ? badCells : 0),
  };
}

interface BadCell {
  readonly column: string;
  readonly raw: string;
  readonly reason: string;
}

function typedColumn(
  cells: SourceCells,
  type: ColumnType | null,
  column: Column,
  rules: TextRules | undefined,
  onBad: (row: number, raw: string, reason: string) => void,
): ColumnData {
  const bad = (row: number, cell: string) => onBad(row, cell, reasonOf(cell, column.type));
  const { declared } = column;
  if ("text" in cells && rules) return coerceRuled(cells.text, column.type, rules, { declared }, bad);
  if ("text" in cells) return coerce(cells.text, column.type, { declared }, bad);
  return convertData(cells.data, type ?? { kind: "unknown" }, column, bad);
}

function rescuedColumn(rescued: Rescued | null, rows: number, kept: readonly number[] | null): ColumnData {
  const texts = rescued?.texts() ?? Array<null>(rows).fill(null);
  const cells = kept === null ? texts : kept.map((row) => texts[row] ?? null);
  return coerce(cells, { kind: "text" }, { declared: true }, () => {});
}

function lineageColumn(
  name: Exclude<LineageName, typeof RESCUED>,
  batch: SourceBatch,
  kept: readonly number[] | null,
  context: ConformContext,
): ColumnData {
  const rows = kept?.length ?? batch.rows;
  const facts = { rows, nulls: 0, validity: null };
  switch (name) {
    case "_row": {
      const numbers = kept === null ? batch.rowNumbers : kept.map((row) => batch.rowNumbers[row] ?? 0);
      return { ...facts, form: "words", values: BigInt64Array.from(numbers, (row) => BigInt(row)) };
    }
    case "_loaded_at":
      return { ...facts, form: "words", values: new BigInt64Array(rows).fill(BigInt(context.loadedAtMs) * 1000n) };
    case "_file_id":
      return coerce(Array<string>(rows).fill(context.file), { kind: "text" }, { declared: true }, () => {});
  }
}

const RAW_LIMIT = 200;

function rejectsOf(batch: SourceBatch, bad: ReadonlyMap<number, BadCell>, table: string): RejectedRow[] {
  const rejects = [...bad].map(([row, cell]) => rejected(batch.place(row), table, cell.column, cell.raw, cell.reason));
  for (const misfit of batch.misfits) rejects.push(rejected(misfit, table, null, misfit.raw, misfit.reason));
  return rejects.sort((a, b) => a.reject.row - b.reject.row);
}

/** A row as a reject; its raw value is cut to what is readable. */
export function rejected(place: Place, table: string, column: string | null, raw: string | null, reason: string): RejectedRow {
  const cut = raw !== null && raw.length > RAW_LIMIT ? `${raw.slice(0, RAW_LIMIT)}…` : raw;
  return { reject: { row: place.row, byteOffset: place.byteOffset, table, column, raw: cut, reason }, line: place.line, record: place.raw };
}
