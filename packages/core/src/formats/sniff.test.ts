import { expect, test } from "vitest";
import { PLAIN, type Sniffed, sniffDialect } from "./sniff.ts";
import { hasDecimalComma, startsWithData } from "./sniff-header.ts";

function sniff(text: string, usual = ","): Sniffed {
  return sniffDialect(text, true, { base: PLAIN, usual, preamble: true });
}

test.each([
  ["a,b\n1,2\n", ",", 0],
  ["a;b\n1,5;2\n", ";", 0],
  ["a\tb\n1\t2,3\n", "\t", 0],
  ["a|b\n1|2\n", "|", 0],
  ["a, b\n1, 2\n", ", ", 0],
  ["a, b\n1,2\n", ",", 0],
  ["a b\nx 1\ny 2\n", " ", 0],
  ["a  b\nx 1\nyy    2\n", "\\s+", 0],
  ["first last\nAnn Lee\nBob Ray\nCy Orr\n", ",", 0],
  ["at\n2024-01-01 10:00:00\n2024-01-02 10:00:00\n", ",", 0],
  ["date time\n2024-01-01 10:00:00\n2024-01-02 10:00:00\n", ",", 0],
  ["address\n12 Main St\n13 Main St\n14 Main St\n", ",", 0],
  ["Title\na,b,c\n1,2,3\n4,5,6\n", ",", 1],
  ["Title\n\na,b\n1,2\n4,5\n", ",", 1],
  ["comment\nhello, world\nfoo, bar\nx, y\n", ",", 0],
  ["a,b,c\n1,2\n3,4\n5,6\n", ",", 0],
  ["a,b\n1,2,3,4\n5,6,7,8\n", ",", 0],
  ["Title\n1,2,3\n4,5,6\n", ",", 0],
  ["Title\nname,2019,2020\nx,1,2\n", ",", 1],
  ["Title\nname,2019,2020\nx,1,2\ny,3,4\n", ",", 1],
  ["Title;2024\n\na;b;c;d\nx;y;z;w\nx;y;z;w\n", ";", 1],
  ["Report\nid;a;b\n1;1,5;2,5\n2;3,5;4,5\n3;5,5;6,5\n", ";", 1],
  ["a,b,c\n1,2,3,\n4,5,6,\n", ",", 0],
  ["id;price\n1,25;2,50\n2,75;3,25\n", ";", 0],
  ["id,,\nx,,\na,b,c\nd,e,f\n", ",", 0],
])("%j: delimiter %j, %d lines before the table", (text, delimiter, preamble) => {
  const found = sniff(text);
  expect([found.skipSpace ? `${found.delimiter} ` : found.delimiter, found.preamble]).toEqual([delimiter, preamble]);
});

test.each([
  ["id,s\n1,'a, b'\n2,'c'\n", "'"],
  ["id,s\n1,'a'\n2,\"b\"\n", '"'],
  ["id,s\n1,'tis\n2,'twas\n", '"'],
  ["s\n'a'\n'b'\n", '"'],
  ["id,s\n1,'a' and 'b'\n2,'c'\n", '"'],
])("%j: quote %s", (text, quote) => {
  expect(sniff(text).quote).toBe(quote);
});

const rows = (text: string) => text.split("\n").map((line) => line.split(";"));

test.each([
  ["1;2\n3;4", false],
  ["5;7\n3;4", true],
  ["2019;2020\n3;4", false],
  ["a;5\nb;6", false],
  ["a;5.5\nb;6.5", true],
  ["a;2024-01-01\nb;2024-01-02", true],
  ["2024-01-01;2024-01-02\n5;6", false],
  ["id;2024-01-01\n5;2024-01-02", false],
  ["true;false\ntrue;true", false],
  ["-1;-2\n3;4", true],
  ["5", false],
  [";\n1;2", false],
  ["13/01/2026;x\n14/01/2026;y", true],
])("%j begins with data: %s", (text, data) => {
  expect(startsWithData(rows(text))).toBe(data);
});

test.each([
  ["1,5\n2,5", ";", true],
  ["1,5\n2", ";", false],
  ["1,5\n2,5,3", ";", false],
  ["1,5", ";", false],
  ["1,5;2.5\n2,5;3.5", ";", false],
  ["1,5;v2.5\n2,5;x", ";", true],
  ["007,5\n008,5", ";", false],
  ["1,5\n2,5", "\t", false],
  ["0,5\n2,5", "\t", true],
  ["-1,5\n2,5", "\t", true],
  ["1,05\n2,5", "\t", true],
])("%j between %j has a decimal comma: %s", (text, delimiter, comma) => {
  expect(hasDecimalComma(rows(text), delimiter)).toBe(comma);
});
