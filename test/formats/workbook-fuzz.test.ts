import { expect, test, vi } from "vitest";
import { fuzz } from "../fuzz/workbook.ts";

test("a mutated xlsx is read or refused for its content, never anything else", async () => {
  const { read, refused } = await fuzz(20_261_121, 300, "xlsx");
  expect([read > 30, refused > 30]).toEqual([true, true]);
});

test("a mutated xls is read or refused for its content, never anything else", async () => {
  // The library says on the console which records it does not know.
  using said = vi.spyOn(console, "error").mockImplementation(() => {});
  const { read, refused } = await fuzz(20_261_121, 400, "xls");
  expect([read > 30, refused > 30]).toEqual([true, true]);
  expect(said.mock.calls.every(([line]) => String(line).startsWith("Missing Info"))).toBe(true);
});
