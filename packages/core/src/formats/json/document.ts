import { MAIN_TABLE } from "../../domain/dataset.ts";
import { Fault } from "../../domain/fault.ts";
import type { Orient } from "../../domain/options.ts";
import type { DecodedChunk } from "../decompress.ts";
import type { FormatInput, OpenedTable } from "../format.ts";
import type { Source } from "../source.ts";
import { type Member, MemberReader, type Members } from "./members.ts";
import { recordTable } from "./record-table.ts";
import { KIND } from "./scan-value.ts";
import { zippedTable } from "./zipped-table.ts";

/** What a client of Graphistry writes into every columnar document beside the columns. */
const CLIENT_MARKS: ReadonlySet<string> = new Set(["agent_name", "agent_version"]);

/** The tables of a document that is one object. Throws `unreadable` where it is not what `orient` says. */
export async function openDocument(input: FormatInput, decoded: () => AsyncIterable<DecodedChunk>, random: () => Promise<Source>) {
  const { orient } = input.options;
  if (orient === "index") {
    const table = await recordTable(input, { table: MAIN_TABLE, layout: "labelled", chunks: decoded });
    return table === null ? [] : [table];
  }
  if (orient === "records" || orient === "values") return oneRow(input, decoded);
  const members = await new MemberReader(input.limits).read(decoded());
  const source = await random();
  const chunks = (member: Member, chunkBytes = input.limits.chunkBytes) => range(source, member, chunkBytes, input.rawSize);
  switch (orient ?? found(members)) {
    case "split":
      return [await splitTable(input, members, chunks)];
    case "table":
      return [await schemaTable(input, members, chunks)];
    case "columns":
      return [await columnsTable(input, members, chunks)];
    case "tables":
      return await tablesOf(input, members, chunks);
    case "row":
      return oneRow(input, decoded);
  }
}

type Chunks = (member: Member, chunkBytes?: number) => AsyncIterable<DecodedChunk>;
type FoundOrient = Exclude<Orient, "records" | "values" | "index"> | "tables" | "row";

/**
 * What a document is when nobody says it. Columns and tables are only what can be nothing else: as soon as something stands
 * beside them that would have to be left out, the document is one row, in which nothing is lost.
 */
function found({ list }: Members): FoundOrient {
  const names = new Set(list.map(({ name }) => name));
  const only = (...known: readonly string[]) => [...names].every((name) => known.includes(name));
  const member = (name: string) => list.find((one) => one.name === name);
  const data = member("data");
  const columns = member("columns");
  if (data && columns && only("columns", "index", "data") && holds(data, KIND.array) && holds(columns, KIND.plain, KIND.escaped))
    return "split";
  if (data && member("schema")?.kind === KIND.object && only("schema", "data") && holds(data, KIND.object)) return "table";
  const arrays = list.filter(({ kind }) => kind === KIND.array);
  const others = list.filter(({ name, kind }) => kind !== KIND.array && !(CLIENT_MARKS.has(name) && kind < KIND.object));
  if (arrays.length === 0 || others.length > 0) return "row";
  const some = arrays.filter(({ count }) => count > 0);
  return some.length > 0 && some.every((array) => holds(array, KIND.object)) ? "tables" : "columns";
}

/** An array of values of these kinds alone. */
function holds(member: Member, ...kinds: readonly number[]): boolean {
  return member.kind === KIND.array && (member.kinds & ~kinds.reduce((bits, kind) => bits | (1 << kind), 0)) === 0;
}

/** One row, or rows one behind the other. */
async function oneRow(input: FormatInput, decoded: () => AsyncIterable<DecodedChunk>): Promise<OpenedTable[]> {
  const table = await recordTable(input, { table: MAIN_TABLE, layout: "sequence", chunks: decoded });
  return table === null ? [] : [table];
}

/** Columns side by side: arrays, or objects of values by label. Anything else is no column and is left out. */
async function columnsTable(input: FormatInput, { list, duplicates }: Members, chunks: Chunks): Promise<OpenedTable> {
  const members = list.filter(({ kind }) => kind >= KIND.object);
  const marks = list.filter(({ name, kind }) => kind < KIND.object && CLIENT_MARKS.has(name));
  if (members.length === 0) throw notSo("columns", "none of its members is an array or an object");
  return zippedTable(input, { table: MAIN_TABLE, members, left: duplicates + list.length - members.length - marks.length, chunks });
}

/** {"orders": [{…}], "lines": [{…}]}: a table for each. One without rows has no columns that anybody knows, so it is none. */
async function tablesOf(input: FormatInput, { list, duplicates }: Members, chunks: Chunks): Promise<OpenedTable[]> {
  const tables: OpenedTable[] = [];
  for (const member of list) {
    if (member.count === 0 || member.kind !== KIND.array) continue;
    const table = await recordTable(input, {
      table: member.name,
      layout: "array",
      start: member.from,
      chunks: () => chunks(member),
      left: tables.length === 0 ? duplicates : 0,
    });
    if (table !== null) tables.push(table);
  }
  return tables;
}

/** {"schema": {"fields": […]}, "data": [{…}]}: pandas' table schema. What it calls a string stays text. */
async function schemaTable(input: FormatInput, { list, duplicates }: Members, chunks: Chunks): Promise<OpenedTable> {
  const data = memberOf("table", list, "data", KIND.array);
  const schema = memberOf("table", list, "schema", KIND.object);
  const texts = new Set<string>();
  for (const field of fieldsOf(await valueOf(schema, chunks, input.limits.recordBytes))) if (field.type === "string") texts.add(field.name);
  const table = await recordTable(input, {
    table: MAIN_TABLE,
    layout: "array",
    start: data.from,
    chunks: () => chunks(data),
    texts,
    left: duplicates,
  });
  if (table === null) throw notSo("table", "its data holds no rows");
  return table;
}

/** {"columns": […], "index": […], "data": [[…]]}. */
async function splitTable(input: FormatInput, { list, duplicates }: Members, chunks: Chunks): Promise<OpenedTable> {
  const data = memberOf("split", list, "data", KIND.array);
  const columns = memberOf("split", list, "columns", KIND.array);
  if (columns.count > input.limits.columns) {
    throw new Fault("limit_exceeded", `it names ${columns.count} columns, at most ${input.limits.columns} are allowed`, {
      field: "columns",
      value: columns.count,
      limit: input.limits.columns,
    });
  }
  const given = (await valueOf(columns, chunks, input.limits.recordBytes)) as unknown[];
  const names = given.map((name) => (typeof name === "string" ? name : JSON.stringify(name)));
  const index = list.find(({ name, kind }) => name === "index" && kind === KIND.array);
  const others = list.filter((member) => member !== data && member !== columns && member !== index).length;
  const table = await recordTable(input, {
    table: MAIN_TABLE,
    layout: "array",
    start: data.from,
    chunks: () => chunks(data),
    names,
    left: duplicates + others,
    ...(index && index.count > 0 ? { labels: () => chunks(index) } : {}),
  });
  if (table === null) throw notSo("split", "its data holds no rows");
  return table;
}

function memberOf(orient: string, list: readonly Member[], name: string, kind: number): Member {
  const member = list.find((one) => one.name === name);
  if (!member) throw notSo(orient, `it has no member ${JSON.stringify(name)}`);
  if (member.kind !== kind) throw notSo(orient, `its member ${JSON.stringify(name)} is no ${kind === KIND.array ? "array" : "object"}`);
  return member;
}

function notSo(orient: string, why: string): Fault {
  return new Fault("unreadable", `no readable JSON of orient ${orient}: ${why}`, { field: "orient", value: orient });
}

/** A small member's value: names of columns, a schema. It was checked before, so V8 may read it. */
async function valueOf(member: Member, chunks: Chunks, limit: number): Promise<unknown> {
  const bytes = member.to - member.from.offset;
  if (bytes > limit) {
    throw new Fault(
      "limit_exceeded",
      `its member ${JSON.stringify(member.name)} has ${bytes} bytes, at most ${limit} are allowed (limit recordBytes)`,
      {
        field: "recordBytes",
        value: bytes,
        limit,
      },
    );
  }
  const parts: Uint8Array[] = [];
  for await (const chunk of chunks(member)) parts.push(chunk.bytes);
  return JSON.parse(Buffer.concat(parts).toString("utf8"));
}

function fieldsOf(schema: unknown): { name: string; type: string }[] {
  const fields = typeof schema === "object" && schema !== null && "fields" in schema ? schema.fields : null;
  if (!Array.isArray(fields)) throw notSo("table", "its schema has no fields");
  return fields.flatMap((field: unknown) =>
    typeof field === "object" && field !== null && "name" in field && "type" in field
      ? [{ name: String(field.name), type: String(field.type) }]
      : [],
  );
}

async function* range(source: Source, member: Member, chunkBytes: number, rawSize: number): AsyncGenerator<DecodedChunk> {
  for (let at = member.from.offset; at < member.to; at += chunkBytes) {
    const bytes = await source.read(at, Math.min(at + chunkBytes, member.to));
    yield { bytes, rawBytes: Math.floor((rawSize * (at + bytes.length)) / source.size) };
  }
}
