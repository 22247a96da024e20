import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { convertBytes, duck, loaded, typesOf } from "./convert-kit.ts";

const folder = join(import.meta.dirname, "../fixtures/csv");

interface Expected {
  /** Column names and types in order. */
  readonly types: Readonly<Record<string, string>>;
  /** Rows as DuckDB writes their values; null: not compared. */
  readonly rows: readonly Readonly<Record<string, string | null>>[] | null;
  readonly rejects?: readonly Readonly<Record<string, unknown>>[];
}

for (const name of readdirSync(folder).filter((name) => !name.endsWith(".json"))) {
  test(`csv fixture ${name}: types, rows and rejects are as its .json says, whole and in reads of seven bytes`, async () => {
    const expected = JSON.parse(readFileSync(join(folder, `${name}.json`), "utf8")) as Expected;
    for (const readBytes of [2 ** 20, 7]) {
      const result = await convertBytes(name, readFileSync(join(folder, name)), { readBytes });
      expect(Object.entries(typesOf(result.outcome))).toEqual(Object.entries(expected.types));
      const columns = Object.keys(expected.types).map((column) => `"${column}"::varchar as "${column}"`);
      if (expected.rows) expect(await duck(result.parts, `select ${columns.join(", ")} from parts`)).toEqual(expected.rows);
      const rejects = expected.rejects ?? [];
      expect(result.rejects).toEqual(rejects.map((reject) => expect.objectContaining(reject)));
      const { counts } = loaded(result.outcome);
      if (expected.rows) expect([counts.loaded, counts.rejected]).toEqual([expected.rows.length, rejects.length]);
    }
  });
}
