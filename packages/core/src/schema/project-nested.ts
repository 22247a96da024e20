import { type Data, DataType, type Field, makeData, type TypeMap, Vector, vectorFromArray } from "apache-arrow";
import { signatureOf } from "./nested-type.ts";
import { Validity } from "./column-data.ts";

/** Told of each value, by its index, that the other type does not hold. */
type OnBad = (index: number) => void;

/**
 * A nested column under a wider type: fields that it lacks are null, numbers become wider ones. A row that holds what the
 * other type does not, a field that it lacks or a number that it would round, is null and told of.
 */
export function projectNested(data: Data, to: DataType, onBad: OnBad): Data {
  const bad = new Set<number>();
  const projected = project(data, to, (index) => bad.add(index));
  if (bad.size === 0) return projected;
  const validity = new Validity(data.length);
  for (let i = 0; i < data.length; i++) if (!data.getValid(i) || bad.has(i)) validity.clear(i);
  for (const index of bad) onBad(index);
  const { buffers } = projected;
  return projected.clone(
    to,
    0,
    data.length,
    validity.nulls,
    [buffers[0], buffers[1], validity.bits, buffers[3]] as never,
    projected.children,
  );
}

function project(data: Data, to: DataType, onBad: OnBad): Data {
  if (isSame(data.type, to)) return data;
  if (data.nullCount === data.length) return nulls(to, data.length);
  if (DataType.isStruct(data.type) && DataType.isStruct(to)) return projectStruct(data, to, onBad);
  if (DataType.isList(data.type) && DataType.isList(to)) {
    const [element] = data.children;
    const field = to.children[0];
    if (!element || !field) throw new Error("a list without elements");
    return data.clone(to, data.offset, data.length, data.nullCount, data.buffers as never, [
      project(element, field.type, onBadElement(data, onBad)),
    ]);
  }
  return projectLeaf(data, to, onBad);
}

function projectStruct(data: Data, to: DataType & { children: Field[] }, onBad: OnBad): Data {
  const at = new Map((data.type as DataType & { children: Field[] }).children.map(({ name }, i) => [name, i]));
  const onBadField = (index: number) => {
    if (data.getValid(index)) onBad(index);
  };
  const children = to.children.map(({ name, type }) => {
    const child = data.children[at.get(name) ?? -1];
    at.delete(name);
    return child ? project(child, type, onBadField) : nulls(type, data.length);
  });
  for (const left of at.values()) {
    const child = data.children[left];
    for (let i = 0; i < data.length; i++) if (child?.getValid(i)) onBadField(i);
  }
  return data.clone(to, data.offset, data.length, data.nullCount, data.buffers as never, children);
}

/** The list that an element stands in. */
function onBadElement(lists: Data, onBad: OnBad): OnBad {
  return (index) => {
    const offsets = lists.valueOffsets as Int32Array;
    let low = 0;
    let high = lists.length;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if ((offsets[middle] ?? 0) <= index) low = middle;
      else high = middle;
    }
    if (index >= (offsets[low] ?? 0) && index < (offsets[low + 1] ?? 0) && lists.getValid(low)) onBad(low);
  };
}

function projectLeaf(data: Data, to: DataType, onBad: OnBad): Data {
  const numeric = (type: DataType) => DataType.isInt(type) || DataType.isFloat(type);
  const values = Array.from(new Vector<TypeMap[keyof TypeMap]>([data]) as Iterable<unknown>, (value, i): unknown => {
    if (value === null) return null;
    if (numeric(data.type) && numeric(to)) {
      if (DataType.isInt(to)) return BigInt(value as number);
      const number = Number(value);
      if (typeof value !== "bigint" || BigInt(number) === value) return number;
    }
    onBad(i);
    return null;
  });
  return dataOf(values, to);
}

function nulls(type: DataType, length: number): Data {
  return dataOf(Array<null>(length).fill(null), type);
}

function dataOf(values: readonly unknown[], type: DataType): Data {
  return vectorFromArray(values, type).data[0] ?? (makeData({ type, length: 0 } as never) as Data);
}

function isSame(a: DataType, b: DataType): boolean {
  return signatureOf(a) === signatureOf(b);
}
