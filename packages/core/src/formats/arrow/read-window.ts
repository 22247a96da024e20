import type { Source } from "../source.ts";
import type { ArrowArray } from "./array.ts";
import { countOnes, sliceBits } from "./bits.ts";
import { checkOffsets, checkUtf8, indicesOf } from "./check-arrays.ts";
import type { BatchHead } from "./message.ts";
import { type ArrayContext, checkKeys } from "./read-arrays.ts";
import { beyond, unreadable } from "./refuse.ts";
import { type ArrowField, type ArrowType, widthOf } from "./schema.ts";

/** A body that is too large to be held: read a window of rows at a time, by the ranges that they take of each buffer. */
export interface LazyBody {
  readonly source: Source;
  readonly at: number;
  readonly bytes: number;
}

/** What a window of rows takes about, of all columns together. */
const WINDOW_BYTES = 16 * 2 ** 20;

/** An array of a batch, and where its buffers lie in the file: validity, then offsets and values as its type has them. */
interface Plan {
  readonly field: ArrowField;
  readonly length: number;
  readonly nulls: number;
  readonly buffers: readonly { readonly at: number; readonly length: number }[];
  readonly children: readonly Plan[];
}

/**
 * Windows of a batch whose body is neither compressed nor big-endian, and of types whose values lie in the order of their rows;
 * null for others, which must be held whole. Checked as `readArrays` checks, but for the counts of nulls, which no window knows.
 */
export function windowsOf(
  fields: readonly ArrowField[],
  head: BatchHead,
  body: LazyBody,
  context: ArrayContext,
): AsyncGenerator<{ rows: number; arrays: ArrowArray[] }> | null {
  if (head.codec !== null || context.bigEndian || !fields.every(inRowOrder)) return null;
  const planner = new Planner(head, body);
  const plans = fields.map((field) => planner.plan(field));
  planner.end(plans, head.rows);
  return windows(plans, head.rows, body, context);
}

async function* windows(plans: readonly Plan[], rows: number, body: LazyBody, context: ArrayContext) {
  // Windows are not all alike: a quarter of what may be held leaves room.
  const bytes = Math.min(WINDOW_BYTES, context.limits.heldBytes / 4);
  const window = Math.max(8, Math.floor((bytes * rows) / body.bytes / 8) * 8);
  for (let from = 0; from < rows; from += window) {
    const count = Math.min(window, rows - from);
    const reader = new WindowReader(body.source, context);
    const arrays: ArrowArray[] = [];
    for (const plan of plans) arrays.push(await reader.array(plan, from, count));
    yield { rows: count, arrays };
  }
}

/** Types whose values lie wherever their rows point. */
const OUT_OF_ORDER = new Set<ArrowType["is"]>(["utf8view", "binaryview", "spans", "union", "runs"]);

function inRowOrder(field: ArrowField): boolean {
  if (field.dictionary) return true;
  return !OUT_OF_ORDER.has(field.type.is) && field.children.every(inRowOrder);
}

class Planner {
  readonly #head: BatchHead;
  readonly #body: LazyBody;
  #node = 0;
  #buffer = 0;

  constructor(head: BatchHead, body: LazyBody) {
    this.#head = head;
    this.#body = body;
  }

  plan(field: ArrowField): Plan {
    const [length, nulls] = [this.#head.nodes[this.#node], this.#head.nodes[this.#node + 1]];
    this.#node += 2;
    if (length === undefined || nulls === undefined) return unreadable("a batch has fewer arrays than its schema");
    if (length > 2 ** 31 - 1 || nulls > length) unreadable(`an array of ${length} rows with ${nulls} nulls`);
    const buffers = Array.from({ length: buffersOf(field) }, () => this.#next());
    const children = field.dictionary ? [] : field.children.map((child) => this.plan(child));
    return { field, length, nulls, buffers, children };
  }

  end(plans: readonly Plan[], rows: number): void {
    if (this.#buffer < this.#head.buffers.length || this.#node < this.#head.nodes.length)
      unreadable("a batch has more arrays than its schema");
    for (const { field, length } of plans) {
      if (length !== rows) unreadable(`column ${JSON.stringify(field.name)} has ${length} rows, its batch ${rows}`);
    }
  }

  #next(): { at: number; length: number } {
    const [offset, length] = [this.#head.buffers[this.#buffer], this.#head.buffers[this.#buffer + 1]];
    this.#buffer += 2;
    if (offset === undefined || length === undefined) return unreadable("a batch has fewer buffers than its columns need");
    if (offset > this.#body.bytes || length > this.#body.bytes - offset)
      unreadable(`a buffer of ${length} bytes at ${offset} lies outside its body`);
    return { at: this.#body.at + offset, length };
  }
}

function buffersOf({ type, dictionary }: ArrowField): number {
  if (dictionary) return 2;
  if (type.is === "null") return 0;
  if (type.is === "struct" || type.is === "fixedlist") return 1;
  return type.is === "utf8" || type.is === "binary" ? 3 : 2;
}

class WindowReader {
  readonly #source: Source;
  readonly #context: ArrayContext;
  #bytes = 0;

  constructor(source: Source, context: ArrayContext) {
    this.#source = source;
    this.#context = context;
  }

  /** Rows [from, from + count) of an array. */
  async array(plan: Plan, from: number, count: number): Promise<ArrowArray> {
    const { field, length } = plan;
    const { type } = field;
    if (from + count > length) return unreadable(`${from + count} values of an array of ${length}`);
    if (type.is === "null" && !field.dictionary) return { length: count, nulls: count, validity: null, depth: 0, is: "null" };
    const facts = await this.#facts(plan, from, count);
    if (field.dictionary) {
      const key = field.dictionary;
      const values = this.#context.dictionaries.get(key.id) ?? { length: 0, nulls: 0, validity: null, depth: 0, is: "null" };
      const bytes = await this.#range(plan, 1, from * (key.bits / 8), count * (key.bits / 8));
      return { ...facts, depth: values.depth + 1, is: "dictionary", indices: indicesOf(bytes, key, facts, values.length), values };
    }
    switch (type.is) {
      case "bool":
        return { ...facts, is: "bits", bits: await this.#bits(plan, 1, from, count) };
      case "utf8":
      case "binary": {
        const { first, offsets } = await this.#offsets(plan, from, count, type.large);
        const values = await this.#range(plan, 2, first, offsets[count] ?? 0);
        checkOffsets(offsets, count, values.length);
        if (type.is === "utf8") checkUtf8(offsets, values, facts.validity, count);
        return { ...facts, is: "bytes", offsets, values };
      }
      case "list":
      case "map": {
        const { first, offsets } = await this.#offsets(plan, from, count, type.is === "list" && type.large);
        const child = await this.#child(plan, 0, first, offsets[count] ?? 0);
        checkOffsets(offsets, count, child.length);
        if (type.is === "map") checkKeys(child);
        return { ...facts, depth: child.depth + 1, is: "list", offsets, child };
      }
      case "fixedlist": {
        const child = await this.#child(plan, 0, from * type.size, count * type.size);
        return { ...facts, depth: child.depth + 1, is: "fixedlist", size: type.size, child };
      }
      case "struct": {
        const children: ArrowArray[] = [];
        for (let i = 0; i < plan.children.length; i++) children.push(await this.#child(plan, i, from, count));
        return { ...facts, depth: 1 + Math.max(0, ...children.map(({ depth }) => depth)), is: "struct", children };
      }
      case "int":
      case "float":
      case "decimal":
      case "date":
      case "time":
      case "timestamp":
      case "duration":
      case "interval":
      case "bytes": {
        const width = widthOf(type);
        return { ...facts, is: "fixed", type, width, bytes: await this.#range(plan, 1, from * width, count * width) };
      }
      case "null":
      case "runs":
      case "spans":
      case "union":
      case "utf8view":
      case "binaryview":
        throw new Error(`values of a type ${type.is} do not lie in the order of their rows`);
    }
  }

  #child(plan: Plan, index: number, from: number, count: number): Promise<ArrowArray> {
    const child = plan.children[index] ?? unreadable(`a type ${plan.field.type.is} without its children`);
    return this.array(child, from, count);
  }

  async #facts(plan: Plan, from: number, length: number) {
    if (plan.nulls === 0) return { length, nulls: 0, validity: null, depth: 0 };
    const bits = await this.#bits(plan, 0, from, length);
    const nulls = length - countOnes(bits, length);
    return { length, nulls, validity: nulls === 0 ? null : bits, depth: 0 };
  }

  async #bits(plan: Plan, buffer: number, from: number, count: number): Promise<Uint8Array> {
    const first = from >> 3;
    return sliceBits(await this.#range(plan, buffer, first, ((from + count + 7) >> 3) - first), from & 7, count);
  }

  /** Offsets from 0 on, and the one that they were counted from, which may lie beyond 32 bits. */
  async #offsets(plan: Plan, from: number, count: number, large: boolean): Promise<{ first: number; offsets: Int32Array }> {
    if (plan.length === 0) return { first: 0, offsets: new Int32Array(1) };
    const width = large ? 8 : 4;
    const bytes = await this.#range(plan, 1, from * width, (count + 1) * width);
    const raw = large
      ? new BigInt64Array(bytes.buffer, bytes.byteOffset, count + 1)
      : new Int32Array(bytes.buffer, bytes.byteOffset, count + 1);
    const first = Number(raw[0] ?? 0);
    const offsets = new Int32Array(count + 1);
    for (let i = 0; i <= count; i++) {
      const offset = Number(raw[i] ?? 0) - first;
      if (first < 0 || offset < 0 || offset > 2 ** 31 - 1) return unreadable(`an offset ${raw[i]} after ${first}`);
      offsets[i] = offset;
    }
    return { first, offsets };
  }

  /** Bytes of a buffer, in memory of their own. */
  async #range(plan: Plan, buffer: number, from: number, length: number): Promise<Uint8Array> {
    const span = plan.buffers[buffer];
    if (!span || from + length > span.length) return unreadable(`${length} bytes at ${from} of a buffer of ${span?.length ?? 0}`);
    this.#bytes += length;
    const { heldBytes } = this.#context.limits;
    if (this.#bytes > heldBytes)
      beyond("heldBytes", `a window of a record batch takes more than ${heldBytes} bytes`, this.#bytes, heldBytes);
    return new Uint8Array(await this.#source.read(span.at + from, span.at + from + length));
  }
}
