import { expect, test } from "vitest";
import { cellText } from "../sheet/cell-text.ts";
import type { OfficePackage } from "./package.ts";
import { sheetBlocks } from "./sheet-blocks.ts";

const STRINGS = { count: 2, bytes: Buffer.from("eins€"), offsets: Uint32Array.of(0, 4, 7) };

/** The cells of a worksheet given in chunks of so many bytes, as row, column, kind and text. */
async function cellsOf(xml: string, chunkBytes: number, recordBytes = 1e6): Promise<(string | number | null)[][]> {
  const bytes = Buffer.from(xml);
  const zip = {
    async *xml() {
      for (let at = 0; at < bytes.length; at += chunkBytes) yield bytes.subarray(at, at + chunkBytes);
    },
  } as unknown as OfficePackage;
  const part = { name: "sheet1.xml", folder: false, bytes: bytes.length, packedBytes: bytes.length };
  const facts = { strings: STRINGS, styles: Uint8Array.of(0, 1), date1904: false, maxColumns: 16_384, recordBytes };
  const cells: (string | number | null)[][] = [];
  for await (const { block } of sheetBlocks(zip, part, facts)) {
    for (let row = 0; row < block.rows; row++) {
      for (let at = block.rowStart(row); at < (block.rowEnds[row] ?? 0); at++) {
        cells.push([block.rowNumbers[row] ?? 0, block.columns[at] ?? 0, block.kinds[at] ?? 0, cellText(block, at, STRINGS)]);
      }
    }
  }
  return cells;
}

const SHEET = (rows: string) =>
  `<?xml version="1.0"?>\n<!-- c --><worksheet a=">" b='"'><cols><c/></cols><sheetData>${rows}</sheetData><x/></worksheet>`;

const EVERYTHING = SHEET(
  '<row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1" t="s"><v> 1 </v></c></row>' +
    '<row><c><v>-1.25</v></c><c s="1"><v>45000</v></c><c t="b"><v>1</v></c><c t="e"><v>#N/A</v></c><c t="str"><f>"&lt;"</f><v>a &lt;<![CDATA[ <b> ]]>_x0041_&#x1F600;_xD83D__xDE00__xD83D_</v></c></row>' +
    '<!-- <row> --><row r="9" ><c  r = "AA9"\tt = \'inlineStr\' ><is><r><t>x</t></r><rPh><t>no</t></rPh><r><t xml:space="preserve"> y€</t></r></is></c><c r="AB9"/></row>' +
    '<row r="10"><x:c r="B10"><x:v>1e3</x:v></x:c><c r="A10"><v>1</v></c><c r="B10"><v>2</v></c></row><row r="11"/>',
);

test("the cells of a sheet are the same wherever its bytes are cut", async () => {
  const whole = await cellsOf(EVERYTHING, 1e6);
  expect(whole).toEqual([
    [1, 0, 8, "eins"],
    [1, 1, 8, "€"],
    [2, 0, 2, "-1.25"],
    [2, 1, 4, "2023-03-15"],
    [2, 2, 3, "TRUE"],
    [2, 3, 9, null],
    [2, 4, 7, "a < <b> A😀😀\ufffd"],
    [9, 26, 7, "x y€"],
    [10, 0, 1, "1"],
    [10, 1, 1, "2"],
  ]);
  for (let bytes = 1; bytes < 120; bytes++) expect(await cellsOf(EVERYTHING, bytes)).toEqual(whole);
});

test.each([
  ["<workbook/>", /is no worksheet/],
  ["", /is no worksheet/],
  ['<worksheet><sheetData><row r="1"><c r="A1"><v>1</v></c></row>', /ends before its last row/],
  ['<worksheet><sheetData><row r="1"><c r="A1"><v>1', /ends before its last row/],
  [SHEET('<c r="A1"><v>1</v></c>'), /outside of its rows/],
  [SHEET('<row r="0"><c/></row>'), /row numbered "0"/],
  [SHEET('<row r="x"><c/></row>'), /row numbered "x"/],
  [SHEET('<row r="1"><c r="1"><v>1</v></c></row>'), /a cell named "1"/],
  [SHEET('<row r="1"><c r=A1><v>1</v></c></row>'), /damaged cell in row 1/],
  [SHEET('<row r="1"><c r><v>1</v></c></row>'), /damaged cell in row 1/],
  [SHEET('<row r="1"><c r="A1"><v>1</v></row>'), /does not end/],
  [SHEET('<row r="1"><c t="s"><v>2</v></c></row>'), /names shared string 2, there are 2/],
  [SHEET('<row r="1"><c t="s"><v>-1</v></c></row>'), /names shared string -1/],
  [SHEET('<row r="1"><c r="XFE1"><v>1</v></c></row>'), /column 16385, at most 16384.*limit columns/],
  [SHEET('<row r="1"><c r="AAAAAAAAAAAAAAAA1"><v>1</v></c></row>'), /limit columns/],
  ['<!DOCTYPE w [<!ENTITY a "b">]><worksheet><sheetData/></worksheet>', /document type declaration/],
  [SHEET(`<row r="1"><c t="str"><v>${"x".repeat(3_000)}</v></c></row>`), /limit recordBytes/],
  [SHEET(`<row r="1">${`<c t="str"><v>${"x".repeat(400)}</v></c>`.repeat(4)}</row>`), /limit recordBytes/],
])("%# %.60s is refused", async (xml, message) => {
  for (const bytes of [1e6, 7])
    await expect(cellsOf(xml, bytes, 1_000)).rejects.toMatchObject({ name: "Fault", message: expect.stringMatching(message) });
});
