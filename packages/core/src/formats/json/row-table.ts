import { type ColumnType, sameType } from "../../domain/table-schema.ts";
import type { SourceColumn } from "../../schema/enforce.ts";
import type { ColumnData } from "../../schema/column-data.ts";
import { headerNames } from "../header-names.ts";
import { leafData } from "./leaf-data.ts";
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

  constructor(flatten: boolean) {
    this.#bounds = new NestedBounds(flatten);
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
    const names = headerNames(outputs.map(({ path }) => path.join(".")));
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

  /** The columns' values in a batch, of which `cells` gives those of a key. */
  read(cells: (column: number) => Cells): ColumnData[] {
    return this.#places.flatMap((place, i) => {
      const outputs = this.#outputs[i] ?? [];
      if (outputs.length === 0) return [];
      const column = cells(i);
      if (place.shape.is === "leaf") return [leafData(column, place.shape.type)];
      place.load(column);
      return outputs.map(({ place: { shape }, place }) =>
        shape.is === "leaf" ? leafData(place.cells(column.bytes), shape.type) : nestedData(place, column.bytes),
      );
    });
  }

  #outputsOf(path: readonly string[], place: NestedPlace): Output[] {
    const { shape } = place;
    if (!this.#bounds.flatten || shape.is !== "struct") return [{ path, place }];
    return shape.fields.flatMap(([name, field]) => this.#outputsOf([...path, name], field));
  }
}
