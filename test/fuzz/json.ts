import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { randomOf } from "../../bench/csv.ts";
import { isFault } from "../../packages/core/src/domain/fault.ts";
import type { FileOptions, Orient } from "../../packages/core/src/domain/options.ts";
import { Scratch } from "../../packages/core/src/columns/scratch.ts";
import { type DirectTable, Unforeseen } from "../../packages/core/src/formats/direct.ts";
import type { OpenedTable } from "../../packages/core/src/formats/format.ts";
import { json } from "../../packages/core/src/formats/json.ts";
import { newObservation } from "../../packages/core/src/schema/observe.ts";
import { inputOf } from "../formats/json-kit.ts";

const FIXTURES = join(import.meta.dirname, "../fixtures/json");
const ORIENTS: readonly (Orient | undefined)[] = [undefined, undefined, "columns", "index", "split", "table", "records", "values"];
const TOKENS = [
  '"',
  "\\",
  "{",
  "}",
  "[",
  "]",
  ",",
  ":",
  "\n",
  " ",
  "\0",
  "-",
  "1e999",
  "0",
  "null",
  "\\u",
  "\xff",
  "\xc3",
  "[[[[",
  '{"a":',
] as const;

/** What became of mutated documents. */
export interface FuzzCounts {
  readonly read: number;
  readonly refused: number;
}

/**
 * Reads seeded mutations of the fixtures in chunks of random sizes. Each must be read, or refused by a fault of blame content;
 * anything else is thrown, with the seed and the round that made it.
 */
export async function fuzz(seed: number, rounds: number): Promise<FuzzCounts> {
  const names = readdirSync(FIXTURES).filter((name) => /\.(nd)?json$/.test(name));
  const files = names.map((name) => readFileSync(join(FIXTURES, name)));
  const counts = { read: 0, refused: 0 };
  for (let round = 0; round < rounds; round++) {
    const random = randomOf(seed * 1_000_003 + round);
    const below = (n: number) => Math.floor(random() * n);
    const bytes = mutated(files[below(files.length)] ?? Buffer.alloc(0), files[below(files.length)] ?? Buffer.alloc(0), below);
    const orient = ORIENTS[below(ORIENTS.length)];
    const options: FileOptions = {
      ...(orient ? { orient } : {}),
      ...(below(4) === 0 ? { nested: "flatten" } : {}),
      ...(below(4) === 0 ? { lines: below(2) === 0 } : {}),
    };
    const input = {
      ...inputOf(bytes, 1 + below(bytes.length + 8), options, below(2) === 0 ? "json" : "ndjson"),
      ragged: below(2) === 0 ? "fill" : "misfit",
    } as const;
    try {
      const { tables } = await json.open(input);
      for (const opened of tables) {
        if (opened.direct) await readDirect(opened, opened.direct);
        const table = (await opened.whole?.()) ?? opened;
        let rows = 0;
        for await (const batch of table.batches()) {
          rows += batch.rows;
          for (const column of batch.columns)
            if ("data" in column && column.data.rows !== batch.rows) throw new Error("a column of another length");
          for (let i = 0; i < batch.rows; i++) batch.place(i);
        }
        if (rows > bytes.length) throw new Error(`${rows} rows in ${bytes.length} bytes`);
      }
      counts.read++;
    } catch (error) {
      if (!isFault(error) || error.blame !== "content") {
        throw new Error(`seed ${seed}, round ${round}, ${JSON.stringify(options)}: ${bytes.toString("latin1")}`, { cause: error });
      }
      counts.refused++;
    }
  }
  return counts;
}

/** The short way: each column as text and as numbers. What no column was made for ends it, and nothing else may. */
async function readDirect({ columns }: OpenedTable, direct: DirectTable): Promise<void> {
  const pass = direct.open();
  const out = new Scratch();
  try {
    for (let block = await pass.next(); block !== null; block = await pass.next()) {
      for (const column of columns.keys()) {
        block.observe(column, newObservation(), false);
        for (const type of [{ kind: "text" }, { kind: "double" }, { kind: "timestamp", zone: false, unit: "us" }] as const) {
          block.load(column, { type, declared: true, seen: null, onBad: () => {}, codeScale: 0, newCodes: false }, out);
          if (out.count + out.nulls !== block.rows) throw new Error("a column of another length");
        }
      }
    }
  } catch (error) {
    if (!(error instanceof Unforeseen)) throw error;
  } finally {
    await pass.close();
  }
}

function mutated(file: Buffer, other: Buffer, below: (n: number) => number): Buffer {
  let bytes = Buffer.from(file);
  for (let times = 1 + below(4); times > 0; times--) {
    const at = below(bytes.length + 1);
    const length = below(12);
    const token = Buffer.from(TOKENS[below(TOKENS.length)] ?? "", "latin1");
    switch (below(5)) {
      case 0:
        if (bytes.length > 0) bytes[at % bytes.length] = below(256);
        break;
      case 1:
        bytes = Buffer.concat([bytes.subarray(0, at), token, bytes.subarray(at)]);
        break;
      case 2:
        bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + length)]);
        break;
      case 3:
        bytes = Buffer.concat([bytes.subarray(0, at), other.subarray(below(other.length + 1)), bytes.subarray(at)]);
        break;
      default:
        bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at - length < 0 ? 0 : at - length, at), bytes.subarray(at)]);
    }
  }
  return bytes;
}
