import type { ColumnType } from "../../domain/table-schema.ts";
import { directColumn, dictionaryColumn } from "./bytes-columns.ts";
import type { BatchTally, ColumnReader } from "./column-reader.ts";
import { decimalColumn, shortDecimalColumn } from "./decimal-columns.ts";
import { DecimalVarints } from "./decimal-varints.ts";
import { listColumn, mapColumn, structColumn, unionColumn } from "./nested-columns.ts";
import { boolColumn, byteColumn, dateColumn, floatColumn, intColumn } from "./number-columns.ts";
import type { PresentReader } from "./presence.ts";
import { RleIntsV2 } from "./rle-int-v2.ts";
import { arrowTypeOf, columnTypeOf, type LeafTypes, type OrcType } from "./schema.ts";
import type { Stripe } from "./stripe.ts";
import { STREAM } from "./stripe-footer.ts";
import { timestampColumn } from "./timestamp-columns.ts";
import type { Zones } from "./zones.ts";

/** The readers of one stripe's columns. */
export class ColumnReaders {
  readonly #stripe: Stripe;
  readonly #leaves: LeafTypes;
  readonly #tally: BatchTally;
  readonly #zones: Zones;

  constructor(stripe: Stripe, leaves: LeafTypes, zones: Zones, tally: BatchTally) {
    this.#stripe = stripe;
    this.#leaves = leaves;
    this.#tally = tally;
    this.#zones = zones;
  }

  of(type: OrcType): ColumnReader {
    const stripe = this.#stripe;
    const tally = this.#tally;
    const present = stripe.present(type);
    switch (type.kind) {
      case "boolean":
        return boolColumn(present, stripe.stream(type, STREAM.data), tally);
      case "tinyint":
        return byteColumn(present, stripe.stream(type, STREAM.data), tally);
      case "smallint":
      case "int":
      case "bigint":
        return intColumn(present, stripe.ints(type, STREAM.data, true), tally);
      case "float":
        return floatColumn(present, stripe.stream(type, STREAM.data), 4, tally);
      case "double":
        return floatColumn(present, stripe.stream(type, STREAM.data), 8, tally);
      case "date":
        return dateColumn({ present, ints: stripe.ints(type, STREAM.data, true), julian: stripe.julian }, tally);
      case "string":
      case "varchar":
      case "char":
      case "binary":
        return this.#bytes(type, present);
      case "timestamp":
      case "timestamp_instant":
        return this.#timestamp(type, present);
      case "decimal":
        return this.#decimal(type, present);
      case "list":
      case "map":
      case "struct":
      case "union":
        return this.#nested(type, present);
    }
  }

  #bytes(type: OrcType, present: PresentReader): ColumnReader {
    const stripe = this.#stripe;
    const encoding = stripe.encoding(type);
    const lengths = stripe.ints(type, STREAM.length, false);
    const text = type.kind !== "binary";
    if (!encoding.dictionary) return directColumn({ present, lengths, text, data: stripe.stream(type, STREAM.data) }, this.#tally);
    const data = stripe.stream(type, STREAM.dictionaryData);
    const ids = stripe.ints(type, STREAM.data, false);
    return dictionaryColumn({ present, lengths, text, data, ids, size: encoding.dictionarySize }, this.#tally);
  }

  #timestamp(type: OrcType, present: PresentReader): ColumnReader {
    const stripe = this.#stripe;
    const seconds = stripe.ints(type, STREAM.data, true);
    const nanos = stripe.ints(type, STREAM.secondary, false);
    const column = this.#columnType(type, "timestamp");
    return timestampColumn({ present, seconds, nanos }, { base: this.#zones.base(type, stripe), unit: column.unit }, this.#tally);
  }

  #decimal(type: OrcType, present: PresentReader): ColumnReader {
    const stripe = this.#stripe;
    const column = this.#columnType(type, "decimal");
    if (stripe.shortDecimals && type.precision >= 1 && type.precision <= 18) {
      // Java's draft says DIRECT for them as well, which elsewhere means version 1.
      return shortDecimalColumn(present, new RleIntsV2(stripe.stream(type, STREAM.data), true), column, this.#tally);
    }
    const unscaled = new DecimalVarints(stripe.stream(type, STREAM.data));
    return decimalColumn({ present, unscaled, scales: stripe.ints(type, STREAM.secondary, true) }, column, this.#tally);
  }

  #nested(type: OrcType, present: PresentReader): ColumnReader {
    const stripe = this.#stripe;
    const arrow = arrowTypeOf(type, this.#leaves);
    const children = type.children.map((child) => this.of(child.type));
    const [first, second] = children;
    if (type.kind === "list" && first) {
      return listColumn(present, stripe.ints(type, STREAM.length, false), first, arrow, this.#tally);
    }
    if (type.kind === "map" && first && second) {
      return mapColumn({ present, lengths: stripe.ints(type, STREAM.length, false), key: first, value: second }, arrow, this.#tally);
    }
    if (type.kind === "union") return unionColumn(present, stripe.stream(type, STREAM.data), children, arrow, this.#tally);
    return structColumn(present, children, arrow);
  }

  #columnType<K extends ColumnType["kind"]>(type: OrcType, kind: K): ColumnType & { kind: K } {
    const column = columnTypeOf(type, this.#leaves);
    if (column.kind !== kind) throw new Error(`type ${type.id} is read as ${kind}, but its column is ${column.kind}`);
    return column as ColumnType & { kind: K };
  }
}
