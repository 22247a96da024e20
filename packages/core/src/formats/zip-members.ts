import { Fault, isFault } from "../domain/fault.ts";
import type { FileOptions } from "../domain/options.ts";
import type { Found } from "./detect.ts";
import { namedAs } from "./file-name.ts";
import { NotUtf8 } from "./utf8-text.ts";
import type { ZipEntry, ZipReader } from "./zip-reader.ts";

/** A tabular file within a zip. */
export interface ZipMember {
  readonly entry: ZipEntry;
  readonly found: Found;
}

/** Finds out what one entry is; opaque for what is no table. */
export type DetectEntry = (entry: ZipEntry, declared: FileOptions["format"]) => Promise<Found>;

/** Leavings of file managers, and what their owners hid: they are no one's data. */
const LEFT_OUT = /(^|\/)(__MACOSX\/|\.|Thumbs\.db$|desktop\.ini$)/i;

/**
 * The tabular files of a zip in its directory's order. `declared` is a format that an option or the zip's own name gives: it is
 * that of the members whose names say so or nothing, and where none is a table by itself, of all. Throws the faults of a
 * member with its name before them, and `limit_exceeded` (zipDepth) for a zip within the zip that claims to be a table.
 */
export async function tabularMembers(zip: ZipReader, declared: FileOptions["format"], detectEntry: DetectEntry): Promise<ZipMember[]> {
  const files = zip.entries.filter((entry) => !entry.folder && !LEFT_OUT.test(entry.name));
  const members: ZipMember[] = [];
  for (const entry of files) {
    const named = namedAs(entry.name);
    if (named.format !== null && named.compression === "zip") throw tooDeep(entry.name);
    if (declared !== undefined && named.format !== null && named.format !== declared) continue;
    const found = await inMember(entry, () => detectEntry(entry, named.format === null ? undefined : declared));
    if (found.format !== "opaque") members.push({ entry, found });
  }
  if (members.length > 0 || declared === undefined) return members;
  for (const entry of files) members.push({ entry, found: await inMember(entry, () => detectEntry(entry, declared)) });
  return members;
}

/** What is wrong with a member, with its name. */
export async function inMember<T>(entry: ZipEntry, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    throw named(entry, error);
  }
}

/** A content fault with the member's name before its message; anything else as it is. */
export function named(entry: ZipEntry, error: unknown): unknown {
  // Who reads the file again in another encoding asks for the very fault.
  if (error instanceof NotUtf8) return error;
  if (!isFault(error) || error.blame !== "content" || error.message.includes(JSON.stringify(entry.name))) return error;
  return new Fault(error.code, `in the zip, ${JSON.stringify(entry.name)}: ${error.message}`, { ...error.detail, cause: error });
}

function tooDeep(name: string): Fault {
  return new Fault(
    "limit_exceeded",
    `${JSON.stringify(name)} is a zip within a zip, one is opened (limit zipDepth, fixed): send it by itself`,
    {
      field: "zipDepth",
      value: 2,
      limit: 1,
    },
  );
}

/** The members that the option `sheets` names, by name, by table name or by position; all without it. */
export function chosenMembers(members: readonly ZipMember[], names: readonly string[], options: FileOptions): readonly ZipMember[] {
  if (options.sheets === undefined || members.length < 2) return members;
  return options.sheets.map((wanted) => {
    const at = typeof wanted === "number" ? wanted : members.findIndex(({ entry }, i) => entry.name === wanted || names[i] === wanted);
    const member = members[at];
    if (member !== undefined) return member;
    const there = members.slice(0, 20).map(({ entry }) => JSON.stringify(entry.name));
    throw new Fault("unreadable", `there is no table ${JSON.stringify(wanted)}; the zip has ${there.join(", ")}`, {
      field: "sheets",
      value: wanted,
    });
  });
}
