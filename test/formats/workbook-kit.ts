import type { FileOptions } from "../../packages/core/src/domain/options.ts";
import type { FormatInput } from "../../packages/core/src/formats/format.ts";
import { DEFAULT_LIMITS } from "../../packages/core/src/ports/converter.ts";
import { type ZipQuirks, zipOf } from "./zip-kit.ts";

const MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
const RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
const STRICT_MAIN = "http://purl.oclc.org/ooxml/spreadsheetml/main";
const STRICT_RELATIONS = "http://purl.oclc.org/ooxml/officeDocument/relationships";
const XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n';

export interface HandSheet {
  readonly name: string;
  /** What stands in `<sheetData>`. */
  readonly rows: string;
  readonly state?: string;
  /** What stands behind it. */
  readonly behind?: string;
}

/** A workbook written by hand, part by part, for quirks that no writer has. */
export interface HandWorkbook {
  readonly sheets: readonly HandSheet[];
  /** The `<si>` elements; none: no such part. */
  readonly strings?: string;
  /** Format codes of the cell styles from 1 on; style 0 is General. A number names a built-in format. */
  readonly formats?: readonly (string | number)[];
  readonly date1904?: boolean;
  /** The strict namespaces of ISO/IEC 29500. */
  readonly strict?: boolean;
  /** A prefix for every element, such as `x:`. */
  readonly prefix?: string;
  /** Names of parts in the order in which they lie in the zip; those not named come last. */
  readonly order?: readonly string[];
  readonly zip?: ZipQuirks;
  /** Written in place of a part of this name, or beside the others. */
  readonly parts?: Readonly<Record<string, string | Uint8Array>>;
}

export function partsOf(book: HandWorkbook): Record<string, string | Uint8Array> {
  const { prefix = "", strict = false } = book;
  const main = strict ? STRICT_MAIN : MAIN;
  const relations = strict ? STRICT_RELATIONS : RELATIONS;
  const space = prefix === "" ? `xmlns="${main}"` : `xmlns:${prefix.slice(0, -1)}="${main}"`;
  const element = (name: string, inside: string, more = "") => `<${prefix}${name}${more}>${inside}</${prefix}${name}>`;
  const part = (name: string, inside: string) => XML + element(name, inside, ` ${space} xmlns:r="${relations}"`);
  const relation = (id: string, type: string, target: string) =>
    `<Relationship Id="${id}" Type="${relations}/${type}" Target="${target}"/>`;
  const relationships = (inside: string) =>
    `${XML}<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">${inside}</Relationships>`;
  const sheets = book.sheets.map(({ name, state }, i) => {
    const shown = state === undefined ? "" : ` state="${state}"`;
    return `<${prefix}sheet name="${name}" sheetId="${i + 1}"${shown} r:id="rId${i + 1}"/>`;
  });
  const made: Record<string, string | Uint8Array> = {
    "[Content_Types].xml": contentTypes(book),
    "_rels/.rels": relationships(relation("rId1", "officeDocument", "xl/workbook.xml")),
    "xl/workbook.xml": part(
      "workbook",
      `<${prefix}workbookPr${book.date1904 ? ' date1904="1"' : ""}/>${element("sheets", sheets.join(""))}`,
    ),
    "xl/_rels/workbook.xml.rels": relationships(
      book.sheets.map((_, i) => relation(`rId${i + 1}`, "worksheet", `worksheets/sheet${i + 1}.xml`)).join("") +
        relation("rIdA", "styles", "styles.xml") +
        (book.strings === undefined ? "" : relation("rIdB", "sharedStrings", "sharedStrings.xml")),
    ),
    "xl/styles.xml": part("styleSheet", styles(book.formats ?? [], prefix)),
  };
  book.sheets.forEach(({ rows, behind = "" }, i) => {
    made[`xl/worksheets/sheet${i + 1}.xml`] = part("worksheet", element("sheetData", rows) + behind);
  });
  if (book.strings !== undefined) made["xl/sharedStrings.xml"] = part("sst", book.strings);
  return { ...made, ...book.parts };
}

export function workbookOf(book: HandWorkbook): Buffer {
  const parts = partsOf(book);
  const names = [...new Set([...(book.order ?? []), ...Object.keys(parts)])];
  return zipOf(Object.fromEntries(names.map((name) => [name, parts[name] ?? ""])), book.zip);
}

function styles(formats: readonly (string | number)[], prefix: string): string {
  const custom = formats.flatMap((code, i) =>
    typeof code === "string"
      ? [`<${prefix}numFmt numFmtId="${164 + i}" formatCode="${code.replaceAll("&", "&amp;").replaceAll('"', "&quot;")}"/>`]
      : [],
  );
  const xfs = ["General", ...formats].map(
    (code, i) => `<${prefix}xf numFmtId="${i === 0 ? 0 : typeof code === "number" ? code : 163 + i}"/>`,
  );
  const list = (name: string, items: readonly string[]) => `<${prefix}${name} count="${items.length}">${items.join("")}</${prefix}${name}>`;
  return (
    (custom.length === 0 ? "" : list("numFmts", custom)) + list("cellStyleXfs", [`<${prefix}xf numFmtId="14"/>`]) + list("cellXfs", xfs)
  );
}

function contentTypes(book: HandWorkbook): string {
  const type = "application/vnd.openxmlformats-officedocument.spreadsheetml";
  const override = (name: string, what: string) => `<Override PartName="/${name}" ContentType="${type}.${what}+xml"/>`;
  const sheets = book.sheets.map((_, i) => override(`xl/worksheets/sheet${i + 1}.xml`, "worksheet"));
  return (
    `${XML}<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">` +
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>' +
    override("xl/workbook.xml", "sheet.main") +
    override("xl/styles.xml", "styles") +
    (book.strings === undefined ? "" : override("xl/sharedStrings.xml", "sharedStrings")) +
    `${sheets.join("")}</Types>`
  );
}

/** Bytes as the readers of workbooks get them. */
export function workbookInput(bytes: Uint8Array, options: FileOptions = {}, name: "xlsx" | "xls" = "xlsx"): FormatInput {
  return {
    name,
    decoded: () => {
      throw new Error("a workbook is read out of order");
    },
    random: async () => ({ size: bytes.length, read: async (from, to) => bytes.slice(from, to) }),
    rawSize: bytes.length,
    options,
    limits: { ...DEFAULT_LIMITS, chunkBytes: 512 * 1024 },
    ragged: "misfit",
  };
}
