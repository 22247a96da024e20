import type { ColumnType } from "../../packages/core/src/domain/table-schema.ts";
import type { Value } from "./chunk-kit.ts";

/** Every type that has a chunk; decimals at the limits of their physical types. */
export const TYPES: readonly ColumnType[] = [
  { kind: "unknown" },
  { kind: "bool" },
  { kind: "int64" },
  ...[
    [1, 0],
    [9, 2],
    [10, 3],
    [18, 18],
    [19, 4],
    [38, 10],
  ].map(([precision, scale]) => ({ kind: "decimal", precision, scale }) as ColumnType),
  { kind: "double" },
  { kind: "date" },
  { kind: "time" },
  { kind: "timestamp", zone: false, unit: "us" },
  { kind: "timestamp", zone: true, unit: "us" },
  { kind: "timestamp", zone: false, unit: "ns" },
  { kind: "timestamp", zone: true, unit: "ns" },
  { kind: "text" },
  { kind: "binary" },
];

export type Random = () => number;

/** Numbers in [0, 1), the same for the same seed. */
export function randomOf(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** Where nulls stand. */
export const NULLS = ["none", "all", "some", "runs"] as const;
export type Nulls = (typeof NULLS)[number];

/** How values follow one another. */
export const ORDERS = ["few", "many", "ascending"] as const;
export type Order = (typeof ORDERS)[number];

export function valuesOf(type: ColumnType, rows: number, nulls: Nulls, order: Order, random: Random): Value[] {
  const pool = Array.from({ length: order === "few" ? 5 : Math.max(rows, 1) }, (_, i) =>
    valueOf(type, order === "ascending" ? i : null, random),
  );
  if (order !== "ascending") pool.splice(0, Math.min(pool.length, 3), ...edgesOf(type).slice(0, Math.min(pool.length, 3)));
  return Array.from({ length: rows }, (_, row) => {
    if (isNull(type, nulls, row, random)) return null;
    return pool[order === "ascending" ? row : Math.floor(random() * pool.length)] ?? null;
  });
}

function isNull(type: ColumnType, nulls: Nulls, row: number, random: Random): boolean {
  if (type.kind === "unknown" || nulls === "all") return true;
  if (nulls === "some") return random() < 0.3;
  return nulls === "runs" && Math.floor(row / 90) % 3 === 1;
}

const LONG = "a long text that goes on beyond the sixty-four bytes that statistics keep \u{1f600}\u{10ffff}\u{d7ff}";

function edgesOf(type: ColumnType): Value[] {
  switch (type.kind) {
    case "unknown":
      return [null];
    case "bool":
      return [true, false];
    case "int64":
      return [-(2n ** 63n), 2n ** 63n - 1n, 0n];
    case "timestamp":
      return type.unit === "us" ? [-(2n ** 55n), 2n ** 55n, -1n] : [-(2n ** 62n), 2n ** 62n, -1n];
    case "decimal":
      return [10n ** BigInt(type.precision) - 1n, -(10n ** BigInt(type.precision)) + 1n, -1n];
    case "double":
      return [-0, 5e-324, -1.7976931348623157e308];
    case "date":
      return [-719_162, 2_932_896, 0];
    case "time":
      return [0n, 86_399_999_999n, 1n];
    case "text":
      return ["", LONG, "\u{10ffff}".repeat(20)];
    case "binary":
      return ["", "ff".repeat(70), "00"];
    case "nested":
      throw new Error("a nested column has no chunk");
  }
}

function valueOf(type: ColumnType, step: number | null, random: Random): Value {
  const whole = (range: number) =>
    step === null ? BigInt(Math.floor((random() - 0.5) * range)) : BigInt(step) * 3n + BigInt(Math.floor(random() * 3));
  switch (type.kind) {
    case "unknown":
      return null;
    case "bool":
      return random() < 0.5;
    case "int64":
      return whole(1e12);
    case "timestamp":
      return (step === null ? 0n : 1_700_000_000_000_000n) + whole(1e15);
    case "time":
      return step === null ? BigInt(Math.floor(random() * 86_400_000_000)) : BigInt(step);
    case "date":
      return step ?? Math.floor((random() - 0.5) * 40_000);
    case "decimal":
      return step === null || type.precision < 5 ? BigInt(Math.floor((random() - 0.5) * 10 ** Math.min(type.precision, 15))) : whole(1);
    case "double":
      return step === null ? (random() - 0.5) * 10 ** Math.floor(random() * 40 - 20) : step / 3;
    case "text":
      return step === null ? wordOf(random) : `row ${String(step).padStart(9, "0")} ${"é".repeat(step % 50)}`;
    case "binary":
      return Buffer.from(Array.from({ length: Math.floor(random() * 80) }, () => Math.floor(random() * 256))).toString("hex");
    case "nested":
      throw new Error("a nested column has no chunk");
  }
}

function wordOf(random: Random): string {
  const alphabet = ["a", "B", "z", " ", "é", "漢", "\u{1f600}", "\ud7ff", "\ue000", '"'];
  return Array.from({ length: Math.floor(random() * 40) }, () => alphabet[Math.floor(random() * alphabet.length)]).join("");
}
