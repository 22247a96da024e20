import { Fault } from "../../domain/fault.ts";
import type { ZipEntry } from "../zip-reader.ts";
import type { OfficePackage } from "./package.ts";
import { xmlTags } from "./xml-tags.ts";

/** A sheet of cells, in the workbook's order. */
export interface SheetPart {
  readonly name: string;
  readonly hidden: boolean;
  readonly part: ZipEntry;
}

export interface Workbook {
  /** Days are counted from 1904-01-01 instead of from 1900. */
  readonly date1904: boolean;
  readonly sheets: readonly SheetPart[];
  readonly strings: ZipEntry | null;
  readonly styles: ZipEntry | null;
}

interface Relation {
  /** The last segment of its type: both namespaces, transitional and strict, end in the same words. */
  readonly type: string;
  readonly target: string;
}

/**
 * Finds a workbook's parts by their relations (ECMA-376 part 1, 12.2 and 18.2). Chart, dialog and macro sheets hold no cells
 * and are left out. Throws `unreadable` where a part that is named is missing.
 */
export async function readWorkbook(zip: OfficePackage): Promise<Workbook> {
  const root = await relationsOf(zip, "");
  const main = [...root.values()].find(({ type }) => type === "officeDocument")?.target ?? "xl/workbook.xml";
  const part = zip.find(main);
  if (part === null) throw noWorkbook(zip);
  if (/\.bin$/i.test(part.name)) throw binaryWorkbook();
  const relations = await relationsOf(zip, part.name);
  const partOf = (type: string): ZipEntry | null => {
    const relation = [...relations.values()].find((each) => each.type === type);
    return relation === undefined ? null : zip.find(relation.target);
  };
  let date1904 = false;
  let isWorkbook = false;
  const sheets: SheetPart[] = [];
  for (const tag of xmlTags(await zip.wholeXml(part), part.name)) {
    if (tag.closing) continue;
    if (!isWorkbook && tag.name !== "workbook") throw noWorkbook(zip);
    isWorkbook = true;
    if (tag.name === "workbookPr") date1904 = /^(1|true|on)$/.test(tag.attribute("date1904") ?? "");
    if (tag.name !== "sheet") continue;
    const name = tag.attribute("name") ?? `Sheet${sheets.length + 1}`;
    const relation = relations.get(tag.attribute("id") ?? "");
    if (relation !== undefined && relation.type !== "worksheet") continue;
    const sheet = relation === undefined ? null : zip.find(relation.target);
    if (sheet === null) {
      throw new Fault("unreadable", `the workbook names a sheet ${JSON.stringify(name)} that it does not hold`, {
        field: "sheet",
        value: name,
      });
    }
    sheets.push({ name, hidden: (tag.attribute("state") ?? "visible") !== "visible", part: sheet });
  }
  return { date1904, sheets, strings: partOf("sharedStrings"), styles: partOf("styles") };
}

function noWorkbook(zip: OfficePackage): Fault {
  if (zip.find("xl/workbook.bin") !== null) return binaryWorkbook();
  const what = zip.find("mimetype") !== null ? "an OpenDocument file?" : "it holds no workbook part";
  return new Fault("format_mismatch", `the zip archive is no Excel workbook: ${what}`, { field: "format", value: "xlsx" });
}

function binaryWorkbook(): Fault {
  return new Fault("unsupported_format", "a binary workbook (xlsb) is not supported: save it as xlsx", { field: "format", value: "xlsb" });
}

/** The relations of a part, or of the package itself for "", by their id; targets as names of parts. */
async function relationsOf(zip: OfficePackage, name: string): Promise<Map<string, Relation>> {
  const slash = name.lastIndexOf("/") + 1;
  const part = zip.find(`${name.slice(0, slash)}_rels/${name.slice(slash)}.rels`);
  const relations = new Map<string, Relation>();
  if (part === null) return relations;
  for (const tag of xmlTags(await zip.wholeXml(part), part.name)) {
    if (tag.closing || tag.name !== "Relationship" || tag.attribute("TargetMode") === "External") continue;
    const id = tag.attribute("Id") ?? `${relations.size}`;
    const type = (tag.attribute("Type") ?? "").split("/").at(-1) ?? "";
    relations.set(id, { type, target: resolved(name.slice(0, slash), tag.attribute("Target") ?? "") });
  }
  return relations;
}

/** A target relative to a folder as the name of a part: it begins with a slash where it is absolute. */
function resolved(folder: string, target: string): string {
  const path = target.startsWith("/") ? target : `/${folder}${target}`;
  const segments: string[] = [];
  for (const segment of path.replace(/\\/g, "/").split("/")) {
    if (segment === "..") segments.pop();
    else if (segment !== "" && segment !== ".") segments.push(segment);
  }
  return segments.join("/");
}
