import { expect, it } from "vitest";
import { copyRanges, MAX_PARTS, partBytesAt } from "./plan-parts.ts";

const MIB = 1 << 20;
const GIB = 2 ** 30;

it("a size that is known is cut into equal parts, at most 10,000", () => {
  for (const bytes of [1, 8 * MIB, 50 * GIB, 78 * GIB, 79 * GIB, 5 * 1_024 * GIB]) {
    const part = partBytesAt(0, 8 * MIB, bytes);
    expect(part).toBeGreaterThanOrEqual(8 * MIB);
    expect(Math.ceil(bytes / part)).toBeLessThanOrEqual(MAX_PARTS);
    expect(partBytesAt(MAX_PARTS - 1, 8 * MIB, bytes)).toBe(part);
  }
});

it("a stream of unknown size may become 484 GiB before its parts run out", () => {
  let total = 0;
  for (let index = 0; index < MAX_PARTS; index++) total += partBytesAt(index, 8 * MIB, undefined);
  expect(Math.floor(total / GIB)).toBe(484);
});

it("copy ranges cover the object without gap or overlap", () => {
  expect(copyRanges(10, 4)).toEqual([
    { start: 0, end: 4 },
    { start: 4, end: 8 },
    { start: 8, end: 10 },
  ]);
  expect(copyRanges(8, 4)).toHaveLength(2);
  expect(copyRanges(5 * 1_024 * GIB, 5 * MIB).length).toBeLessThanOrEqual(MAX_PARTS);
});
