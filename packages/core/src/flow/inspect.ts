import { toldLimit } from "../domain/convert-limits.ts";
import { isFault, type Fault, type FaultRecord } from "../domain/fault.ts";
import type { Reject, RowCounts } from "../domain/file.ts";
import { type TableSchema, typeName } from "../domain/table-schema.ts";
import type { OpenedTable, SourceBatch } from "../formats/format.ts";
import type { Source } from "../formats/source.ts";
import type { ConvertRequest, Detected, InspectedTable, Inspection } from "../ports/converter.ts";
import { chooseColumns } from "../schema/choose-columns.ts";
import type { Plan } from "../schema/enforce.ts";
import { isLineage } from "../schema/lineage.ts";
import { jsonAt } from "../schema/render.ts";
import { badRowRule } from "./bad-row-rule.ts";
import { type Conformed, conform, planTable } from "./conform.ts";
import { startsOver } from "./other-encoding.ts";
import { detectedOf, open, recognize } from "./parse.ts";

/** Rows that a dry run looks at, of each table. */
const SAMPLE_ROWS = 20_000;
const PREVIEW_ROWS = 20;
const PROBLEMS = 20;

/** A dry run: how the file would be read and loaded, from its head. Content faults are part of what it finds. */
export async function inspect(asked: ConvertRequest, source: Source, signal: AbortSignal): Promise<Inspection> {
  const request: ConvertRequest = { ...asked, mode: "load" };
  const found: { detected: Detected | null; tables: InspectedTable[]; problems: Reject[]; fault: FaultRecord | null } = {
    detected: null,
    tables: [],
    problems: [],
    fault: null,
  };
  try {
    const recognized = await recognize(request, source);
    found.detected = detectedOf(recognized, {});
    if (recognized.format === "opaque") return found;
    const file = await open(recognized, request, source);
    found.detected = detectedOf(recognized, file.dialect);
    for (const table of file.tables) {
      signal.throwIfAborted();
      found.tables.push(await inspectTable(request, table, found));
    }
  } catch (error) {
    if (!isFault(error) || error.blame !== "content") throw error;
    if (startsOver(error, request, found.detected?.format)) throw error;
    found.fault ??= toldLimit(error.toRecord());
  }
  return found;
}

/** Where the sample of a table ended. */
interface Sample {
  complete: boolean;
  rows: number;
  rawBytes: number;
}

async function inspectTable(
  request: ConvertRequest,
  whole: OpenedTable,
  found: { problems: Reject[]; fault: FaultRecord | null },
): Promise<InspectedTable> {
  const opened = whole.sample ?? whole;
  const { columns, declared } = chooseColumns(opened.table, opened.columns, request.options);
  const sample: Sample = { complete: false, rows: 0, rawBytes: 0 };
  const table: OpenedTable = { ...opened, columns, batches: () => sampled(opened, sample, opened === whole) };
  const schema = Object.hasOwn(request.schemas, table.table) ? request.schemas[table.table] : undefined;
  const plan = await planOrWithout(table, request, declared, (fault) => (found.fault ??= fault.toRecord()));
  const context = {
    table: table.table,
    source: columns,
    plan,
    rules: opened.rules,
    onBadRow: badRowRule(request),
    file: request.file,
    loadedAtMs: request.loadedAtMs,
  };
  let counts: RowCounts = { read: 0, loaded: 0, rejected: 0, skipped: 0, warnings: plan.dropped.length };
  const preview: unknown[][] = [];
  for await (const batch of table.batches()) {
    const conformed = conform(batch, context);
    counts = added(counts, conformed, batch);
    for (const { reject } of conformed.rejects) if (found.problems.length < PROBLEMS) found.problems.push(reject);
    for (let row = 0; row < conformed.rows && preview.length < PREVIEW_ROWS; row++) {
      preview.push(plan.schema.columns.map((column, i) => jsonOf(conformed, i, column.type, row)));
    }
  }
  return {
    table: table.table,
    columns: plan.schema.columns.map(({ name, type }) => ({ name, type: typeName(type) })),
    difference: schema === undefined ? null : differenceOf(schema, plan),
    sampled: counts,
    complete: sample.complete,
    estimatedRows: sample.complete ? counts.read : estimate(sample, request.bytes),
    preview,
  };
}

function jsonOf(batch: Conformed, column: number, type: Plan["schema"]["columns"][number]["type"], row: number): unknown {
  const data = batch.columns[column];
  return data === undefined ? null : jsonAt(data, type, row);
}

/** The plan, or where the policy refuses the file, the plan that its own columns would have in a new table. */
async function planOrWithout(
  table: OpenedTable,
  request: ConvertRequest,
  declared: Parameters<typeof planTable>[2],
  onFault: (fault: Fault) => void,
): Promise<Plan> {
  try {
    return await planTable(table, request, declared, () => {});
  } catch (error) {
    if (!isFault(error) || error.code !== "schema_mismatch") throw error;
    onFault(error);
    return planTable(table, { ...request, schemas: {} }, {}, () => {});
  }
}

/** The batches up to the sample's size. A reader that fails beyond it is not asked. */
async function* sampled(table: OpenedTable, sample: Sample, isAll: boolean): AsyncGenerator<SourceBatch> {
  sample.rows = 0;
  for await (const batch of table.batches()) {
    sample.rows += batch.rows + batch.misfits.length + (batch.skipped ?? 0);
    sample.rawBytes = bytesUpTo(batch);
    yield batch;
    if (sample.rows >= SAMPLE_ROWS) return;
  }
  sample.complete = isAll;
}

/** Where the batch's last row begins, which is nearer than how far its reader has read ahead; only where nothing is compressed. */
function bytesUpTo(batch: SourceBatch): number {
  const offset = batch.rows > 0 ? batch.place(batch.rows - 1).byteOffset : null;
  return offset !== null && offset <= batch.rawBytes ? offset : batch.rawBytes;
}

function estimate(sample: Sample, bytes: number): number | null {
  return sample.rawBytes === 0 ? null : Math.round((sample.rows * bytes) / sample.rawBytes);
}

function added(counts: RowCounts, conformed: Conformed, batch: SourceBatch): RowCounts {
  const skipped = batch.skipped ?? 0;
  return {
    read: counts.read + conformed.rows + conformed.rejects.length + skipped,
    loaded: counts.loaded + conformed.rows,
    rejected: counts.rejected + conformed.rejects.length,
    skipped: counts.skipped + skipped,
    warnings: counts.warnings + conformed.warnings,
  };
}

function differenceOf(schema: TableSchema, plan: Plan): NonNullable<InspectedTable["difference"]> {
  const live = new Map(schema.columns.map((column) => [column.name, column]));
  const fed = new Set(plan.schema.columns.filter((_, i) => plan.from[i] !== null).map((column) => column.name));
  return {
    added: plan.schema.columns.filter(({ name }) => !live.has(name)).map(({ name }) => name),
    missing: schema.columns.filter(({ name }) => !fed.has(name) && !isLineage(name)).map(({ name }) => name),
    dropped: plan.dropped,
    widened: plan.schema.columns.flatMap(({ name, type }) => {
      const before = live.get(name);
      if (!before || !plan.widened.includes(name)) return [];
      return [{ name, from: typeName(before.type), to: typeName(type) }];
    }),
  };
}
