import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { LoadRules } from "../../packages/core/src/domain/options.ts";
import { parseFileOptions } from "../../packages/core/src/domain/parse-options.ts";
import { convertBytes, duck, loaded, rowsOf, typesOf } from "./convert-kit.ts";

const folder = join(import.meta.dirname, "../fixtures/csv");

interface Expected {
  /** Column names and types in order; as pairs where a name is a number or __proto__. */
  readonly types: Readonly<Record<string, string>> | readonly (readonly [string, string])[];
  /** Rows as DuckDB writes their values; null: not compared. */
  readonly rows: readonly Readonly<Record<string, string | null>>[] | null;
  readonly rejects?: readonly Readonly<Record<string, unknown>>[];
  /** What is told of the dialect, whole; absent: not compared. */
  readonly detected?: Readonly<Record<string, unknown>>;
  /** Options as a request writes them, and rules. */
  readonly options?: unknown;
  readonly rules?: Partial<LoadRules>;
  readonly skipped?: number;
  /** Columns whose values DuckDB shows in the machine's time zone. */
  readonly unchecked?: readonly string[];
}

const notFixtures = /\.(?:json|mjs)$/;

for (const name of readdirSync(folder).filter((name) => !notFixtures.test(name))) {
  test(`csv fixture ${name}: types, rows, rejects and dialect are as its .json says, whole and in reads of seven bytes`, async () => {
    const expected = JSON.parse(readFileSync(join(folder, `${name}.json`), "utf8")) as Expected;
    const types = Array.isArray(expected.types) ? expected.types : Object.entries(expected.types);
    const options = parseFileOptions(expected.options);
    const whole = await convertBytes(name, readFileSync(join(folder, name)), { options, rules: expected.rules ?? {} });
    const small = await convertBytes(name, readFileSync(join(folder, name)), { readBytes: 7, options, rules: expected.rules ?? {} });
    expect(await rowsOf(small)).toEqual(await rowsOf(whole));
    const shown = types.map(([column]) =>
      expected.unchecked?.includes(column) ? `null as "${column}"` : `"${column}"::varchar as "${column}"`,
    );
    if (expected.rows) expect(await duck(whole.parts, `select ${shown.join(", ")} from parts`)).toEqual(expected.rows);
    for (const result of [whole, small]) {
      expect(Object.entries(typesOf(result.outcome))).toEqual(types);
      const { counts, detected } = loaded(result.outcome);
      const rejects = expected.rejects ?? [];
      expect(result.rejects).toEqual(rejects.map((reject) => expect.objectContaining(reject)));
      expect([counts.rejected, counts.skipped]).toEqual([rejects.length, expected.skipped ?? 0]);
      if (expected.rows) expect(counts.loaded).toBe(expected.rows.length);
      const { format: _format, compression: _compression, by: _by, ...dialect } = detected;
      if (expected.detected) expect(dialect).toEqual(expected.detected);
    }
  });
}
