import type { ColumnFacts } from "./infer.ts";
import { numbersOfType } from "./infer.ts";
import { type Column, mergeNumbers, NO_NUMBERS, type NumericFacts, sameType, widen } from "../domain/table-schema.ts";

/** A live column after it met a file's column: wider when the file asks for it and its values allow it, else as it was. */
export function growColumn(column: Column, facts: ColumnFacts): Column {
  if (column.declared) return column;
  const asked = askedType(column, facts);
  if (asked === null) return column;
  const numbers = mergedNumbers(column, facts);
  const type = widen(column.type, asked, numbers ?? NO_NUMBERS);
  if (type === null) return column;
  return { id: column.id, name: column.name, type, declared: false, ...(numbers ? { numbers } : {}) };
}

/** True when a file's values would need a type that the column cannot widen to. */
export function clashes(column: Column, facts: ColumnFacts): boolean {
  if (column.type.kind === "text" || facts.whole.kind === "unknown") return false;
  if (sameType(column.type, facts.whole)) return false;
  return column.declared || widen(column.type, facts.whole, mergedNumbers(column, facts) ?? NO_NUMBERS) === null;
}

function askedType(column: Column, facts: ColumnFacts): Column["type"] | null {
  switch (column.type.kind) {
    case "unknown":
      return facts.whole;
    case "int64":
    case "decimal":
    case "double":
      return facts.numeric;
    case "date":
    case "timestamp":
      return facts.temporal;
    case "nested":
      return facts.whole.kind === "nested" ? facts.whole : null;
    case "bool":
    case "time":
    case "text":
    case "binary":
      return null;
  }
}

/** A live numeric column whose digits nobody counted may need all that its type allows. */
function mergedNumbers(column: Column, facts: ColumnFacts): NumericFacts | null {
  const known = column.numbers ?? numbersOfType(column.type);
  if (known === null) return facts.numbers;
  return facts.numbers === null ? known : mergeNumbers(known, facts.numbers);
}
