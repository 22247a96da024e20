import type { SheetBlock } from "../sheet/sheet-table.ts";
import type { ZipEntry } from "../zip-reader.ts";
import type { OfficePackage } from "./package.ts";
import { type SheetFacts, SheetScanner } from "./sheet-scanner.ts";
import { xmlWindows } from "./xml-windows.ts";

/** The rows of a worksheet part in blocks; `before`: raw bytes of the file before it. Reads on behind the last row, so that a damaged part is told. */
export async function* sheetBlocks(
  zip: OfficePackage,
  part: ZipEntry,
  facts: Omit<SheetFacts, "part">,
  before = 0,
): AsyncGenerator<SheetBlock> {
  const scanner = new SheetScanner({ ...facts, part: part.name });
  let raw = 0;
  const chunks = zip.xml(part, (bytes) => {
    raw = bytes;
  });
  for await (const window of xmlWindows(chunks, facts.recordBytes, part.name)) {
    while (!scanner.done) {
      window.at = scanner.scan(window.bytes, window.at, window.to);
      if (!scanner.ready) break;
      yield { block: scanner.take(), rawBytes: before + raw };
    }
    if (scanner.done) window.at = window.to;
  }
  scanner.finish();
  if (scanner.block.rows > 0) yield { block: scanner.take(), rawBytes: before + raw };
}
