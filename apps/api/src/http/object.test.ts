import { expect, test } from "vitest";
import { attachment, rangeOf } from "./object.ts";

test("a single range is read as RFC 9110 has it, anything else means the whole", () => {
  expect(rangeOf("bytes=0-4", 10)).toEqual({ start: 0, end: 5 });
  expect(rangeOf("bytes=5-", 10)).toEqual({ start: 5, end: 10 });
  expect(rangeOf("bytes=-3", 10)).toEqual({ start: 7, end: 10 });
  expect(rangeOf("bytes=-30", 10)).toEqual({ start: 0, end: 10 });
  expect(rangeOf("bytes=8-99", 10)).toEqual({ start: 8, end: 10 });
  expect(rangeOf("bytes=10-", 10)).toBe("unsatisfiable");
  expect(rangeOf("bytes=-0", 10)).toBe("unsatisfiable");
  for (const whole of [undefined, "", "bytes=-", "bytes=4-2", "bytes=0-1,3-4", "rows=0-1"]) expect(rangeOf(whole, 10)).toBeNull();
});

test("a download's name cannot break out of its header", () => {
  expect(attachment('a"; x="b\r\nX: y\u202e.csv')["Content-Disposition"]).toBe(
    "attachment; filename=\"a_; x=_b__X: y_.csv\"; filename*=UTF-8''a%22%3B%20x%3D%22b%0D%0AX%3A%20y%E2%80%AE.csv",
  );
});
