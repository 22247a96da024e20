import { isUtf8 } from "node:buffer";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { isFault } from "../../../packages/core/src/domain/fault.ts";
import { documentProblem } from "../../../packages/core/src/formats/json/scan-value.ts";
import { inputOf, wholeTables } from "../json-kit.ts";

/** What became of the documents of JSONTestSuite. */
export interface JsonScore {
  /** Of those that must be taken, and of those that must be refused: how many there are, and which were not. */
  readonly taken: { readonly of: number; readonly wrong: readonly string[] };
  readonly refused: { readonly of: number; readonly wrong: readonly string[] };
  /** Of those that must be taken: how many hold rows, and of those that must be refused: how many were read all the same. */
  readonly tables: number;
  readonly readAllTheSame: readonly string[];
}

/** Asks the scanner about every document that `folder` holds in test_parsing, and reads each as a file. */
export async function scoreJson(folder: string): Promise<JsonScore> {
  const cases = readdirSync(join(folder, "test_parsing")).map((name) => ({
    name,
    bytes: readFileSync(join(folder, "test_parsing", name)),
  }));
  const of = (letter: string) => cases.filter(({ name }) => name.startsWith(letter));
  const accepted = ({ bytes }: { bytes: Uint8Array }) => isUtf8(bytes) && documentProblem(bytes) === null;
  const names = (list: readonly { name: string }[]) => list.map(({ name }) => name);
  const read: string[] = [];
  for (const { name, bytes } of cases) if (await isRead(bytes)) read.push(name);
  return {
    taken: { of: of("y_").length, wrong: names(of("y_").filter((one) => !accepted(one))) },
    refused: { of: of("n_").length, wrong: names(of("n_").filter(accepted)) },
    tables: read.filter((name) => name.startsWith("y_")).length,
    readAllTheSame: read.filter((name) => name.startsWith("n_")),
  };
}

/** Whether a document is read to its end without a fault and without a value that is no row. */
async function isRead(bytes: Uint8Array): Promise<boolean> {
  try {
    for (const table of await wholeTables(inputOf(bytes, 64)))
      for await (const batch of table.batches()) if (batch.misfits.length > 0) return false;
    return true;
  } catch (error) {
    if (isFault(error) && error.blame === "content") return false;
    throw error;
  }
}
