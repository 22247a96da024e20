import { isLineage } from "../schema/lineage.ts";

/**
 * Column names from a header row: trimmed, `column_<n>` (from 1) where empty, and unique by a suffix: a, a_1. A name that
 * is written in the header keeps it, so `a, a, a_1` becomes a, a_2, a_1. Names of lineage columns are ours and get a suffix too.
 */
export function headerNames(cells: readonly (string | null)[]): string[] {
  const written = cells.map((cell, i) => cell?.trim() || `column_${i + 1}`);
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
