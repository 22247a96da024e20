import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { convertBytes, rowsOf } from "../convert-kit.ts";

export interface SpectrumScore {
  readonly files: number;
  readonly equal: number;
  readonly wrong: readonly string[];
}

/** Converts every csv of csv-spectrum as text, and compares the rows of the Parquet with the JSON beside it. */
export async function scoreSpectrum(folder: string): Promise<SpectrumScore> {
  const names = readdirSync(join(folder, "csvs")).filter((name) => name.endsWith(".csv"));
  const wrong: string[] = [];
  for (const name of names) {
    const expected = JSON.parse(readFileSync(join(folder, "json", name.replace(/csv$/, "json")), "utf8")) as unknown;
    const options = { default_type: { kind: "text" }, strings_can_be_null: false } as const;
    const converted = await convertBytes(name, readFileSync(join(folder, "csvs", name)), { options });
    if (converted.outcome.kind !== "tables") {
      wrong.push(`${name}: ${converted.outcome.kind === "failed" ? converted.outcome.fault.message : converted.outcome.kind}`);
      continue;
    }
    const rows = (await rowsOf(converted)).map((row) => ({ ...row }));
    if (!isDeepStrictEqual(rows, expected)) wrong.push(`${name}: ${JSON.stringify(rows).slice(0, 200)}`);
  }
  return { files: names.length, equal: names.length - wrong.length, wrong };
}
