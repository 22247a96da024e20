import { MAIN_TABLE } from "../domain/dataset.ts";
import type { SourceColumn } from "../schema/enforce.ts";
import type { Format, FormatInput, OpenedFile, SourceBatch } from "./format.ts";
import { headerNames } from "./header-names.ts";
import { firstRows } from "./max-rows.ts";
import { beyond, damaged } from "./orc/damage.ts";
import { observeLeaves } from "./orc/observe-leaves.ts";
import { type OrcBatch, type OrcTable, readBatches } from "./orc/row-batches.ts";
import { columnTypeOf, type OrcField, type OrcType, typeTree } from "./orc/schema.ts";
import { readTail } from "./orc/tail.ts";

/** ORC, flat or nested, read stripe by stripe and batch by batch, by ranges of the raw bytes. */
export const orc: Format = {
  names: ["orc"],

  async open(input: FormatInput): Promise<OpenedFile> {
    const source = await input.random();
    const { footer, postscript, compression } = await readTail(source, input.limits);
    const root = typeTree(footer.types);
    const fields = fieldsOf(root);
    if (fields.length > input.limits.columns)
      throw beyond("the ORC file has too many columns", "columns", fields.length, input.limits.columns);
    if (fields.length === 0 && footer.stripes.length > 0) throw damaged(`it has ${footer.stripes.length} stripes, but no columns`);
    const [major = 0, minor = 0] = postscript.version;
    const shortDecimals = major > 0 || minor > 12;
    const file = { source, compression, types: footer.types.length, shortDecimals, julian: footer.calendar === JULIAN };
    const leaves = await observeLeaves(file, footer.stripes, root);
    const names = headerNames(fields.map(({ name }) => name));
    const columns = fields.map(({ type }, i): SourceColumn => ({ name: names[i] ?? "", type: columnTypeOf(type, leaves) }));
    const table: OrcTable = {
      file,
      root,
      fields: fields.map(({ type }, i) => ({ name: names[i] ?? "", type })),
      leaves,
      stripes: footer.stripes,
    };
    return {
      dialect: {},
      tables: [{ table: MAIN_TABLE, columns, batches: () => firstRows(batches(table, input), input.options.max_rows) }],
    };
  },
};

/** What a footer says of its dates that are Julian before 1582-10-15; where it says nothing, Arrow C++ meant Gregorian ones. */
const JULIAN = 1;

/** The columns of the table: the fields of a struct, or whatever else the file has rows of as the only one. */
function fieldsOf(root: OrcType): readonly OrcField[] {
  return root.kind === "struct" ? root.children : [{ name: "", type: root }];
}

async function* batches(table: OrcTable, input: FormatInput): AsyncGenerator<SourceBatch> {
  let before = 0;
  for await (const batch of readBatches(table, input.limits)) {
    yield sourceBatch(batch, before, Math.floor(input.rawSize * batch.share));
    before += batch.rows;
  }
}

function sourceBatch({ rows, columns, cut }: OrcBatch, before: number, rawBytes: number): SourceBatch {
  const rowNumbers: number[] = [];
  for (let row = 1; row <= rows; row++) rowNumbers.push(before + row);
  return {
    rows,
    columns: columns.map((data) => ({ data })),
    misfits: [],
    filled: 0,
    cut,
    rowNumbers,
    place: (i) => ({ row: before + i + 1, byteOffset: null, line: null, raw: null }),
    rawBytes,
  };
}
