import { Fault } from "../../domain/fault.ts";
import type { FileOptions } from "../../domain/options.ts";

/**
 * The sheets that the option `sheets` names, in its order; without it, those that are not hidden. Throws `unreadable` for a
 * name or position that the workbook lacks.
 */
export function chosenSheets<T extends { readonly name: string; readonly hidden: boolean }>(
  sheets: readonly T[],
  options: FileOptions,
): T[] {
  if (options.sheets === undefined) return sheets.filter(({ hidden }) => !hidden);
  return options.sheets.map((wanted) => {
    const found = typeof wanted === "number" ? sheets[wanted] : sheets.find(({ name }) => name === wanted);
    if (found !== undefined) return found;
    const there = sheets.slice(0, 20).map(({ name }) => JSON.stringify(name));
    throw new Fault("unreadable", `there is no sheet ${JSON.stringify(wanted)}; the workbook has ${there.join(", ") || "none"}`, {
      field: "sheets",
      value: wanted,
    });
  });
}
