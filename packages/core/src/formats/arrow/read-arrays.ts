import type { FormatLimits } from "../format.ts";
import type { ArrowArray } from "./array.ts";
import { Body } from "./body.ts";
import {
  checkOffsets,
  checkUtf8,
  checkViews,
  denseOffsets,
  indicesOf,
  offsetsOf,
  runEnds,
  spansOf,
  typeIdsOf,
  validityOf,
} from "./check-arrays.ts";
import type { BatchHead } from "./message.ts";
import { beyond, unreadable } from "./refuse.ts";
import { type ArrowField, type ArrowType, type FixedType, MAX_DEPTH, widthOf } from "./schema.ts";
import { swapped } from "./swap.ts";

export interface ArrayContext {
  readonly bigEndian: boolean;
  /** Dictionaries sent so far, by id. */
  readonly dictionaries: ReadonlyMap<string, ArrowArray>;
  readonly limits: Pick<FormatLimits, "ratio" | "heldBytes">;
}

const MAX_LENGTH = 2 ** 31 - 1;
/** Below it a ratio says nothing. */
const SHARED_FROM = 2 ** 20;

/** The arrays of a batch, checked whole. Throws `unreadable` where they contradict themselves, `limit_exceeded` for bombs. */
export function readArrays(fields: readonly ArrowField[], head: BatchHead, body: Uint8Array, context: ArrayContext): ArrowArray[] {
  const reader = new ArrayReader(head, new Body(body, head, context.limits), context);
  const arrays = fields.map((field) => reader.array(field, !field.dictionary));
  reader.end();
  arrays.forEach((array, i) => {
    if (array.length !== head.rows)
      unreadable(`column ${JSON.stringify(fields[i]?.name)} has ${array.length} rows, its batch ${head.rows}`);
  });
  return arrays;
}

/** The values of a dictionary: one array of the type that its field has beneath its indexes. */
export function readDictionary(field: ArrowField, head: BatchHead, body: Uint8Array, context: ArrayContext): ArrowArray {
  const [values] = readArrays([{ ...field, dictionary: null }], head, body, context);
  return values ?? unreadable("a dictionary without values");
}

interface Facts {
  readonly length: number;
  readonly nulls: number;
}

class ArrayReader {
  readonly #head: BatchHead;
  readonly #body: Body;
  readonly #context: ArrayContext;
  #node = 0;
  #variadic = 0;

  constructor(head: BatchHead, body: Body, context: ArrayContext) {
    this.#head = head;
    this.#body = body;
    this.#context = context;
  }

  end(): void {
    this.#body.end();
    if (this.#node < this.#head.nodes.length) unreadable("a batch has more arrays than its schema");
  }

  array(field: ArrowField, values = !field.dictionary): ArrowArray {
    const facts = this.#facts();
    return values ? this.#values(field, facts) : this.#dictionary(field, facts);
  }

  #facts(): Facts {
    const [length, nulls] = [this.#head.nodes[this.#node], this.#head.nodes[this.#node + 1]];
    this.#node += 2;
    if (length === undefined || nulls === undefined) return unreadable("a batch has fewer arrays than its schema");
    if (length > MAX_LENGTH || nulls > length) unreadable(`an array of ${length} rows with ${nulls} nulls`);
    return { length, nulls };
  }

  /** The next buffer, its numbers of `width` bytes made little-endian. */
  #buffer(width: number): Uint8Array {
    const bytes = this.#body.next();
    return this.#context.bigEndian && width > 1 ? swapped(bytes, width) : bytes;
  }

  #validity({ length, nulls }: Facts): Uint8Array | null {
    return validityOf(this.#body.next(), length, nulls);
  }

  #dictionary(field: ArrowField, facts: Facts): ArrowArray {
    const key = field.dictionary ?? unreadable("a column without its dictionary");
    const validity = this.#validity(facts);
    const values = this.#context.dictionaries.get(key.id) ?? null;
    const indices = indicesOf(this.#buffer(key.bits / 8), key, { ...facts, validity }, values?.length ?? 0);
    // A dictionary that was never sent has no value: indicesOf has seen that no row asks for one.
    return deeper({ ...facts, validity, depth: 0, is: "dictionary", indices, values: values ?? NOTHING }, [values ?? NOTHING]);
  }

  #values(field: ArrowField, facts: Facts): ArrowArray {
    const { type } = field;
    switch (type.is) {
      case "null":
        return { ...facts, nulls: facts.length, validity: null, depth: 0, is: "null" };
      case "bool":
        return this.#bits(facts);
      case "utf8":
      case "binary":
        return this.#bytes(facts, type);
      case "utf8view":
      case "binaryview":
        return this.#views(facts, type.is === "utf8view");
      case "list":
      case "map":
        return this.#list(field, facts, type.is === "list" && type.large);
      case "spans":
        return this.#spans(field, facts, type.large);
      case "fixedlist":
        return this.#fixedList(field, facts, type.size);
      case "struct":
        return this.#struct(field, facts);
      case "union":
        return this.#union(field, type, facts);
      case "runs":
        return this.#runs(field, facts);
      case "int":
      case "float":
      case "decimal":
      case "date":
      case "time":
      case "timestamp":
      case "duration":
      case "interval":
      case "bytes":
        return this.#fixed(facts, type);
    }
  }

  #bits(facts: Facts): ArrowArray {
    const validity = this.#validity(facts);
    const bits = this.#body.next();
    if (bits.length < (facts.length + 7) >> 3) unreadable(`${facts.length} truth values in ${bits.length} bytes`);
    return { ...facts, validity, depth: 0, is: "bits", bits };
  }

  #fixed(facts: Facts, type: FixedType): ArrowArray {
    const validity = this.#validity(facts);
    const width = widthOf(type);
    const swap = type.is === "bytes" ? 1 : type.is === "interval" && type.unit !== "months" ? 4 : width;
    let bytes = this.#buffer(swap);
    if (this.#context.bigEndian && type.is === "interval" && type.unit === "nanos") bytes = swappedNanos(bytes);
    if (bytes.length < facts.length * width) unreadable(`${facts.length} values of ${width} bytes in ${bytes.length} bytes`);
    return { ...facts, validity, depth: 0, is: "fixed", type, width, bytes };
  }

  #bytes(facts: Facts, type: { readonly is: string; readonly large: boolean }): ArrowArray {
    const validity = this.#validity(facts);
    const offsets = offsetsOf(this.#buffer(type.large ? 8 : 4), facts.length, type.large);
    const values = this.#body.next();
    checkOffsets(offsets, facts.length, values.length);
    if (type.is === "utf8") checkUtf8(offsets, values, validity, facts.length);
    return { ...facts, validity, depth: 0, is: "bytes", offsets, values };
  }

  #views(facts: Facts, text: boolean): ArrowArray {
    const validity = this.#validity(facts);
    const views = this.#buffer(1);
    const count = this.#head.variadic[this.#variadic++] ?? unreadable("a batch says not how many buffers a column of views has");
    if (count > this.#head.buffers.length) unreadable(`a column of views in ${count} buffers`);
    const data = Array.from({ length: count }, () => this.#body.next());
    return {
      ...facts,
      validity,
      depth: 0,
      is: "views",
      views: checkViews(views, data, validity, facts.length, { text, bigEndian: this.#context.bigEndian }),
      data,
    };
  }

  #list(field: ArrowField, facts: Facts, large: boolean): ArrowArray {
    const validity = this.#validity(facts);
    const offsets = offsetsOf(this.#buffer(large ? 8 : 4), facts.length, large);
    const child = this.array(childOf(field, 0));
    checkOffsets(offsets, facts.length, child.length);
    if (field.type.is === "map") checkKeys(child);
    return deeper({ ...facts, validity, depth: 0, is: "list", offsets, child }, [child]);
  }

  #spans(field: ArrowField, facts: Facts, large: boolean): ArrowArray {
    const validity = this.#validity(facts);
    const [from, counts] = [this.#buffer(large ? 8 : 4), this.#buffer(large ? 8 : 4)];
    const child = this.array(childOf(field, 0));
    const { offsets, sizes } = spansOf(from, counts, facts.length, large, child.length);
    checkShared(sizes, child.length, this.#context.limits.ratio);
    return deeper({ ...facts, validity, depth: 0, is: "spans", offsets, sizes, child }, [child]);
  }

  #fixedList(field: ArrowField, facts: Facts, size: number): ArrowArray {
    const validity = this.#validity(facts);
    const child = this.array(childOf(field, 0));
    if (child.length < facts.length * size) unreadable(`${facts.length} lists of ${size} in ${child.length} values`);
    return deeper({ ...facts, validity, depth: 0, is: "fixedlist", size, child }, [child]);
  }

  #struct(field: ArrowField, facts: Facts): ArrowArray {
    const validity = this.#validity(facts);
    const children = field.children.map((child) => this.array(child));
    for (const child of children)
      if (child.length < facts.length) unreadable(`a struct of ${facts.length} rows whose field has ${child.length}`);
    return deeper({ ...facts, validity, depth: 0, is: "struct", children }, children);
  }

  #union(field: ArrowField, type: ArrowType & { is: "union" }, facts: Facts): ArrowArray {
    const validity = this.#head.unionValidity ? this.#validity(facts) : null;
    const tags = this.#body.next();
    const offsets = type.dense ? this.#buffer(4) : null;
    const children = field.children.map((child) => this.array(child));
    const { ids, picks } = typeIdsOf(tags, type.ids, validity, facts.length);
    const within = offsets && denseOffsets(offsets, picks, children, validity, facts.length);
    for (const child of children) if (!type.dense && child.length < facts.length) unreadable("a sparse union with a child too short");
    const nulls = validity === null ? 0 : facts.nulls;
    return deeper({ length: facts.length, nulls, validity, depth: 0, is: "union", ids, picks, offsets: within, children }, children);
  }

  #runs(field: ArrowField, facts: Facts): ArrowArray {
    const ends = this.array(childOf(field, 0));
    const values = this.array(childOf(field, 1));
    return deeper({ ...facts, nulls: 0, validity: null, depth: 0, is: "runs", ends: runEnds(ends, values, facts.length), values }, [
      values,
    ]);
  }
}

const NOTHING: ArrowArray = { length: 0, nulls: 0, validity: null, depth: 0, is: "null" };

/** Dictionaries may hold dictionaries that were sent before, so that depth is not the schema's alone. */
function deeper(array: ArrowArray, children: readonly ArrowArray[]): ArrowArray {
  const depth = 1 + Math.max(-1, ...children.map((child) => child.depth));
  if (depth > MAX_DEPTH * 2) unreadable("dictionaries that hold each other");
  return { ...array, depth };
}

function childOf(field: ArrowField, index: number): ArrowField {
  return field.children[index] ?? unreadable(`a type ${field.type.is} without its children`);
}

/** List views may share values: a few of them can stand for any number. */
function checkShared(sizes: Int32Array, values: number, ratio: number): void {
  const all = sizes.reduce((sum, size) => sum + size, 0);
  if (all > SHARED_FROM && all > values * ratio) {
    beyond(
      "ratio",
      `lists of ${values} values hold ${all}, more than ${ratio} times as many`,
      Math.round(all / Math.max(values, 1)),
      ratio,
    );
  }
}

/** Keys of a map are never null. */
export function checkKeys(entries: ArrowArray): void {
  if (entries.nulls > 0 || (entries.is === "struct" && (entries.children[0]?.nulls ?? 0) > 0)) unreadable("a map with a null key");
}

/** After a swap of all words of 32 bits, the two of each 64-bit nanosecond stand in the wrong order. */
function swappedNanos(bytes: Uint8Array): Uint8Array {
  const words = new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length >> 2);
  for (let i = 3; i < words.length; i += 4) [words[i - 1], words[i]] = [words[i] ?? 0, words[i - 1] ?? 0];
  return bytes;
}
