import { Fault } from "../../domain/fault.ts";
import type { ColumnType } from "../../domain/table-schema.ts";
import { ValuePlace } from "./place.ts";
import type { Cells } from "./row-cells.ts";
import { afterColon, KIND, scan, scanString, scanValue, skipSpace } from "./scan-value.ts";
import { textOf } from "./text.ts";

/** Columns within columns deeper than this, and objects of more different keys, are kept as JSON text: they are maps, not tables. */
const MAX_LEVELS = 16;
const MAX_FIELDS = 256;
/** Places within the columns of a table, and values that those may take of one batch: what a few bytes can ask for has an end. */
const MAX_PLACES = 4_096;
const MAX_CELLS = 4 * 2 ** 20;

/** What the places of one table share. `flatten`: lists are text, so nobody looks into them. */
export class NestedBounds {
  readonly flatten: boolean;
  /** Texts of dates and times are such. */
  readonly dates: boolean;
  places = 0;
  cells = 0;

  constructor(flatten: boolean, dates: boolean) {
    this.flatten = flatten;
    this.dates = dates;
  }
}

class TooSparse extends Error {}

/** Keys that an object within a row has more than once: the last counts. */
export const nestedDuplicates = { count: 0 };

/** What a place holds once the whole file was looked at: values of one type, objects of named fields, or lists. */
export type Shape =
  | { readonly is: "leaf"; readonly type: ColumnType }
  | { readonly is: "struct"; readonly fields: readonly (readonly [string, NestedPlace])[] }
  | { readonly is: "list"; readonly element: NestedPlace };

/**
 * A place of a row, and beneath it the places of the objects and lists that stand in it. It takes the values of a batch as
 * ranges of its bytes: those of a field are as many as the objects above it, those of a list's element as all the lists together.
 */
export class NestedPlace {
  readonly place = new ValuePlace();
  readonly fields = new Map<string, NestedPlace>();
  element: NestedPlace | null = null;
  count = 0;
  /** By value: how many elements the lists up to and with it have. */
  lengths = new Int32Array(0);
  #starts = new Int32Array(0);
  #ends = new Int32Array(0);
  #kinds = new Uint8Array(0);
  /** Fields by their key's raw bytes (as Latin-1). */
  readonly #byRaw = new Map<string, NestedPlace>();
  readonly #level: number;
  #opaque: boolean;
  #shape: Shape | null = null;

  readonly #bounds: NestedBounds;

  constructor(bounds: NestedBounds, level = 0) {
    this.#bounds = bounds;
    this.#level = level;
    this.#opaque = level >= MAX_LEVELS || ++bounds.places > MAX_PLACES;
  }

  /** Looks at a column's values, and at all that stands in them. */
  look(column: Cells): void {
    const { place } = this;
    const before = place.objects + place.arrays;
    place.add(column);
    if (place.objects + place.arrays === before || this.#opaque) return;
    try {
      this.#load(column);
      this.#lookBeneath(column.bytes);
    } catch (error) {
      if (!(error instanceof TooSparse)) throw error;
      this.#close();
    }
  }

  /** From now on nothing beneath is looked at: the place is one of JSON text. */
  #close(): void {
    this.#opaque = true;
    for (const below of this.#below()) below.#release();
    this.fields.clear();
    this.#byRaw.clear();
    this.element = null;
  }

  #release(): void {
    this.#bounds.places--;
    this.#bounds.cells -= this.#kinds.length;
    for (const below of this.#below()) below.#release();
  }

  #below(): NestedPlace[] {
    return this.element === null ? [...this.fields.values()] : [...this.fields.values(), this.element];
  }

  #lookBeneath(bytes: Uint8Array): void {
    for (const below of this.#below()) {
      below.place.add(below.cells(bytes));
      below.#lookBeneath(bytes);
    }
  }

  /** Takes the values of a column, and those within them, for `cells` of every place to be read. */
  load(column: Cells): void {
    try {
      this.#load(column);
    } catch (error) {
      if (!(error instanceof TooSparse)) throw error;
      throw new Fault(
        "limit_exceeded",
        `objects and lists within ${column.count} rows have more than ${MAX_CELLS} places (limit nestedCells)`,
        {
          field: "nestedCells",
          limit: MAX_CELLS,
        },
      );
    }
  }

  #load(column: Cells): void {
    this.#clear();
    const { bytes, starts, ends, kinds, first, step, count } = column;
    for (let i = 0, c = first; i < count; i++, c += step) this.#put(bytes, i, starts[c] ?? 0, ends[c] ?? 0, kinds[c] ?? 0);
    this.#finish(count);
  }

  cells(bytes: Uint8Array): Cells {
    return { bytes, starts: this.#starts, ends: this.#ends, kinds: this.#kinds, first: 0, step: 1, count: this.count };
  }

  /** What the place is, as `look` has seen it; from the first call on no other keys and values are looked for. */
  get shape(): Shape {
    this.#shape ??= this.#findShape();
    return this.#shape;
  }

  /** The place is one of text, whatever stands in it: objects and lists as they are written. */
  asText(): void {
    this.#shape = { is: "leaf", type: { kind: "text" } };
  }

  #findShape(): Shape {
    const { objects, arrays, facts } = this.place;
    const text: Shape = { is: "leaf", type: { kind: "text" } };
    if (objects + arrays === 0) return isTemporal(facts.whole) && !this.#bounds.dates ? text : { is: "leaf", type: facts.whole };
    if (this.#opaque || this.place.scalars > 0 || (objects > 0 && arrays > 0)) return text;
    if (arrays > 0) return this.#bounds.flatten ? text : { is: "list", element: (this.element ??= this.#newPlace()) };
    // Objects of no keys say nothing of what they may hold: another file's will.
    return this.fields.size === 0 ? { is: "leaf", type: { kind: "unknown" } } : { is: "struct", fields: [...this.fields] };
  }

  #newPlace(): NestedPlace {
    return new NestedPlace(this.#bounds, this.#level + 1);
  }

  #clear(): void {
    this.#kinds.fill(0, 0, this.count);
    this.lengths.fill(0, 0, this.count);
    this.count = 0;
    for (const field of this.fields.values()) field.#clear();
    if (this.element !== null) this.element.#clear();
  }

  #put(bytes: Uint8Array, at: number, start: number, end: number, kind: number): void {
    if (at >= this.#kinds.length) this.#grow(at + 1);
    if (this.#kinds[at] !== 0) {
      nestedDuplicates.count++;
      this.#erase(at);
    }
    this.#kinds[at] = kind;
    this.#starts[at] = start;
    this.#ends[at] = end;
    if (at >= this.count) this.count = at + 1;
    if (kind < KIND.object || this.#opaque || this.#shape?.is === "leaf") return;
    if (kind === KIND.object) this.#putFields(bytes, at, start, end);
    else if (!this.#bounds.flatten) this.#putElements(bytes, at, start, end);
  }

  /** Takes back a value for which its key's second value came, and all within it: elements of lists came last, so they go first. */
  #erase(at: number): void {
    const kind = this.#kinds[at];
    this.#kinds[at] = 0;
    if (kind === KIND.object) {
      for (const field of this.fields.values()) if (at < field.count) field.#erase(at);
    } else if (kind === KIND.array && this.element !== null) {
      for (let left = this.lengths[at] ?? 0; left > 0; left--) this.element.#erase(--this.element.count);
      this.lengths[at] = 0;
    }
  }

  #putFields(bytes: Uint8Array, at: number, start: number, end: number): void {
    let i = skipSpace(bytes, start + 1, end);
    while (bytes[i] === 34) {
      const keyEnd = scanString(bytes, i, end);
      const field = this.#fieldOf(bytes, i + 1, keyEnd - 1, scan.kind === KIND.escaped);
      const from = afterColon(bytes, keyEnd, end);
      const to = scanValue(bytes, from, end);
      const text = scan.kind === KIND.plain || scan.kind === KIND.escaped ? 1 : 0;
      if (field) field.#put(bytes, at, from + text, to - text, scan.kind);
      i = skipSpace(bytes, skipSpace(bytes, to, end) + 1, end);
    }
  }

  #putElements(bytes: Uint8Array, at: number, start: number, end: number): void {
    const element = (this.element ??= this.#newPlace());
    const before = element.count;
    let i = skipSpace(bytes, start + 1, end);
    while (i < end - 1) {
      const to = scanValue(bytes, i, end);
      const text = scan.kind === KIND.plain || scan.kind === KIND.escaped ? 1 : 0;
      element.#put(bytes, element.count, i + text, to - text, scan.kind);
      i = skipSpace(bytes, skipSpace(bytes, to, end) + 1, end);
    }
    this.lengths[at] = element.count - before;
  }

  /** null where the place has so many keys that it is a map: nothing beneath it is looked at any more. */
  #fieldOf(bytes: Uint8Array, from: number, to: number, escaped: boolean): NestedPlace | null {
    const raw = Buffer.from(bytes.buffer, bytes.byteOffset + from, to - from).toString("latin1");
    const known = this.#byRaw.get(raw);
    if (known || this.#opaque) return known ?? null;
    const name = textOf(bytes, from, to, escaped);
    let field = this.fields.get(name);
    if (!field) {
      if (this.fields.size === MAX_FIELDS) {
        this.#close();
        return null;
      }
      field = this.#newPlace();
      this.fields.set(name, field);
    }
    if (!escaped) this.#byRaw.set(raw, field);
    return field;
  }

  /** Fields that the last values did not have are filled up with nothing; lengths become running sums. */
  #finish(count: number): void {
    if (count > this.#kinds.length) this.#grow(count);
    this.count = count;
    for (const field of this.fields.values()) field.#finish(count);
    if (this.element === null) return;
    let sum = 0;
    for (let i = 0; i < count; i++) {
      sum += this.lengths[i] ?? 0;
      this.lengths[i] = sum;
    }
    this.element.#finish(sum);
  }

  #grow(count: number): void {
    const size = Math.max(count, this.#kinds.length * 2, 64);
    const more = size - this.#kinds.length;
    if (this.#bounds.cells + more > MAX_CELLS) throw new TooSparse();
    this.#bounds.cells += more;
    const [starts, ends, kinds, lengths] = [this.#starts, this.#ends, this.#kinds, this.lengths];
    this.#starts = new Int32Array(size);
    this.#ends = new Int32Array(size);
    this.#kinds = new Uint8Array(size);
    this.lengths = new Int32Array(size);
    this.#starts.set(starts);
    this.#ends.set(ends);
    this.#kinds.set(kinds);
    this.lengths.set(lengths);
  }
}

function isTemporal({ kind }: ColumnType): boolean {
  return kind === "date" || kind === "time" || kind === "timestamp";
}
