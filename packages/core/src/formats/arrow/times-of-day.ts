import type { ArrowArray } from "./array.ts";
import { bitAt } from "./bits.ts";
import type { OpenArrow } from "./open-arrow.ts";
import type { ArrowField, ArrowSchema } from "./schema.ts";

const DAY_MS = 86_400_000n;

/**
 * The schema with every date in milliseconds that has a time of day, somewhere in the file, as the timestamp that it is: the format
 * allows none, but its writers do not all keep to that. Files without such columns are not read for it.
 */
export async function withTimesOfDay(opened: OpenArrow): Promise<ArrowSchema> {
  const { schema } = opened;
  if (!schema.fields.some(hasMillis)) return schema;
  const timed = new Set<ArrowField>();
  const seen = new WeakSet<ArrowArray>();
  for await (const { arrays } of opened.batches(schema)) {
    schema.fields.forEach((field, i) => look(field, arrays[i], timed, seen));
  }
  return timed.size === 0 ? schema : { ...schema, fields: schema.fields.map((field) => renamed(field, timed)) };
}

function isMillis({ type }: ArrowField): boolean {
  return type.is === "date" && !type.days;
}

function hasMillis(field: ArrowField): boolean {
  return isMillis(field) || field.children.some(hasMillis);
}

function look(field: ArrowField, array: ArrowArray | undefined, timed: Set<ArrowField>, seen: WeakSet<ArrowArray>): void {
  if (!array || !hasMillis(field) || timed.has(field) || seen.has(array)) return;
  seen.add(array);
  switch (array.is) {
    case "fixed":
      if (isMillis(field) && hasTime(array.bytes, array.validity, array.length)) timed.add(field);
      return;
    case "dictionary":
      return look(field, array.values, timed, seen);
    case "runs": {
      const values = field.children[1];
      return values && look(values, array.values, timed, seen);
    }
    case "list":
    case "spans":
    case "fixedlist": {
      const items = field.children[0];
      return items && look(items, array.child, timed, seen);
    }
    case "struct":
    case "union":
      return field.children.forEach((child, i) => look(child, array.children[i], timed, seen));
    case "null":
    case "bits":
    case "bytes":
    case "views":
      return;
  }
}

function hasTime(bytes: Uint8Array, validity: Uint8Array | null, length: number): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let i = 0; i < length; i++) {
    if (view.getBigInt64(i * 8, true) % DAY_MS !== 0n && (validity === null || bitAt(validity, i))) return true;
  }
  return false;
}

function renamed(field: ArrowField, timed: ReadonlySet<ArrowField>): ArrowField {
  const children = field.children.map((child) => renamed(child, timed));
  return { ...field, children, type: timed.has(field) ? { is: "timestamp", unit: 1, zone: null } : field.type };
}
