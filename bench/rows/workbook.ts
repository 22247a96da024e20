import { join } from "node:path";
import type { Ran } from "../convert/work.ts";
import { writeWorkbook } from "../convert/workbook-data.ts";
import type { Bench, Group, Row } from "../row.ts";
import { median } from "../stats.ts";
import { dataFolder, takeTurns, timesOf } from "./conversion.ts";

const ROWS = 100_000;
const ROUNDS = 5;
const READER = "convert/workbook.ts";
const EXCELJS = "peers/exceljs.ts";
const SHEETJS = "peers/sheetjs.ts";

interface Case {
  readonly row: Row;
  readonly sharedStrings: boolean;
  readonly own: string;
  readonly peer: string;
}

function caseOf(what: string, sharedStrings: boolean, own: string, peer: string, must: number | null, aim: number | null): Case {
  const texts = sharedStrings ? "shared strings" : "texts in their cells";
  const name = `xlsx, 100,000 rows of 10 cells, ${texts}: ${what}, one core, warm`;
  return { row: { name, unit: "rows/s", must, aim, better: "more" }, sharedStrings, own, peer };
}

const CASES: readonly Case[] = [
  caseOf("read vs exceljs's streaming reader", true, READER, EXCELJS, 4, 8),
  caseOf("read vs exceljs's streaming reader", false, READER, EXCELJS, 4, 8),
  caseOf("read vs SheetJS", true, READER, SHEETJS, null, null),
  caseOf("-> Parquet vs exceljs's streaming reader, which only reads", true, "convert/ours.ts", EXCELJS, null, null),
];

/** Workbooks read beside the two packages that read them, each in a warm process on the same core, taking turns. */
export const workbook: readonly Group[] = [
  {
    title: "Workbooks",
    rows: CASES.map(({ row }) => row),
    run: async (bench) => {
      await using folder = dataFolder();
      for (const each of CASES) if (bench.wants(each.row)) await oneCase(bench, folder.path, each);
    },
  },
];

async function oneCase(bench: Bench, folder: string, { row, sharedStrings, own, peer }: Case): Promise<void> {
  const name = sharedStrings ? "shared.xlsx" : "inline.xlsx";
  const input = join(folder, name);
  const rows = bench.quick ? ROWS / 20 : ROWS;
  await writeWorkbook(input, rows, sharedStrings);
  const work = { name, input, output: join(folder, "out.parquet") };
  const ran = await takeTurns(bench, work, [own, peer], "0", [], bench.quick ? 1 : ROUNDS);
  for (const { rows: found } of [...ran.ours, ...ran.peer]) if (found !== rows) throw new Error(`${found} rows of ${rows} in ${name}`);
  const speed = (runs: readonly Ran[]) => (rows * 1_000) / median(runs.map((run) => run.ms));
  bench.measured(row, { ours: speed(ran.ours), peer: speed(ran.peer), note: timesOf(ran.ours, ran.peer) });
}
