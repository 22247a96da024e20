import { type ColumnType, sameType } from "../../domain/table-schema.ts";
import type { FileOptions } from "../../domain/options.ts";
import type { SourceColumn } from "../../schema/enforce.ts";
import { headerNames } from "../header-names.ts";
import type { SourceCells } from "../format.ts";
import { leafData, textsOf } from "./leaf-data.ts";
import { nestedData, nestedType } from "./nested-data.ts";
import { NestedBounds, NestedPlace } from "./nested-place.ts";
import type { Cells } from "./row-cells.ts";

/** The type that somebody asks of a column, where anybody does. */
export type TypeOf = (name: string) => ColumnType | undefined;

/** One column of the table: the values of a place. */
interface Output {
  /** Names from the row's key down to the place. */
  readonly path: readonly string[];
  readonly place: NestedPlace;
}

/** The places of rows, and the columns that they become. First it looks at every batch, then it reads them. */
export class RowTable {
  readonly #bounds: NestedBounds;
  readonly #places: NestedPlace[] = [];
  #outputs: readonly (readonly Output[])[] = [];

  readonly #options: FileOptions;

  constructor(options: FileOptions) {
    this.#options = options;
    this.#bounds = new NestedBounds(options.nested === "flatten", options.infer_dates ?? true);
  }

  /** No object and no array was seen so far. */
  get isFlat(): boolean {
    return this.#places.every(({ place }) => place.objects + place.arrays === 0);
  }

  /** Once the columns are known: the key that feeds each of them; null where one has nested values. */
  sources(): number[] | null {
    if (this.#places.some(({ shape, place }) => shape.is !== "leaf" || (shape.type.kind === "unknown" && place.objects > 0))) return null;
    return this.#outputs.flatMap((outputs, i) => outputs.map(() => i));
  }

  /** Places beneath the columns: each takes memory for every row of a batch. */
  get depth(): number {
    return Math.max(this.#bounds.places - this.#places.length, 0);
  }

  look(column: number, cells: Cells): void {
    (this.#places[column] ??= new NestedPlace(this.#bounds)).look(cells);
  }

  /**
   * The table's columns once all rows were looked at, by the keys of the rows; `without`: the key that becomes none. A column
   * that `typeOf` gives another type than its values have is delivered as text, as its values are written.
   */
  columns(keys: readonly string[], typeOf: TypeOf, without: number | null = null): SourceColumn[] {
    this.#outputs = this.#places.map((place, i) => (i === without ? [] : this.#outputsOf([keys[i] ?? ""], place)));
    const outputs = this.#outputs.flat();
    const names = headerNames(
      outputs.map(({ path }) => path.join(".")),
      this.#options.generated_names,
    );
    return outputs.map(({ place }, i): SourceColumn => {
      const name = names[i] ?? "";
      const asked = typeOf(name);
      if (asked && !(place.shape.is === "leaf" && sameType(asked, place.shape.type))) place.asText();
      const { shape } = place;
      if (shape.is === "leaf") return { name, type: shape.type, facts: { ...place.place.facts, whole: shape.type } };
      const type = nestedType(place);
      return { name, type, facts: { whole: type, numeric: null, temporal: null, numbers: null } };
    });
  }

  /** The columns' values in a batch, of which `cells` gives those of a key. `feeds` as in `OpenedTable.batches`. */
  read(cells: (column: number) => Cells, feeds: readonly (ColumnType | null)[] = []): SourceCells[] {
    let next = 0;
    return this.#places.flatMap((place, i) => {
      const outputs = this.#outputs[i] ?? [];
      if (outputs.length === 0) return [];
      const column = cells(i);
      const first = next;
      next += outputs.length;
      if (outputs[0]?.place === place) return [readPlace(place, column, feeds[first] ?? null, () => place.load(column))];
      place.load(column);
      return outputs.map(({ place }, k) => readPlace(place, place.cells(column.bytes), feeds[first + k] ?? null, () => {}));
    });
  }

  #outputsOf(path: readonly string[], place: NestedPlace): Output[] {
    const { shape } = place;
    if (!this.#bounds.flatten || shape.is !== "struct") return [{ path, place }];
    return shape.fields.flatMap(([name, field]) => this.#outputsOf([...path, name], field));
  }
}

/** A place's values: typed, or as they are written where their type is not the one that is wanted. */
function readPlace(place: NestedPlace, cells: Cells, wanted: ColumnType | null, load: () => void): SourceCells {
  const { shape } = place;
  const isOther =
    shape.is === "leaf"
      ? shape.type.kind !== "unknown" && !sameType(shape.type, wanted ?? shape.type)
      : wanted !== null && wanted.kind !== "nested";
  if (isOther) return { text: textsOf(cells) };
  if (shape.is === "leaf") return { data: leafData(cells, shape.type) };
  load();
  return { data: nestedData(place, cells.bytes) };
}
