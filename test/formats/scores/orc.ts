import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { isFault } from "../../../packages/core/src/domain/fault.ts";
import { type Cell, cellAt, Digits, Entries, factsOf, type FileFacts, Fields, Moment, openOrc } from "../orc-kit.ts";

/** What became of one file of the corpus: as it must be, or why not. */
export interface OrcResult {
  readonly file: string;
  readonly must: "read" | "refuse";
  /** null: as it must be. */
  readonly wrong: string | null;
}

const FACTS = join(import.meta.dirname, "../../fixtures/orc/corpus-facts.json");

/** Columns in which pyarrow loses what is there, so that the expected rows alone count. */
const PYARROW_LOSES: Readonly<Record<string, string>> = {
  // A union whose value is null becomes a null of its first variant.
  "TestOrcFile.testUnionAndTimestamp.orc": "union",
  // Decimals of Hive 0.11 are cut to six digits after the point.
  "orc-file-11-format.orc": "decimal1",
  "orc_split_elim.orc": "decimal1",
};

/** Files that nobody else has read for us; rows by the test that made them. */
const ONE_TO_A_HUNDRED = "TestOrcFile.testWithoutCompressionBlockSize.orc";

/**
 * Reads apache/orc's examples (a copy of its folder `examples`): every row equals the expected JSON where there is one,
 * every column what pyarrow reads where it does, and corrupt files are refused with a fault.
 */
export async function scoreOrc(folder: string): Promise<readonly OrcResult[]> {
  const examples = join(folder, "examples");
  const names = (readdirSync(examples, { recursive: true }) as string[]).filter((name) => name.endsWith(".orc")).sort();
  const facts = JSON.parse(readFileSync(FACTS, "utf8")) as Record<string, FileFacts>;
  const results: OrcResult[] = [];
  for (const file of names) {
    const must = file.startsWith("corrupt/") || file === "zero.orc" ? "refuse" : "read";
    results.push({ file, must, wrong: await wrongWith(examples, file, must, facts[file]) });
  }
  return results;
}

async function wrongWith(examples: string, file: string, must: OrcResult["must"], facts: FileFacts | undefined): Promise<string | null> {
  const bytes = readFileSync(join(examples, file));
  try {
    const wrong = (await unlikeExpected(bytes, examples, file)) ?? (await unlikeFacts(bytes, file, facts));
    return must === "read" ? wrong : "it was read";
  } catch (error) {
    if (must === "refuse" && isFault(error) && error.blame === "content") return null;
    return String(error);
  }
}

async function unlikeFacts(bytes: Uint8Array, file: string, facts: FileFacts | undefined): Promise<string | null> {
  const ours = await factsOf(await openOrc(bytes));
  if (facts === undefined) return null;
  if (ours.rows !== facts.rows) return `${ours.rows} rows, pyarrow reads ${facts.rows}`;
  const names = Object.keys(facts.columns);
  if (Object.keys(ours.columns).join() !== names.join()) return `columns ${Object.keys(ours.columns).join()}`;
  const differ = names.filter(
    (name) => PYARROW_LOSES[file] !== name && JSON.stringify(ours.columns[name]) !== JSON.stringify(facts.columns[name]),
  );
  return differ.length === 0 ? null : `${differ.join()} not as pyarrow reads`;
}

/** The first row that is not as the expected JSON has it. */
async function unlikeExpected(bytes: Uint8Array, examples: string, file: string): Promise<string | null> {
  const expected = expectedRows(examples, file);
  if (expected === null) return null;
  const table = await openOrc(bytes);
  let at = 0;
  for await (const batch of table.batches()) {
    for (let row = 0; row < batch.rows; row++) {
      const cells = batch.columns.map((cell, i): [string, Cell] => {
        const column = table.columns[i];
        if (!("data" in cell) || !column?.type) throw new Error("an ORC column came without a type");
        return [column.name, cellAt(cell.data, column.type, row)];
      });
      const line = expected[at++];
      const ours = cells[0]?.[0] === "column_1" ? (cells[0][1] ?? null) : new Fields(cells);
      if (line === undefined || !equals(ours, parsed(line))) return `row ${at} is not ${line}`;
    }
  }
  return at === expected.length ? null : `${at} rows of ${expected.length}`;
}

function expectedRows(examples: string, file: string): string[] | null {
  if (file === ONE_TO_A_HUNDRED) return Array.from({ length: 100 }, (_, i) => String(i + 1));
  const path = join(examples, "expected", file.replace(/\.orc$/, ".jsn.gz"));
  if (!existsSync(path)) return null;
  return gunzipSync(readFileSync(path)).toString("utf8").split("\n").filter(Boolean);
}

/** A number of more digits than a double holds, as it is written. */
class Written {
  readonly digits: string;
  constructor(digits: string) {
    this.digits = digits;
  }
}

type Expected = null | boolean | number | string | Written | readonly Expected[] | { readonly [name: string]: Expected };

const LONG = "long number ";

/** Numbers of many digits go by way of a text: JSON.parse hands out how they are written only ten times slower. */
function parsed(line: string): Expected {
  return JSON.parse(line.replace(/(^|[:[,] )(-?[\d.]{15,})(?=[,}\]]|$)/g, `$1"${LONG}$2"`)) as Expected;
}

function equals(cell: Cell, given: Expected): boolean {
  const long = typeof given === "string" && given.startsWith(LONG);
  const expected = typeof given === "number" ? new Written(String(given)) : long ? new Written(given.slice(LONG.length)) : given;
  if (cell === null || typeof cell === "boolean" || typeof cell === "string") return cell === expected;
  if (cell instanceof Moment) return expected === momentText(cell);
  if (expected instanceof Written) return equalsNumber(cell, expected.digits);
  if (expected === null || typeof expected !== "object") return false;
  if (cell instanceof Uint8Array) return equalsList([...cell].map(BigInt), expected);
  if (cell instanceof Entries)
    return equalsList(
      cell.pairs.map(
        ([key, value]) =>
          new Fields([
            ["key", key],
            ["value", value],
          ]),
      ),
      expected,
    );
  if (cell instanceof Fields) return equalsFields(cell, expected as { readonly [name: string]: Expected });
  return Array.isArray(cell) && equalsList(cell as readonly Cell[], expected);
}

function equalsList(cells: readonly Cell[], expected: Expected): boolean {
  return Array.isArray(expected) && cells.length === expected.length && cells.every((cell, i) => equals(cell, expected[i] as Expected));
}

/** Unions have a tag and the variant of that tag; their other variants must be null. */
function equalsFields({ cells }: Fields, expected: { readonly [name: string]: Expected }): boolean {
  const names = Object.keys(expected);
  if (names.join() !== "tag,value" || cells[0]?.[0] !== "type_id") {
    return names.length === cells.length && cells.every(([name, cell]) => name in expected && equals(cell, expected[name] as Expected));
  }
  const tag = Number(cells[0][1]);
  return (
    equals(BigInt(tag), expected["tag"] as Expected) &&
    cells.slice(1).every(([, cell], i) => (i === tag ? equals(cell, expected["value"] as Expected) : cell === null))
  );
}

/** The rows were printed with 14 digits of a double, 7 of a float, and 6 after the point of a decimal of Hive 0.11. */
function equalsNumber(cell: Cell, digits: string): boolean {
  if (typeof cell === "bigint") return BigInt(digits) === cell;
  if (cell instanceof Digits) {
    const [whole = "", fraction = ""] = digits.split(".");
    const written = BigInt(whole + fraction);
    const shift = cell.scale - fraction.length;
    return shift >= 0 ? cell.unscaled / 10n ** BigInt(shift) === written : cell.unscaled * 10n ** BigInt(-shift) === written;
  }
  if (typeof cell !== "number") return false;
  const float = Math.fround(cell) === cell;
  return Math.abs(Number(digits) - cell) <= Math.abs(cell) * (float ? 1e-6 : 1e-13);
}

const DAY_NANOS = 86_400_000_000_000n;
const DAYS = new Map<number, string>();

/** 2000-03-12 15:00:00.0: at least one digit of a second, no zeros behind it. */
function momentText({ since, days }: Moment): string {
  const rest = days ? 0n : ((since % DAY_NANOS) + DAY_NANOS) % DAY_NANOS;
  const day = Number(days ? since : (since - rest) / DAY_NANOS);
  let text = DAYS.get(day);
  if (text === undefined) DAYS.set(day, (text = new Date(day * 86_400_000).toISOString().slice(0, 10)));
  if (days) return text;
  const [seconds, nanos] = [Math.floor(Number(rest / 1_000n) / 1e6), Number(rest % 1_000_000_000n)];
  const two = (value: number) => String(Math.floor(value)).padStart(2, "0");
  const fraction = nanos === 0 ? "0" : String(nanos).padStart(9, "0").replace(/0+$/, "");
  return `${text} ${two(seconds / 3_600)}:${two((seconds / 60) % 60)}:${two(seconds % 60)}.${fraction}`;
}
