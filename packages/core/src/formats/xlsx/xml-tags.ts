import { Fault } from "../../domain/fault.ts";

/** A tag of an XML text. Prefixes are left out of names: the parts of a workbook never tell elements by prefix alone. */
export interface XmlTag {
  readonly name: string;
  readonly closing: boolean;
  readonly empty: boolean;
  /** An attribute's value by its local name, entities decoded; null where there is none. */
  attribute(name: string): string | null;
}

/**
 * The tags of a small part in order; text between them is left out. A document type declaration is refused, so no entity
 * but the five of XML and character references is ever expanded. Throws `unreadable`.
 */
export function* xmlTags(bytes: Uint8Array, part: string): Generator<XmlTag> {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("utf8");
  for (let at = text.indexOf("<"); at >= 0; at = text.indexOf("<", at)) {
    const end = markEnd(text, at, part);
    const second = text[at + 1];
    if (second !== "!" && second !== "?") yield tagOf(text, at, end);
    at = end;
  }
}

/** Where the mark that begins at `at` ends. */
function markEnd(text: string, at: number, part: string): number {
  const cut = (): Fault => new Fault("unreadable", `the part ${part} is cut off within a tag`, { field: "part", value: part });
  const after = (mark: string): number => {
    const found = text.indexOf(mark, at);
    if (found < 0) throw cut();
    return found + mark.length;
  };
  if (text.startsWith("<?", at)) return after("?>");
  if (text.startsWith("<!--", at)) return after("-->");
  if (text.startsWith("<![CDATA[", at)) return after("]]>");
  if (text.startsWith("<!", at)) throw doctypeRefused(part);
  for (let i = at + 1; i < text.length; i++) {
    const c = text[i];
    if (c === ">") return i + 1;
    if (c === '"' || c === "'") {
      i = text.indexOf(c, i + 1);
      if (i < 0) throw cut();
    }
  }
  throw cut();
}

/** Entities are declared in a DTD; a workbook has none. */
export function doctypeRefused(part: string): Fault {
  return new Fault("unreadable", `the part ${part} has a document type declaration, which a workbook may not have`, {
    field: "part",
    value: part,
  });
}

function tagOf(text: string, at: number, end: number): XmlTag {
  const closing = text[at + 1] === "/";
  const empty = text[end - 2] === "/";
  const body = text.slice(at + (closing ? 2 : 1), end - (empty ? 2 : 1));
  const written = /^[^\s]*/.exec(body)?.[0] ?? "";
  return { name: local(written), closing, empty, attribute: (name) => attributeOf(body, written.length, name) };
}

function local(name: string): string {
  return name.slice(name.indexOf(":") + 1);
}

const ATTRIBUTE = /([^\s=]+)\s*=\s*(?:"([^"]*)"|'([^']*)')/g;

function attributeOf(body: string, from: number, name: string): string | null {
  for (const [, written = "", double, single] of body.slice(from).matchAll(ATTRIBUTE)) {
    if (!written.startsWith("xmlns") && local(written) === name) return decodeEntities(double ?? single ?? "");
  }
  return null;
}

const NAMED: Readonly<Record<string, string>> = { lt: "<", gt: ">", amp: "&", quot: '"', apos: "'" };

/** The five entities of XML and character references; what is none of them stands as it is written. */
export function decodeEntities(text: string): string {
  if (!text.includes("&")) return text;
  return text.replace(/&(?:#x([0-9a-f]{1,6})|#(\d{1,7})|(lt|gt|amp|quot|apos));/gi, (written, hex, decimal, named) => {
    if (typeof named === "string") return NAMED[named.toLowerCase()] ?? written;
    const code = typeof hex === "string" ? Number.parseInt(hex, 16) : Number(decimal);
    return code <= 0x10ffff ? String.fromCodePoint(code) : written;
  });
}

/** `_xHHHH_` stands for a UTF-16 code unit that XML cannot hold (ECMA-376 part 1, 22.9.2.19, ST_Xstring). */
export function decodeXstring(text: string): string {
  if (!text.includes("_x")) return text;
  return text.replace(/_x([0-9a-f]{4})_/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}
