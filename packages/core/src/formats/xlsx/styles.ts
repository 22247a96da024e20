import { SHOWN, type Shown, shownByCode, shownByNumber } from "../sheet/number-format.ts";
import type { ZipEntry } from "../zip-reader.ts";
import type { OfficePackage } from "./package.ts";
import { xmlTags } from "./xml-tags.ts";

/** What the numbers of each cell style are, by the style's index in `cellXfs` (ECMA-376 part 1, 18.8.10). */
export async function readStyles(zip: OfficePackage, part: ZipEntry | null): Promise<Uint8Array> {
  if (part === null) return new Uint8Array(0);
  const custom = new Map<number, Shown>();
  const formats: number[] = [];
  let list = "";
  for (const tag of xmlTags(await zip.wholeXml(part), part.name)) {
    // Differential formats hold numFmt too, and named styles xf.
    if (tag.name === "numFmts" || tag.name === "cellXfs") list = tag.closing || tag.empty ? "" : tag.name;
    if (tag.closing) continue;
    if (tag.name === "numFmt" && list === "numFmts")
      custom.set(Number(tag.attribute("numFmtId")), shownByCode(tag.attribute("formatCode") ?? ""));
    if (tag.name === "xf" && list === "cellXfs") formats.push(Number(tag.attribute("numFmtId") ?? 0));
  }
  return Uint8Array.from(formats, (id) => custom.get(id) ?? (Number.isInteger(id) ? shownByNumber(id) : SHOWN.number));
}
