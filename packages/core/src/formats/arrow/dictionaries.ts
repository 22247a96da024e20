import { Fault } from "../../domain/fault.ts";
import type { ArrowArray } from "./array.ts";
import { type ArrayContext, readDictionary } from "./read-arrays.ts";
import { beyond, unreadable } from "./refuse.ts";
import type { Message } from "./message.ts";
import type { ArrowField, ArrowSchema } from "./schema.ts";

/** The dictionaries of a file by id, as they were sent so far. Several columns may share one. */
export class Dictionaries {
  readonly arrays = new Map<string, ArrowArray>();
  readonly #fields = new Map<string, ArrowField>();
  readonly #bytes = new Map<string, number>();
  #copied = 0;

  constructor(schema: ArrowSchema) {
    const visit = (field: ArrowField): void => {
      if (field.dictionary && !this.#fields.has(field.dictionary.id)) this.#fields.set(field.dictionary.id, field);
      field.children.forEach(visit);
    };
    schema.fields.forEach(visit);
  }

  /** Ids of the dictionaries that this one's values refer to. */
  needs(id: string): string[] {
    const within = (field: ArrowField): string[] =>
      field.children.flatMap((child) => [...(child.dictionary ? [child.dictionary.id] : []), ...within(child)]);
    const field = this.#fields.get(id);
    return field ? within(field) : [];
  }

  /** Takes a dictionary, in place of the one before it or behind its values (a delta). */
  add(message: Message & { is: "dictionary" }, body: Uint8Array, context: Omit<ArrayContext, "dictionaries">): void {
    const field = this.#fields.get(message.id);
    // A dictionary that no column refers to is no one's data.
    if (!field) return;
    const values = readDictionary(field, message.batch, body, { ...context, dictionaries: this.arrays });
    const before = this.arrays.get(message.id);
    const held = Math.max(bytesOf(values), body.length) + (message.delta ? (this.#bytes.get(message.id) ?? 0) : 0);
    this.#bytes.set(message.id, held);
    const all = [...this.#bytes.values()].reduce((sum, bytes) => sum + bytes, 0);
    checkHeld(all, "take", context.limits.heldBytes);
    if (message.delta && before) {
      // Each delta copies what was there: bounded, since many small ones on a large dictionary would be quadratic.
      this.#copied += held;
      checkHeld(this.#copied / 8, "are added to until they take", context.limits.heldBytes);
      this.arrays.set(message.id, joined(before, values));
    } else this.arrays.set(message.id, values);
  }
}

function checkHeld(bytes: number, how: string, most: number): void {
  if (bytes > most) beyond("heldBytes", `dictionaries ${how} more than ${most} bytes`, Math.round(bytes), most);
}

function bytesOf(array: ArrowArray): number {
  const own = array.length * 4;
  switch (array.is) {
    case "null":
    case "dictionary":
      return own;
    case "bits":
      return own + array.bits.length;
    case "fixed":
      return own + array.bytes.length;
    case "bytes":
      return own + array.values.length;
    case "views":
      return own * 4 + array.data.reduce((sum, bytes) => sum + bytes.length, 0);
    case "list":
    case "spans":
    case "fixedlist":
      return own + bytesOf(array.child);
    case "runs":
      return own + bytesOf(array.values);
    case "struct":
    case "union":
      return own + array.children.reduce((sum, child) => sum + bytesOf(child), 0);
  }
}

/** Two arrays of one type, one behind the other. */
function joined(a: ArrowArray, b: ArrowArray): ArrowArray {
  const length = a.length + b.length;
  if (length > 2 ** 31 - 1) return unreadable(`a dictionary of ${length} values`);
  const facts = {
    length,
    nulls: a.nulls + b.nulls,
    validity: a.validity || b.validity ? joinedBits(a.validity, a.length, b.validity, b.length) : null,
    depth: Math.max(a.depth, b.depth),
  };
  if (a.is === "null" && b.is === "null") return { ...facts, validity: null, is: "null" };
  if (a.is === "bits" && b.is === "bits") return { ...facts, is: "bits", bits: joinedBits(a.bits, a.length, b.bits, b.length) };
  if (a.is === "fixed" && b.is === "fixed") {
    const [left, right] = [a.bytes.subarray(0, a.length * a.width), b.bytes.subarray(0, b.length * b.width)];
    return { ...facts, is: "fixed", type: a.type, width: a.width, bytes: joinedBytes(left, right) };
  }
  if (a.is === "bytes" && b.is === "bytes") {
    const end = a.offsets[a.length] ?? 0;
    const offsets = joinedOffsets(a.offsets, a.length, b.offsets, b.length, end);
    return { ...facts, is: "bytes", offsets, values: joinedBytes(a.values.subarray(0, end), b.values) };
  }
  if (a.is === "list" && b.is === "list") {
    const offsets = joinedOffsets(a.offsets, a.length, b.offsets, b.length, a.child.length);
    return { ...facts, is: "list", offsets, child: joined(a.child, b.child) };
  }
  if (
    a.is === "struct" &&
    b.is === "struct" &&
    a.children.every((child, i) => child.length === a.length && b.children[i]?.length === b.length)
  ) {
    return { ...facts, is: "struct", children: a.children.map((child, i) => joined(child, b.children[i] ?? child)) };
  }
  throw new Fault("unsupported_format", `deltas of dictionaries of ${a.is} values are not supported`);
}

function joinedOffsets(a: Int32Array, aLength: number, b: Int32Array, bLength: number, shift: number): Int32Array {
  const out = new Int32Array(aLength + bLength + 1);
  out.set(a.subarray(0, aLength + 1));
  // Values of b keep their places behind those of a, whatever its first offset is: row aLength ends where a ends.
  const gap = b[0] ?? 0;
  if (gap !== 0 || (out[aLength] ?? 0) !== shift)
    throw new Fault("unsupported_format", "deltas of dictionaries whose offsets leave gaps are not supported");
  for (let i = 1; i <= bLength; i++) out[aLength + i] = (b[i] ?? 0) + shift;
  return out;
}

function joinedBytes(a: Uint8Array, b: Uint8Array): Uint8Array {
  const out = new Uint8Array(a.length + b.length);
  out.set(a);
  out.set(b, a.length);
  return out;
}

function joinedBits(a: Uint8Array | null, aLength: number, b: Uint8Array | null, bLength: number): Uint8Array {
  const out = new Uint8Array((aLength + bLength + 7) >> 3);
  const copy = (from: Uint8Array | null, length: number, to: number) => {
    for (let i = 0; i < length; i++) {
      if (from !== null && ((from[i >> 3] ?? 0) & (1 << (i & 7))) === 0) continue;
      out[(to + i) >> 3] = (out[(to + i) >> 3] ?? 0) | (1 << ((to + i) & 7));
    }
  };
  copy(a, aLength, 0);
  copy(b, bLength, aLength);
  return out;
}
