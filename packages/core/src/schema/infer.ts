import { type ColumnType, MAX_DECIMAL_DIGITS, type NumericFacts } from "../domain/table-schema.ts";
import { numbersOf, type Observation } from "./observe.ts";
import { nanosReach } from "./scan-time.ts";

/**
 * What a file says about one of its columns. `whole` is the type that holds every value; `numeric` and `temporal` hold
 * just its numbers, or just its dates and timestamps, and are null where there are none: what a column that has such a
 * type already is asked to widen to, the rest being bad values.
 */
export interface ColumnFacts {
  readonly whole: ColumnType;
  readonly numeric: ColumnType | null;
  readonly temporal: ColumnType | null;
  readonly numbers: NumericFacts | null;
}

const TEXT: ColumnType = { kind: "text" };

/** The facts of a text column once all its cells have been observed. */
export function infer(seen: Observation): ColumnFacts {
  const numbers = seen.ints + seen.bigs + seen.fractions > 0 ? numbersOf(seen) : null;
  return { whole: wholeType(seen), numeric: numericType(seen), temporal: temporalType(seen), numbers };
}

function wholeType(seen: Observation): ColumnType {
  const families = {
    bool: seen.bools,
    number: seen.ints + seen.bigs + seen.fractions,
    time: seen.times,
    temporal: seen.dates + seen.locals + seen.instants,
    text: seen.texts,
  };
  const there = Object.entries(families).filter(([, count]) => count > 0);
  if (there.length === 0) return seen.blanks > 0 ? TEXT : { kind: "unknown" };
  if (there.length > 1 || families.text > 0) return TEXT;
  if (families.bool > 0) return { kind: "bool" };
  if (families.time > 0) return { kind: "time" };
  return (families.number > 0 ? numericType(seen) : temporalType(seen)) ?? TEXT;
}

/** int64, else a double when it holds every digit, else a decimal when 38 digits do. */
function numericType(seen: Observation): ColumnType | null {
  if (seen.ints + seen.bigs + seen.fractions === 0) return null;
  if (seen.fractions === 0 && seen.bigs === 0) return { kind: "int64" };
  if (seen.fractions > 0 && seen.doubleExact) return { kind: "double" };
  if (seen.integerDigits + seen.scale > MAX_DECIMAL_DIGITS) return null;
  return { kind: "decimal", precision: MAX_DECIMAL_DIGITS, scale: seen.scale };
}

/** Dates join local timestamps; an instant (Z or an offset) joins neither, because a local time is none. */
function temporalType(seen: Observation): ColumnType | null {
  const { dates, locals, instants } = seen;
  if (dates + locals + instants === 0) return null;
  if (locals + instants === 0) return { kind: "date" };
  if (instants > 0 && dates + locals > 0) return null;
  if (seen.nanos && !(nanosReach(seen.firstYear) && nanosReach(seen.lastYear))) return null;
  return { kind: "timestamp", zone: instants > 0, unit: seen.nanos ? "ns" : "us" };
}

/** The facts of a column that came with a type of its own; its digits are those that the type allows. */
export function factsOfType(type: ColumnType): ColumnFacts {
  const numbers = numbersOfType(type);
  return {
    whole: type,
    numeric: numbers ? type : null,
    temporal: type.kind === "date" || type.kind === "timestamp" ? type : null,
    numbers,
  };
}

/** The most that a type's values may need; null when it is no numeric type. */
export function numbersOfType(type: ColumnType): NumericFacts | null {
  switch (type.kind) {
    case "int64":
      return { integerDigits: 19, scale: 0, doubleExact: false };
    case "decimal":
      return { integerDigits: type.precision - type.scale, scale: type.scale, doubleExact: type.precision <= 15 };
    case "double":
      return { integerDigits: 309, scale: 0, doubleExact: true };
    case "unknown":
    case "bool":
    case "date":
    case "time":
    case "timestamp":
    case "text":
    case "binary":
    case "nested":
      return null;
  }
}
