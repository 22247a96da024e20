import { expect, test } from "vitest";
import { fuzz } from "../fuzz/workbook.ts";

test("a mutated xlsx is read or refused for its content, never anything else", async () => {
  const { read, refused } = await fuzz(20_261_121, 300, "xlsx");
  expect([read > 30, refused > 30]).toEqual([true, true]);
});

test("a mutated xls is read or refused for its content, never anything else", async () => {
  const { read, refused } = await fuzz(20_261_121, 400, "xls");
  expect([read > 30, refused > 30]).toEqual([true, true]);
});
