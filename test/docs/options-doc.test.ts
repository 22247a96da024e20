import { join } from "node:path";
import { expect, test } from "vitest";
import type { ForeignTable } from "@sluice/core/domain/foreign-options";
import { OWN_OPTIONS } from "@sluice/core/domain/own-options";
import { PANDAS_OPTIONS } from "@sluice/core/domain/pandas-options";
import { PYARROW_GROUPS } from "@sluice/core/domain/pyarrow-options";

const cell = (text: string) => text.replaceAll("|", "\\|");

function foreign(table: ForeignTable): string[] {
  return [
    "| option | takes | becomes |",
    "|---|---|---|",
    ...Object.entries(table).map(([name, option]) => `| \`${name}\` | ${cell(option.takes)} | ${cell(option.becomes)} |`),
    "",
  ];
}

const FOUND_OUT = [
  "## What is found out",
  "",
  "Of a csv that nobody says anything about, from its first 64 Ki characters. `detected` has it, under these names:",
  "",
  "| name | how it is told |",
  "|---|---|",
  "| `encoding` | a byte order mark; zeros at every other byte: UTF-16; else UTF-8. A byte that is no UTF-8, wherever it stands, starts the file over as `windows-1252`, unless most characters beyond ASCII are UTF-8: then the rows with broken bytes are rejected, with the byte and its place. |",
  "| `delimiter` | the one of `,` `;` tab `\\|` under which most records are as wide as the first, the wider on a tie; with a space where one follows each. Blanks (` `, `\\s+`) where none of these makes two columns, every line has as many, and a column is of numbers. |",
  "| `quote` | `\"`; `'` where nothing is quoted by `\"` and every cell that begins with `'` ends with it |",
  "| `header` | true, unless the first row is plainly data: each cell of the kind of those beneath it, and only numbers and dates, or a date or a fraction among them. Years and running numbers (2019, 2020; 1, 2, 3) may be names. |",
  "| `preamble_rows` | lines before the table that are narrower than nearly all that follow, with a plain header after them or without a delimiter, or that have one cell filled |",
  "| `decimal` | `,` where every cell of a column is a number with one comma and no column has decimal points; between other delimiters than `;` only where a sign or a zero tells it from a list |",
  "| `escape`, `header_rows` | as the options say |",
  "| `widened` | columns of the dataset whose type this file widened, each with the first row that asked for it |",
  "",
  "A file that is made again under another schema is read as it was read the first time.",
  "",
];

function page(): string {
  return [
    "# Options",
    "",
    "What a caller may say about a file's content, as a JSON object in the field `options` of an upload. Everything that is not said is",
    "found out or has the default below; what was found out is in `detected` of the file (`GET /api/v1/files/{id}`). An option that",
    "there is not, a value that breaks its rule and two options that contradict each other are a 400 that names them.",
    "Rows that an option leaves out after the header are counted as skipped. Positions and row numbers count from 0.",
    "Made from the tables in `packages/core/src/domain` that requests are read by; a test keeps both equal.",
    "",
    "| option | takes | means | when it is not said |",
    "|---|---|---|---|",
    ...Object.entries(OWN_OPTIONS).map(
      ([name, { takes, means, unsaid }]) => `| \`${name}\` | ${cell(takes)} | ${cell(means)} | ${cell(unsaid)} |`,
    ),
    "",
    "A format takes what means something to it. csv, tsv and psv take all but `sheets`, `orient`, `lines` and `nested`; workbooks those of",
    "rows, names, columns and values, and `sheets`; JSON `orient`, `lines`, `max_rows`, `infer_dates` and those of columns; Arrow, ORC and",
    "Parquet `max_rows` and those of columns. `tables`, `nested`, `lineage` and `rescued` hold for all that have such a thing. What means nothing",
    "to a format is passed over: `skip_rows` of a Parquet file, say. Options of rows hold for each table of a file.",
    "",
    "Types are `bool`, `int64`, `decimal(p,s)`, `double`, `date`, `time`, `timestamp`, `timestamptz`, `text`, `binary`, and the names that",
    "pandas, numpy and pyarrow have for them (`Int32`, `object`, `datetime64[ns, UTC]`, `timestamp[ms]`, `decimal128(10, 2)`, …); `int8` is `int64`.",
    "",
    ...FOUND_OUT,
    "## pandas' and cudf's names",
    "",
    "Beside ours, in the same object. Where both have a name (`header`, `encoding`, `compression`, `decimal`, `thousands`, `comment`,",
    "`true_values`, `false_values`, `skip_blank_lines`, `orient`, `lines`) it means what it means in pandas: `header` is the number of a row,",
    "rows that follow each other (`[0, 1]`) or null for none. null says nothing anywhere else.",
    "",
    ...foreign(PANDAS_OPTIONS),
    "## pyarrow's names",
    "",
    'In groups: `{"parse_options": {"delimiter": ";"}}`. Only what is said counts: pyarrow\'s own defaults (an empty text is no null,',
    "no line ends in cells, …) hold on surfaces whose documents promise them.",
    "",
    ...Object.entries(PYARROW_GROUPS).flatMap(([group, table]) => [`### ${group}`, "", ...foreign(table)]),
  ].join("\n");
}

test("docs/options.md is the tables that options are read by", async () => {
  await expect(page()).toMatchFileSnapshot(join(import.meta.dirname, "../../docs/options.md"));
});
