import type { GeneratedNames } from "../domain/options.ts";
import { isLineage } from "../schema/lineage.ts";

/** Longest name that is kept, in characters: readers and file systems have limits near it. */
const MAX_NAME = 255;

/**
 * Column names from a header row: sanitised, generated where empty, and unique by a suffix: a, a_1. A name that is written
 * in the header keeps it, so `a, a, a_1` becomes a, a_2, a_1. Names of lineage columns are ours and get a suffix too.
 */
export function headerNames(cells: readonly (string | null)[], style: GeneratedNames = "column_1"): string[] {
  const written = cells.map((cell, i) => cleanName(cell ?? "") || generatedName(i, style));
  const all = new Set(written);
  const taken = new Set<string>();
  const next = new Map<string, number>();
  return written.map((name) => {
    if (!taken.has(name) && !isLineage(name)) {
      taken.add(name);
      return name;
    }
    let n = next.get(name) ?? 1;
    while (all.has(`${name}_${n}`) || taken.has(`${name}_${n}`)) n++;
    next.set(name, n + 1);
    taken.add(`${name}_${n}`);
    return `${name}_${n}`;
  });
}

/** White space around it left out, control and invisible characters made spaces, cut at 255 characters, well-formed. */
export function cleanName(name: string): string {
  const plain = name.replace(/[\p{Cc}\u2028\u2029\ufeff\u200b\u2060]+/gu, " ").trim();
  if (plain.length <= MAX_NAME) return plain.toWellFormed();
  const cut = plain.slice(0, MAX_NAME);
  return (/[\ud800-\udbff]$/.test(cut) ? cut.slice(0, -1) : cut).trimEnd().toWellFormed();
}

/** The name of the column at `i` where none is written. */
function generatedName(i: number, style: GeneratedNames): string {
  return style === "column_1" ? `column_${i + 1}` : style === "f0" ? `f${i}` : String(i);
}

export function generatedNames(width: number, style: GeneratedNames = "column_1"): string[] {
  return Array.from({ length: width }, (_, i) => generatedName(i, style));
}

/** Header rows as one: the different texts of a column joined by `_`. A text of an upper row reaches over the empty cells after it. */
export function joinHeader(rows: readonly (readonly (string | null)[])[]): (string | null)[] {
  if (rows.length === 1) return [...(rows[0] ?? [])];
  const width = Math.max(...rows.map((row) => row.length));
  const filled = rows.map((row, level) => {
    let before: string | null = null;
    return Array.from({ length: width }, (_, i) => {
      const cell = row[i]?.trim() || null;
      if (cell !== null) before = cell;
      // Only above the last row does a text stand for several columns.
      return cell ?? (level < rows.length - 1 ? before : null);
    });
  });
  return Array.from({ length: width }, (_, i) => {
    const texts = filled.map((row) => row[i] ?? null).filter((text): text is string => text !== null);
    return texts.length === 0 ? null : [...new Set(texts)].join("_");
  });
}
