import { MAIN_TABLE } from "../domain/dataset.ts";
import type { ColumnType } from "../domain/table-schema.ts";
import type { FileOptions } from "../domain/options.ts";
import type { DecodeBudget } from "./decode-budget.ts";
import { type DecodedChunk, decodeBeneath, held, refuseBomb } from "./decompress.ts";
import { OUTPUT_BYTES } from "./codecs/codec.ts";
import type { DirectPass } from "./direct.ts";
import type { FormatInput, FormatLimits, OpenedFile, OpenedTable, SourceBatch } from "./format.ts";
import { formatFor } from "./registry.ts";
import type { Source } from "./source.ts";
import { memberTableName, tableName, uniqueNames } from "./table-names.ts";
import { chosenMembers, inMember, named, type ZipMember } from "./zip-members.ts";
import type { ZipEntry, ZipReader } from "./zip-reader.ts";

interface Zip {
  readonly reader: ZipReader;
  readonly members: readonly ZipMember[];
}

type ZipInput = Pick<FormatInput, "rawSize" | "options" | "limits" | "ragged">;

/**
 * The tables of all tabular members of a zip, in its order, each under the name of its member, and of its sheet where one has
 * several. Members are opened one after the other to learn their columns. One that has to be held in memory is let go
 * again and opened anew for each pass over its rows.
 */
export async function openZip(zip: Zip, input: ZipInput): Promise<OpenedFile> {
  const names = uniqueNames(zip.members.map(({ entry }) => memberTableName(entry.name)));
  const chosen = chosenMembers(zip.members, names, input.options);
  const [only] = chosen;
  if (chosen.length === 1 && only !== undefined) {
    const file = await open(zip.reader, only, 0, input, { options: input.options, held: false });
    // A workbook's sheets have names of their own.
    const name = names[zip.members.indexOf(only)] ?? MAIN_TABLE;
    return { ...file, tables: file.tables.map((table) => (table.table === MAIN_TABLE ? { ...table, table: name } : table)) };
  }
  let rawBefore = 0;
  let dialect: OpenedFile["dialect"] | null = null;
  const tables: OpenedTable[] = [];
  for (const member of chosen) {
    // Sheets are chosen among members here, not among the sheets of each.
    const { sheets: _, ...options } = input.options;
    const memory = { options, held: false };
    const from = rawBefore;
    const again = () => open(zip.reader, member, from, input, memory);
    const file = await again();
    dialect ??= file.dialect;
    const name = names[zip.members.indexOf(member)] ?? "";
    for (const [i, table] of file.tables.entries()) {
      // One that is not kept open is looked at as a whole now.
      const known = memory.held && table.whole ? await table.whole() : table;
      const own = file.tables.length === 1 ? name : tableName(`${name}_${table.table}`);
      tables.push({ ...(memory.held ? reopened(again, i, known) : known), table: own ?? name });
    }
    rawBefore += member.entry.packedBytes;
  }
  const unique = uniqueNames(tables.map(({ table }) => table));
  return { dialect: dialect ?? {}, tables: tables.map((table, i) => ({ ...table, table: unique[i] ?? table.table })) };
}

/** A table of a file that is not kept open: nothing of it is held but its columns. */
function reopened(open: () => Promise<OpenedFile>, index: number, { table, columns, rules, looked }: OpenedTable): OpenedTable {
  const batches = async function* (feeds?: readonly (ColumnType | null)[]): AsyncGenerator<SourceBatch> {
    const again = (await open()).tables[index];
    if (again !== undefined) yield* again.batches(feeds);
  };
  return { table, columns, batches, ...(rules === undefined ? {} : { rules }), ...(looked === undefined ? {} : { looked }) };
}

async function open(
  zip: ZipReader,
  member: ZipMember,
  rawBefore: number,
  input: ZipInput,
  memory: { readonly options: FileOptions; held: boolean },
): Promise<OpenedFile> {
  const { entry, found } = member;
  const format = formatFor(found.format);
  if (format === null) throw new Error(`no format reads ${found.format}`);
  const decoded = () => decodedMember(zip, member, rawBefore, input);
  const random = async (): Promise<Source> => {
    if (found.compression === "none" && zip.isStored(entry)) return await zip.random(entry);
    memory.held = true;
    return await held(decoded(), "zip", input.limits);
  };
  const { options } = memory;
  if (entry.bytes > entry.packedBytes || found.compression !== "none") {
    await inMember(entry, () =>
      refuseBomb(decodedMember(zip, member, rawBefore, { limits: { ...input.limits, chunkBytes: OUTPUT_BYTES } }), input.limits, rawBefore),
    );
  }
  const file = await inMember(entry, () =>
    format.open({ ...input, name: found.format, decoded, random, rawSize: entry.packedBytes, options }),
  );
  return { ...file, tables: file.tables.map((table) => namedTable(entry, table)) };
}

/** A table whose faults name the member, however it is read. */
function namedTable(entry: ZipEntry, table: OpenedTable): OpenedTable {
  const { direct, sample } = table;
  const whole = table.whole?.bind(table);
  return {
    ...table,
    batches: (feeds) => namedBatches(entry, table.batches(feeds)),
    ...(direct === undefined ? {} : { direct: { ...direct, open: () => namedPass(entry, direct.open()) } }),
    ...(whole === undefined ? {} : { whole: async () => namedTable(entry, await inMember(entry, whole)) }),
    ...(sample === undefined ? {} : { sample: namedTable(entry, sample) }),
  };
}

async function* namedBatches(entry: ZipEntry, batches: AsyncIterable<SourceBatch>): AsyncGenerator<SourceBatch> {
  try {
    yield* batches;
  } catch (error) {
    throw named(entry, error);
  }
}

function namedPass(entry: ZipEntry, pass: DirectPass): DirectPass {
  return {
    get rawBytes() {
      return pass.rawBytes;
    },
    next: () => inMember(entry, () => pass.next()),
    close: () => pass.close(),
  };
}

/** The bytes of all members, one after the other. */
export async function* zipBytes(zip: Zip, limits: FormatLimits): AsyncGenerator<DecodedChunk> {
  for (const member of zip.members) yield* decodedMember(zip.reader, member, 0, { limits });
}

/** A member's bytes beneath its own compression; raw bytes count from the start of the first member. */
async function* decodedMember(
  zip: ZipReader,
  { entry, found }: ZipMember,
  rawBefore: number,
  input: Pick<ZipInput, "limits">,
): AsyncGenerator<DecodedChunk> {
  const { compression } = found;
  if (compression === "zip") throw new Error("no zip is opened within a zip");
  const budget: DecodeBudget = zip.budget;
  for await (const chunk of decodeBeneath(found, zip.read(entry), compression, input.limits, budget)) {
    yield { bytes: chunk.bytes, rawBytes: rawBefore + chunk.rawBytes };
  }
}
