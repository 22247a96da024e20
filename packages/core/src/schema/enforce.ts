import type { SchemaPolicy } from "../domain/dataset.ts";
import { Fault } from "../domain/fault.ts";
import { type Column, type ColumnType, isNumeric, MAX_COLUMNS, sameType, type TableSchema, typeName } from "../domain/table-schema.ts";
import { clashes, growColumn } from "./evolve.ts";
import { factsOfType, type ColumnFacts } from "./infer.ts";
import { isLineage, LINEAGE_TYPES, ownColumns } from "./lineage.ts";

/** A column as a file has it, under its new name where it has one. `type` null: text whose type is to be found. */
export interface SourceColumn {
  readonly name: string;
  readonly type: ColumnType | null;
  /** Nobody wants it: it feeds nothing, and no schema hears of it. */
  readonly left?: true;
  /** Where it stands among new columns; the file's order where it is not given. */
  readonly rank?: number;
  /** What its values look like, where the reader has looked at all of them already. */
  readonly facts?: ColumnFacts;
}

export interface EnforceInput {
  readonly table: string;
  readonly source: readonly SourceColumn[];
  /** By source column; null when its cells were not looked at. */
  readonly facts: readonly (ColumnFacts | null)[];
  /** The table's schema as it is; undefined when there is none yet. */
  readonly schema: TableSchema | undefined;
  readonly policy: SchemaPolicy;
  readonly mode: "load" | "remake";
  readonly declared: Readonly<Record<string, ColumnType>>;
  readonly lineage: boolean;
  readonly rescued: boolean;
}

/** Which source column feeds each column of the schema (`from`, null: nulls or lineage), and how the schema changes. */
export interface Plan {
  readonly schema: TableSchema;
  readonly from: readonly (number | null)[];
  readonly change: "none" | "added" | "widened";
  readonly widened: readonly string[];
  /** Source columns that are left out. */
  readonly dropped: readonly string[];
}

/** Decides how a file's columns meet a table's. Throws `schema_mismatch` where the policy refuses, `limit_exceeded` for too many columns. */
export function enforce(input: EnforceInput): Plan {
  const sourceOf = new Map(input.source.flatMap((column, i) => (column.left ? [] : [[column.name, i] as const])));
  const live = input.schema?.columns ?? [];
  if (input.mode === "load") {
    checkDeclared(input, sourceOf);
    if (input.schema && input.policy === "strict") checkStrict(input, sourceOf);
  }
  const columns = live.map((column) => meet(input, column, sourceOf.get(column.name)));
  const added = addedColumns(input);
  const all = [...columns, ...added.columns];
  if (all.length > MAX_COLUMNS) {
    throw new Fault("limit_exceeded", `table ${input.table}: would have ${all.length} columns, at most ${MAX_COLUMNS} are allowed`, {
      limit: MAX_COLUMNS,
    });
  }
  const widened = columns.filter((column, i) => !sameType(column.type, live[i]?.type ?? column.type)).map((column) => column.name);
  return {
    schema: { columns: all, lastId: added.lastId },
    from: all.map((column) => (isLineage(column.name) ? null : (sourceOf.get(column.name) ?? null))),
    change: widened.length > 0 ? "widened" : added.columns.length > 0 ? "added" : "none",
    widened,
    dropped: added.dropped,
  };
}

/** True when the plan depends on what the cells of this source column look like. */
export function needsFacts(input: Omit<EnforceInput, "facts">, name: string): boolean {
  const column = input.schema?.columns.find((column) => column.name === name);
  if (input.mode === "remake") return false;
  if (column === undefined) {
    const left = input.schema !== undefined && (input.policy === "coerce" || input.policy === "strict");
    return !left && !Object.hasOwn(input.declared, name);
  }
  if (column.declared && input.policy !== "off") return false;
  if (column.type.kind === "unknown") return true;
  if (input.policy === "strict" || input.policy === "coerce") return false;
  if (input.policy === "off") return column.type.kind !== "text";
  return ["int64", "decimal", "double", "date", "timestamp"].includes(column.type.kind);
}

/**
 * True when a source column that came typed meets a live column of another numeric type: whether and to what the column
 * widens hangs on its values, not on what its type could hold.
 */
export function numbersMatter(input: Omit<EnforceInput, "facts">, source: SourceColumn): boolean {
  if (input.mode === "remake" || input.policy === "strict" || input.policy === "coerce") return false;
  const column = input.schema?.columns.find((column) => column.name === source.name);
  if (!column || column.declared || source.type === null) return false;
  return isNumeric(column.type) && isNumeric(source.type) && !sameType(column.type, source.type);
}

function meet(input: EnforceInput, column: Column, source: number | undefined): Column {
  if (input.mode === "remake" || source === undefined) return column;
  const facts = factsAt(input, source);
  if (facts === null) return column;
  if (input.policy === "off" && clashes(column, facts)) return asText(input, column, facts);
  const fixed = (input.policy === "strict" || input.policy === "coerce") && column.type.kind !== "unknown";
  return fixed ? column : growColumn(column, facts);
}

/** Under `off` no file is asked for types: a column whose types clash holds text from now on. */
function asText(input: EnforceInput, column: Column, facts: ColumnFacts): Column {
  const kinds = new Set([column.type.kind, facts.whole.kind]);
  if (kinds.has("nested") || kinds.has("binary")) {
    throw mismatch(
      input,
      column.name,
      `is ${typeName(column.type)}, its values in this file are ${typeName(facts.whole)}; no text holds both`,
    );
  }
  return { id: column.id, name: column.name, type: { kind: "text" }, declared: false };
}

function factsAt(input: EnforceInput, source: number): ColumnFacts | null {
  const type = input.source[source]?.type ?? null;
  return input.facts[source] ?? (type ? factsOfType(type) : null);
}

function addedColumns(input: EnforceInput): { columns: Column[]; lastId: number; dropped: string[] } {
  const known = new Set(input.schema?.columns.map((column) => column.name));
  let lastId = input.schema?.lastId ?? 0;
  const fresh = input.source
    .flatMap((column, i) => (column.left || known.has(column.name) ? [] : [{ column, i }]))
    .sort((a, b) => (a.column.rank ?? a.i) - (b.column.rank ?? b.i));
  if (input.mode === "remake") return { columns: [], lastId, dropped: fresh.map(({ column }) => column.name) };
  // What an upload asks for by name is added all the same: what it rescues would be lost without its column.
  const closed = input.schema !== undefined && input.policy === "coerce";
  const columns = (closed ? [] : fresh).map(({ column, i }): Column => {
    const declared = ownType(input.declared, column.name);
    if (declared) return { id: ++lastId, name: column.name, type: declared, declared: true };
    const facts = factsAt(input, i);
    const type = facts?.whole ?? { kind: "unknown" };
    return { id: ++lastId, name: column.name, type, declared: false, ...(facts?.numbers ? { numbers: facts.numbers } : {}) };
  });
  for (const name of ownColumns(input)) {
    if (!known.has(name)) columns.push({ id: ++lastId, name, type: LINEAGE_TYPES[name], declared: true });
  }
  return { columns, lastId, dropped: closed ? fresh.map(({ column }) => column.name) : [] };
}

function checkDeclared(input: EnforceInput, sourceOf: ReadonlyMap<string, number>): void {
  for (const [name, type] of Object.entries(input.declared)) {
    const column = input.schema?.columns.find((column) => column.name === name);
    if (column && !sameType(column.type, type)) {
      throw mismatch(input, name, `is ${typeName(column.type)}, but column_types says ${typeName(type)}`);
    }
    if (!column && !sourceOf.has(name)) {
      throw mismatch(input, name, "is named by column_types, but neither the file nor the table has it");
    }
  }
}

function checkStrict(input: EnforceInput, sourceOf: ReadonlyMap<string, number>): void {
  const known = new Set(input.schema?.columns.map((column) => column.name));
  const wanted = [...sourceOf.keys(), ...ownColumns(input)];
  const unknown = wanted.find((name) => !known.has(name));
  if (unknown !== undefined) throw mismatch(input, unknown, "is not in the table's schema, and the policy is strict");
  const missing = input.schema?.columns.find((column) => !sourceOf.has(column.name) && !isLineage(column.name));
  if (missing) throw mismatch(input, missing.name, "is missing from the file, and the policy is strict");
}

function mismatch(input: EnforceInput, column: string, what: string): Fault {
  return new Fault("schema_mismatch", `table ${input.table}: column ${JSON.stringify(column)} ${what}`, { field: column });
}

function ownType(types: Readonly<Record<string, ColumnType>>, name: string): ColumnType | undefined {
  return Object.hasOwn(types, name) ? types[name] : undefined;
}
