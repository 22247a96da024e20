import { createHash } from "node:crypto";
import { DuckDBInstance } from "@duckdb/node-api";
import { parquetMetadata, parquetReadObjects } from "hyparquet";
import { compressors } from "hyparquet-compressors";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DEFAULT_RULES } from "../../packages/core/src/domain/options.ts";
import { convert } from "../../packages/core/src/flow/convert.ts";
import { type How, USUAL_HOW } from "../../packages/core/src/flow/run.ts";
import {
  type ConvertIo,
  type ConvertOutcome,
  type ConvertRequest,
  DEFAULT_LIMITS,
  type PartSink,
} from "../../packages/core/src/ports/converter.ts";

/** What a conversion wrote, beside its outcome. */
export interface Converted {
  readonly outcome: ConvertOutcome;
  readonly parts: readonly Uint8Array[];
  readonly rejects: readonly Record<string, unknown>[];
}

type Asked = Partial<Omit<ConvertRequest, "rules" | "limits">> & {
  readonly rules?: Partial<ConvertRequest["rules"]>;
  readonly limits?: Partial<ConvertRequest["limits"]>;
  /** Most bytes that one read gives. */
  readonly readBytes?: number;
  readonly how?: Partial<How>;
};

/** Converts bytes in this process, with everything kept in memory. */
export async function convertBytes(name: string, content: string | Uint8Array, asked: Asked = {}): Promise<Converted> {
  const bytes = typeof content === "string" ? Buffer.from(content) : content;
  const { rules, limits, readBytes, how, ...rest } = asked;
  const parts: Uint8Array[] = [];
  const rejects: Uint8Array[] = [];
  const open = new Set<PartSink>();
  const io: ConvertIo = {
    read: async (offset, length) => bytes.slice(offset, offset + Math.min(length, readBytes ?? length)),
    openPart: async () => memorySink(parts, open),
    openRejects: async () => memorySink(rejects, open),
    progress: () => {},
  };
  const request: ConvertRequest = {
    name,
    bytes: bytes.length,
    options: {},
    schemas: {},
    mode: "load",
    file: "0197c0de-0000-7000-8000-000000000001",
    loadedAtMs: Date.UTC(2026, 0, 2, 3, 4, 5),
    ...rest,
    rules: { ...DEFAULT_RULES, ...rules },
    limits: { ...DEFAULT_LIMITS, ...limits },
  };
  const outcome = await convert(request, io, new AbortController().signal, { ...USUAL_HOW, ...how });
  // Objects are told apart by the order in which they were opened: one more that is open would stand in another's place.
  if (outcome.kind === "tables" && open.size > 0) throw new Error(`${open.size} objects were neither closed nor taken back`);
  const lines = Buffer.concat(rejects).toString("utf8").split("\n").filter(Boolean);
  return { outcome, parts, rejects: lines.map((line) => JSON.parse(line) as Record<string, unknown>) };
}

function memorySink(done: Uint8Array[], open: Set<PartSink>): PartSink {
  const chunks: Uint8Array[] = [];
  let closed: Uint8Array | null = null;
  const sink: PartSink = {
    write: async (bytes) => {
      chunks.push(bytes.slice());
    },
    close: async () => {
      const whole = Buffer.concat(chunks);
      closed = whole;
      done.push(whole);
      open.delete(sink);
      return { bytes: whole.length, sha256: createHash("sha256").update(whole).digest("hex") };
    },
    abort: async () => {
      if (closed !== null) done.splice(done.indexOf(closed), 1);
      open.delete(sink);
    },
  };
  open.add(sink);
  return sink;
}

/** The tables of an outcome; fails the test with the fault when there are none. */
export function loaded(outcome: ConvertOutcome): ConvertOutcome & { kind: "tables" } {
  if (outcome.kind !== "tables") throw new Error(`expected tables, got ${JSON.stringify(outcome)}`);
  return outcome;
}

export function failedWith(outcome: ConvertOutcome): ConvertOutcome & { kind: "failed" } {
  if (outcome.kind !== "failed") throw new Error(`expected a failure, got ${JSON.stringify(outcome)}`);
  return outcome;
}

/** Column names and type names of the only table. */
export function typesOf(outcome: ConvertOutcome): Record<string, string> {
  const table = loaded(outcome).tables[0];
  return Object.fromEntries((table?.schema.columns ?? []).map(({ name, type }) => [name, describeType(type)]));
}

function describeType(type: { kind: string }): string {
  const { kind, ...rest } = type;
  const facts = Object.values(rest);
  return facts.length === 0 ? kind : `${kind}(${facts.join(",")})`;
}

function bufferOf(bytes: Uint8Array): ArrayBuffer {
  return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer;
}

/** Rows of all parts by hyparquet. */
export async function rowsOf(converted: Converted): Promise<Record<string, unknown>[]> {
  const rows: Record<string, unknown>[] = [];
  for (const part of converted.parts) {
    rows.push(...((await parquetReadObjects({ file: bufferOf(part), compressors })) as Record<string, unknown>[]));
  }
  return rows;
}

export function metadataOf(part: Uint8Array | undefined) {
  if (!part) throw new Error("there is no part");
  return parquetMetadata(bufferOf(part));
}

// One for all tests of a file: to start it takes longer than most queries.
let duckdb: Promise<DuckDBInstance> | undefined;

/** What DuckDB answers about the parts; `parts` stands for them in the SQL. */
export async function duck(parts: readonly Uint8Array[], sql: string): Promise<Record<string, unknown>[]> {
  const folder = mkdtempSync(join(tmpdir(), "sluice-duck-"));
  try {
    const files = parts.map((part, i) => {
      const file = join(folder, `${i}.parquet`);
      writeFileSync(file, part);
      return `'${file}'`;
    });
    duckdb ??= DuckDBInstance.create(":memory:");
    const connection = await (await duckdb).connect();
    const reader = await connection.runAndReadAll(sql.replace("parts", `read_parquet([${files.join(", ")}])`));
    const rows = reader.getRowObjectsJson() as Record<string, unknown>[];
    connection.closeSync();
    return rows;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
